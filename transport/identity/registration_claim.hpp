#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <functional>

namespace swarm::transport {

/// What a registration on the chain says of a node's certificate.
struct registration_claim {
  address account;
  std::uint16_t organisation = 0; ///< its number on the chain
  std::uint8_t role = 0;          ///< the kind of node
  hash32 identity;                ///< fingerprint of the certificate, or the digest of its SPIFFE ID
  std::uint64_t expiry = 0;       ///< end of the certificate, in seconds since 1970
  std::uint64_t sequence = 0;     ///< counts the registrations of the account
  bool operator==(const registration_claim&) const = default;
};

/// Whether a node registers again under the same identity because its certificate was replaced by one that ends later,
/// as SPIFFE's are every few minutes or hours: once no more than half of the time is left that the newer one has. All in
/// seconds since 1970; a registration until 0 holds for ever.
constexpr bool is_renewal_due(std::uint64_t registered_until, std::uint64_t own_until,
                              std::uint64_t unix_now) {
  if (registered_until == 0 || own_until <= registered_until) return false;
  const auto left = [&](std::uint64_t until) { return until > unix_now ? until - unix_now : 0; };
  constexpr std::uint64_t rounding = 2;
  return 2 * left(registered_until) <= left(own_until) + rounding;
}

/// The chain that a registration is for.
struct registration_chain {
  std::uint64_t chain_id = 0;
  hash32 genesis_hash;
};

/// What a node says when it registers, and the proof of it.
struct proved_claim {
  registration_claim claim; ///< with identity and expiry
  bytes proof;
};

/// Proves a claim with a node's certificate, whose identity and expiry it fills in.
using prove_function =
    std::function<result<proved_claim>(const registration_chain&, const registration_claim&)>;

} // namespace swarm::transport
