#pragma once

#include "ledger/formats/keys.hpp"

namespace swarm::ledger {

/// A node's signed statement that it is alive. As it is signed, SNs can pass it on without having to be
/// trusted. It is not part of the chain.
struct sign_of_life {
  address account;          ///< who signed it; follows from the signature
  std::uint64_t serial = 0; ///< grows with each sign of an account; signs with a lower one are out of date
  std::uint64_t head = 0;   ///< the last block that was final for it when it signed
  std::string api_endpoint; ///< host:port of the JSON-RPC server of an SN; empty for others
  bool operator==(const sign_of_life&) const = default;
};

inline constexpr std::size_t sign_of_life_bytes_max = 384;
inline constexpr std::size_t api_endpoint_bytes_max = 261; ///< a DNS name, a colon, a port

/// rlp[serial, head, endpoint, signature65] where the signature is over
/// keccak(rlp["swarm sign of life", chain id, genesis hash, serial, head, endpoint]).
bytes encode_sign_of_life(std::uint64_t serial, std::uint64_t head, std::string_view api_endpoint,
                          const private_key& key, std::uint64_t chain_id, const hash32& genesis_hash);
/// This recovers the account from the signature. A sign for another chain yields an account that
/// nobody knows.
result<sign_of_life> decode_sign_of_life(bytes_view raw, std::uint64_t chain_id, const hash32& genesis_hash);

} // namespace swarm::ledger
