#pragma once
// From a node's files to what connections are made with. Included by .cpp files only.
#include "transport/tls/detail/tls_handshake.hpp"

namespace swarm::transport {

/// Reads and checks the files; `tls_identity::load` says what is refused. `before` is what they held so far, null at
/// the start.
result<std::shared_ptr<const tls_identity::state>> load_identity(const tls_files& files,
                                                                 const tls_identity::state* before);

} // namespace swarm::transport
