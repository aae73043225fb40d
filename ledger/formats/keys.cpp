#include "ledger/formats/keys.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "ledger/formats/rlp.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <cstring>

namespace swarm::ledger {

namespace {

/// n, the order of the group, and n/2 rounded down (SEC 2, 2.4.1).
constexpr std::array<std::uint8_t, 32> group_order{
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
constexpr std::array<std::uint8_t, 32> half_order{
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

/// The one context of the process, blinded against side channels. It is never destroyed, as signing may go on
/// while static objects are destroyed.
const secp256k1_context* curve() {
  static const secp256k1_context* const context = [] {
    auto* made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    hash32 seed;
    fill_random(seed);
    SWARM_ASSERT(made != nullptr && secp256k1_context_randomize(made, seed.data()) == 1);
    return made;
  }();
  return context;
}

address account_of(const secp256k1_pubkey& key) {
  std::array<std::uint8_t, 65> point{};
  std::size_t size = point.size();
  SWARM_ASSERT(secp256k1_ec_pubkey_serialize(curve(), point.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED)
               == 1);
  const hash32 digest = keccak256(bytes_view(point).subspan(1));
  address out;
  std::copy(digest.begin() + 12, digest.end(), out.begin());
  return out;
}

bool is_zero(bytes_view number) {
  return std::all_of(number.begin(), number.end(), [](auto b) { return b == 0; });
}

/// True when the 32-byte number `left` is at least `right`.
bool at_least(bytes_view left, const std::array<std::uint8_t, 32>& right) {
  return std::memcmp(left.data(), right.data(), right.size()) >= 0;
}

result<> check_canonical(const signature65& signature) {
  const auto r = signature.view().first(32);
  const auto s = signature.view().subspan(32, 32);
  if (signature[64] > 1)
    return fail(key_errc::bad_recovery_id, "signature: recovery id {}, must be 0 or 1", signature[64]);
  if (is_zero(r) || at_least(r, group_order))
    return fail(key_errc::invalid_signature, "signature: r is outside 1 .. n-1");
  if (is_zero(s) || at_least(s, group_order))
    return fail(key_errc::invalid_signature, "signature: s is outside 1 .. n-1");
  if (at_least(s, half_order) && std::memcmp(s.data(), half_order.data(), 32) != 0)
    return fail(key_errc::high_s, "signature: s is over n/2, only the low form counts (EIP-2)");
  return {};
}

} // namespace

private_key private_key::make_random() {
  hash32 secret;
  do
    fill_random(secret);
  while (secp256k1_ec_seckey_verify(curve(), secret.data()) != 1);
  auto made = from_bytes(secret.view());
  explicit_bzero(secret.data(), secret.size());
  SWARM_ASSERT(made.has_value());
  return std::move(*made);
}

result<private_key> private_key::from_bytes(bytes_view raw) {
  if (raw.size() != 32) return fail(key_errc::invalid_key, "private key: {} bytes, must be 32", raw.size());
  private_key key;
  std::copy(raw.begin(), raw.end(), key.secret_.begin());
  secp256k1_pubkey point;
  if (secp256k1_ec_pubkey_create(curve(), &point, key.secret_.data()) != 1)
    return fail(key_errc::invalid_key, "private key: zero or not below the group order");
  key.account_ = account_of(point);
  return key;
}

private_key::private_key(private_key&& other) noexcept : secret_(other.secret_), account_(other.account_) {
  explicit_bzero(other.secret_.data(), other.secret_.size());
}

private_key& private_key::operator=(private_key&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  account_ = other.account_;
  explicit_bzero(other.secret_.data(), other.secret_.size());
  return *this;
}

private_key::~private_key() {
  explicit_bzero(secret_.data(), secret_.size());
}

signature65 private_key::sign_recoverable(const hash32& digest) const {
  secp256k1_ecdsa_recoverable_signature made;
  // This fails only for a key that was moved from: every other key was checked when it was made.
  SWARM_ASSERT(secp256k1_ecdsa_sign_recoverable(curve(), &made, digest.data(), secret_.data(),
                                                secp256k1_nonce_function_rfc6979, nullptr)
               == 1);
  signature65 out;
  int recovery_id = 0;
  SWARM_ASSERT(
      secp256k1_ecdsa_recoverable_signature_serialize_compact(curve(), out.data(), &recovery_id, &made) == 1);
  // Ids 2 and 3 mean that r wrapped around n. That happens once in 2^127 signatures, and the chain cannot
  // represent it.
  SWARM_ASSERT(recovery_id == 0 || recovery_id == 1);
  out[64] = static_cast<std::uint8_t>(recovery_id);
  return out;
}

result<address> recover(const hash32& digest, const signature65& signature) {
  SWARM_CHECK(check_canonical(signature));
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey point;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(curve(), &parsed, signature.data(), signature[64])
          != 1
      || secp256k1_ecdsa_recover(curve(), &point, &parsed, digest.data()) != 1)
    return fail(key_errc::invalid_signature, "signature: no key belongs to it");
  return account_of(point);
}

address contract_address(const address& creator, std::uint64_t nonce) {
  const bytes raw = rlp_writer(32).begin_list().string(creator.view()).number(nonce).end_list().take();
  const hash32 digest = keccak256(raw);
  address out;
  std::copy(digest.begin() + 12, digest.end(), out.begin());
  return out;
}

} // namespace swarm::ledger
