#pragma once

#include "base/back_off.hpp"
#include "base/file.hpp"
#include "transport/spiffe/workload_call.hpp"
#include "transport/spiffe/x509_svids.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace swarm::transport {

/// Asks a SPIFFE agent at its Unix socket, or at api.sock in the folder that is given, for this process's SVIDs and listens for newer ones. A call that ends is made
/// again, after pauses that grow to half a minute. One thread waits; only `wake` may be called by others.
class agent_link {
public:
  explicit agent_link(std::filesystem::path socket);

  struct news {
    std::optional<x509_svids> svids;
    std::optional<error> trouble; ///< carries a `tls_errc`; it names no socket
  };
  /// Returns what comes first: SVIDs, trouble with the agent, a call of `wake`, or the end of this time.
  news wait(std::chrono::milliseconds limit);
  void wake();

  const std::filesystem::path& socket() const { return socket_; }

private:
  result<> begin_call();
  /// What can be read and written now.
  result<> exchange();
  void poll_until(time_point limit, bool& woken) const;
  news broken(error why);

  const std::filesystem::path socket_;
  unique_fd wake_;
  unique_fd stream_; ///< none: no call is under way
  std::unique_ptr<workload_call> call_;
  bytes output_; ///< not written yet
  back_off pause_;
  time_point begin_at_{}; ///< of the next call
};

/// What the agent says first. Waits no longer than `patience` for it; without patience the first trouble is the answer.
/// `on_trouble` is told of the first one. Errors name the socket and say what to do.
result<x509_svids> first_svids(agent_link& from, std::chrono::milliseconds patience,
                               const std::function<void(const error&)>& on_trouble = {});
/// The same, by a call of its own that ends with this.
result<x509_svids> svids_of(const std::filesystem::path& socket);

} // namespace swarm::transport
