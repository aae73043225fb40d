#pragma once

#include "base/file.hpp"

#include <sys/types.h>

#include <optional>

namespace swarm {

/// Bytes from a descriptor, standard input as a rule, for a thread that others must be able to wake while it
/// waits for somebody to type.
class wakeable_input {
public:
  /// `fd` stays its owner's.
  explicit wakeable_input(int fd);

  /// Waits until there is something to read (true), or until somebody has called `wake` (false).
  bool wait();
  /// As read(2), but not interrupted: the number of bytes, 0 at the end, or -1.
  ssize_t read(char* to, std::size_t size) const;
  /// From any thread and from signal handlers.
  void wake() const;
  /// The next line without its end, from a pipe or a file, however it is cut. None: there are no more, or
  /// somebody has called `wake`. A line that is far too long is cut off.
  std::optional<std::string> next_line();

private:
  std::optional<std::string> take_line(std::size_t size, std::size_t behind);

  int fd_;
  unique_fd event_;
  std::string buffer_; ///< read and not taken
  bool skips_ = false; ///< the rest of a line that was cut off
};

} // namespace swarm
