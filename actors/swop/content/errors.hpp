#pragma once

#include "base/result.hpp"

namespace swarm::content {

/// Why content could not be made. Troubles of the disk carry `file_errc`.
enum class content_errc {
  bad_operation = 1, ///< an operation of the task is not written as it must be
  bad_url,           ///< cannot be read, or of a scheme that is not supported
  forbidden_path,    ///< a file outside of what the operator allows
  not_found,         ///< the server, or this host for a file: address, does not have it
  refused,           ///< the server answered with another error
  unreachable,       ///< no connection to the server or to the proxy
  untrusted,         ///< the server's certificate, or the scheme that it redirects to
  too_many_redirects,
  cut,            ///< the connection ended before the file did
  too_large,      ///< more bytes than allowed
  too_slow,       ///< fewer bytes a second than allowed
  out_of_time,    ///< not finished by the deadline
  wrong_digest,   ///< the file is not the one that the task names
  stopped,        ///< by the caller
  bad_archive,    ///< of no known format, damaged, truncated or encrypted
  unsafe_archive, ///< an entry that leaves its folder, or is no file, folder or link
  archive_bomb,   ///< more bytes, entries or folders in folders than allowed
  no_such_file,   ///< the volume does not have the archive that is to be extracted
  no_volume,      ///< there is no volume of that name
  volume_in_use,  ///< the name belongs to a volume that no task has made
};
constexpr std::string_view error_category(content_errc) {
  return "content";
}

} // namespace swarm::content
