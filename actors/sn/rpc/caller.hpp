#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace swarm::rpc {

/// Who asks. `session` is 0 for a plain request; a WebSocket's number lets it subscribe.
struct caller {
  hash32 client; ///< the fingerprint of its certificate
  std::uint64_t session = 0;
  std::function<void(std::string)> send; ///< answers and, for a session, notifications; any thread
};

} // namespace swarm::rpc
