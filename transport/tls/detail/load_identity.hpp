#pragma once
// From a node's files to what connections are made with. Included by .cpp files only.
#include "transport/spiffe/x509_svids.hpp"
#include "transport/tls/detail/tls_handshake.hpp"

namespace swarm::transport {

/// Reads and checks the files; `tls_identity::load` says what is refused. `before` is what they held so far, null at
/// the start.
result<std::shared_ptr<const tls_identity::state>> load_identity(const tls_files& files,
                                                                 const tls_identity::state* before);

/// The same of what a SPIFFE agent says: of its SVIDs the first. Errors name the ID.
result<std::shared_ptr<const tls_identity::state>> load_svids(const x509_svids& from,
                                                              const tls_identity::state* before);

/// What a node presents, and what it verifies others by.
struct own_material {
  X509* leaf = nullptr;
  const std::vector<x509_ptr>& chain;
  EVP_PKEY* key = nullptr;
  X509_STORE* store = nullptr;
};
/// With certificate and contexts; the rest is the caller's.
result<std::shared_ptr<tls_identity::state>> make_state(const own_material& from);

} // namespace swarm::transport
