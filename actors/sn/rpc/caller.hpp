#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace swarm::rpc {

/// Who asks. `session` is 0 for a plain HTTP request, or the number of a WebSocket, which may subscribe.
struct caller {
  hash32 client; ///< the fingerprint of its certificate
  std::uint64_t session = 0;
  /// Whether its certificate allows a call of this contract with this input; empty: every call.
  std::function<result<>(const address& to, bytes_view input)> may_call;
  std::function<void(std::string)> send; ///< takes answers and, for a session, notifications, on any thread
};

} // namespace swarm::rpc
