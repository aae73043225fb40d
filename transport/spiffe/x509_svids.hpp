#pragma once

#include "transport/spiffe/spiffe_id.hpp"

#include <map>
#include <vector>

namespace swarm::transport {

/// One identity of this process, as the agent gives it.
struct x509_svid {
  spiffe_id id;
  bytes certificates; ///< DER, one after the other: the node's own, then those between it and its authority
  bytes key;          ///< PKCS#8, DER
  bytes bundle;       ///< the authorities of its own trust domain: DER, one after the other
};

/// One message of the agent, which is the whole truth: what it does not have is withdrawn.
struct x509_svids {
  std::vector<x509_svid> all;             ///< the first one is what a process uses; at least one
  std::vector<bytes> crls;                ///< DER
  std::map<std::string, bytes> federated; ///< trust domain -> its authorities, as `bundle`
};

inline constexpr std::size_t svid_message_bytes_max =
    4 * 1024 * 1024; ///< of gRPC, too, where nobody says more
inline constexpr std::size_t svids_max = 64;
inline constexpr std::size_t svid_crls_max = 256;
inline constexpr std::size_t federated_bundles_max = 256;

/// Reads an X509SVIDResponse (workloadapi.proto of go-spiffe, SPIFFE_Workload_API.md). Strict and bounded, as the
/// messages of the ML channel are: unknown fields are skipped, anything malformed is refused by name.
result<x509_svids> decode_x509_svids(bytes_view message);

} // namespace swarm::transport
