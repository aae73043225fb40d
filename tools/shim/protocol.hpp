#pragma once

#include <cstdint>

namespace swarm::shim {

/// What the first process of a sandbox tells the shim, one packet each, over the socket sandbox_fd::shim.
enum class tells : std::uint32_t {
  here = 1,   ///< the sandbox stands; the packet's credentials say which process this is on the host
  started,    ///< the program runs
  no_folder,  ///< `value` is the errno of entering the working directory
  no_command, ///< `value` is the errno of executing the program
  no_spec,    ///< the specification cannot be read
  too_many,   ///< there are more processes than allowed; it kills them
  ended,      ///< `value` is what waitpid says of the program
};

struct packet {
  tells what;
  std::int32_t value;
};

/// What the shim sends: end yourselves. When it closes the socket, everything in the sandbox is killed.
enum class told : std::uint32_t { end = 1 };

/// The argument that makes the first process count the others, where no limit of the kernel does.
inline constexpr const char* count_processes = "count-processes";

} // namespace swarm::shim
