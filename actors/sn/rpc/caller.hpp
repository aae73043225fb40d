#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace swarm::rpc {

/// To whom work and room are counted.
struct party {
  hash32 organisation; ///< fingerprint of the anchor that its client's certificate leads to
  hash32 client;       ///< fingerprint of the certificate
  bool operator==(const party&) const = default;
};

/// Who asks. `session` is 0 for a plain HTTP request, or the number of a WebSocket, which may subscribe.
struct caller {
  hash32 client;                                        ///< the fingerprint of its certificate
  hash32 organisation{};                                ///< that of its anchor
  std::shared_ptr<const std::string> organisation_name; ///< for people
  std::uint64_t session = 0;
  /// Whether its certificate allows a call of this contract with this input; empty: every call.
  std::function<result<>(const address& to, bytes_view input)> may_call;
  /// Whether it may ask what is not for everybody (open_methods.hpp); empty: it may.
  std::function<result<>()> may_read;
  /// Told why, when a question was refused because of that; may be empty.
  std::function<void(const std::string& why)> reading_refused;
  std::function<void(std::string)> send; ///< takes answers and, for a session, notifications, on any thread

  party of() const { return {organisation, client}; }
};

} // namespace swarm::rpc
