#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"

#include <poll.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

namespace swarm::shim {

/// The socket on which a manager tells a shim to stop its program: one packet "stop MILLISECONDS", answered by "ok".
/// Few clients at a time, each for a second: none can hold up the shim.
class control {
public:
  static result<control> open(const std::filesystem::path& folder);

  void add_to(std::vector<pollfd>& fds) const;
  /// Takes what there is. The grace time of a client that said stop.
  std::optional<std::chrono::milliseconds> serve(time_point now);

private:
  struct client {
    unique_fd socket;
    time_point until;
  };
  unique_fd listener_;
  std::vector<client> clients_;
};

} // namespace swarm::shim
