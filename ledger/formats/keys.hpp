#pragma once

#include "base/bytes.hpp"

namespace swarm::ledger {

/// Why a key or a signature on secp256k1 is refused (SEC 1, Yellow Paper appendix F).
enum class key_errc {
  invalid_key = 1,   ///< a private key outside 1 .. n-1, or not 32 bytes
  invalid_signature, ///< r or s outside 1 .. n-1, or no curve point belongs to them
  high_s,            ///< s over n/2: the same signature in its malleable form (EIP-2)
  bad_recovery_id,   ///< a recovery id (y parity) other than 0 or 1
  file_access,       ///< a key file that others may read
  file_malformed,    ///< a key file that does not hold a key
  file_io,           ///< a key file that cannot be read or made
};

constexpr std::string_view error_category(key_errc) {
  return "key";
}

/// r (32 bytes), s (32 bytes), recovery id 0 or 1 (not 27 or 28).
using signature65 = fixed_bytes<65>;

/// A secp256k1 private key with its address. It can be moved but not copied, and overwrites its memory when
/// it is destroyed.
class private_key {
public:
  static private_key make_random();
  /// Takes 32 bytes, a number from 1 to the group order less one.
  static result<private_key> from_bytes(bytes_view raw);

  private_key(private_key&& other) noexcept;
  private_key& operator=(private_key&& other) noexcept;
  private_key(const private_key&) = delete;
  private_key& operator=(const private_key&) = delete;
  ~private_key();

  /// The account that belongs to this key: the last 20 bytes of keccak(public key).
  const address& account() const { return account_; }
  /// Signs a digest. Deterministic (RFC 6979) with low s, so the same digest gives the same bytes everywhere.
  signature65 sign_recoverable(const hash32& digest) const;
  /// The secret itself, only to be stored.
  bytes_view secret() const { return secret_.view(); }

private:
  private_key() = default;
  hash32 secret_;
  address account_;
};

/// The account whose key made `signature` over `digest`. Refuses everything but the one canonical form: r and
/// s in 1 .. n-1, s at most n/2, recovery id 0 or 1. Whether the account belongs to some set is for the
/// caller to check.
result<address> recover(const hash32& digest, const signature65& signature);

/// Where `creator`'s transaction number `nonce` puts the contract it makes: last 20 bytes of
/// keccak(rlp[creator, nonce]).
address contract_address(const address& creator, std::uint64_t nonce);

} // namespace swarm::ledger
