#pragma once

#include "transport/ml_channel/memory/program_memory.hpp"
#include "transport/ml_channel/pipe_access.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::ml {

/// The socket to which a program sends its memory: a datagram "SESSION REGION" with one descriptor. It lies
/// beside the request FIFO, with the same rights. Whoever may open the FIFOs may send something; what does not
/// name the session, whose id only its program has been told, is dropped.
///
/// Nothing waits here: a program sends its memory before the message that needs it.
class memory_socket {
public:
  /// Makes `path`, in place of a socket that an earlier process has left there. Fails when something else is
  /// there, or the folder cannot be written: then models go through the FIFOs.
  static result<memory_socket> make(const std::string& path, const pipe_access& access);
  memory_socket(memory_socket&& from) noexcept = default;
  memory_socket& operator=(memory_socket&& from) = delete;
  /// Removes the file, if it is still this one.
  ~memory_socket();

  /// Its name within the folder.
  const std::string& name() const { return name_; }
  /// The memory that a session's program has sent as number `region`. Everything else that has come is
  /// dropped. Fails when it is not there, or no memory.
  result<program_memory> take(std::string_view session, std::int32_t region) const;
  /// Drops what has come, as from a program that has ended since.
  void drop_all() const;

private:
  memory_socket() = default;

  std::string name_;
  unique_fd folder_;
  unique_fd socket_;
  ino_t inode_ = 0;
};

} // namespace swarm::ml
