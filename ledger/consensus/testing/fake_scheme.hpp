#pragma once

#include "base/hash.hpp"
#include "ledger/consensus/rules.hpp"
#include "ledger/consensus/signing.hpp"

/// Signatures without curve arithmetic, for tests and the simulator: fast, deterministic, and with many valid
/// ones of one signer over one digest, as ECDSA has. Such signatures are easy to forge, but test adversaries
/// sign only for themselves.
namespace swarm::consensus::testing {

/// The account of validator number `which`; numbers sort as their accounts do.
inline address fake_account(std::uint64_t which) {
  address out;
  out.fill(0x40);
  put_be64(out.data(), 0xa000 + which);
  return out;
}

/// `variant` makes another valid signature of the same account over the same digest.
inline signature65 fake_sign(const address& account, const hash32& digest, std::uint8_t variant = 0) {
  signature65 out;
  std::copy(account.begin(), account.end(), out.begin());
  out[20] = variant;
  // A sum for each byte: as nobody here forges, it serves as well as a hash, and is much faster.
  std::uint8_t sum = variant;
  for (std::size_t i = 0; i < 32; ++i)
    out[21 + i] = static_cast<std::uint8_t>(digest[i] + 31 * (sum += account[i % 20]));
  return out;
}

inline result<address> fake_recover(const hash32& digest, const signature65& signature) {
  const auto account = *address::from_view(signature.view().first(20));
  if (fake_sign(account, digest, signature[20]) != signature)
    return fail(consensus_errc::not_a_validator, "not a signature over this digest");
  return account;
}

inline signature_scheme fake_scheme(const address& account) {
  return {account, [account](const hash32& digest) { return fake_sign(account, digest); }, fake_recover};
}

} // namespace swarm::consensus::testing
