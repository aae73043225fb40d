#include "actors/node/data_dir.hpp"

#include "base/log.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace swarm::actors {

result<> check_data_dir(const std::filesystem::path& dir) {
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0)
    return fail(errc::io, "data directory {}: {}", dir.native(), std::strerror(errno));
  const auto mode = info.st_mode & 07777U;
  if ((mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(
        errc::denied,
        "data directory {}: mode {:04o} lets others put their own keys and files in it; run: chmod 700 '{}'",
        dir.native(), mode, dir.native());
  if ((mode & (S_IRGRP | S_IROTH)) != 0)
    log::warning("swarm.node",
                 "data directory {}: mode {:04o} lets others see what is in it; run: chmod 700 '{}'",
                 dir.native(), mode, dir.native());
  return {};
}

} // namespace swarm::actors
