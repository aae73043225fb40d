#include "actors/node/identity.hpp"

#include "actors/node/key_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace swarm::actors {

namespace {

result<> make_data_dir(const std::filesystem::path& dir) {
  std::error_code failure;
  const bool there = std::filesystem::exists(dir, failure);
  std::filesystem::create_directories(dir, failure);
  if (failure)
    return fail(errc::io, "{}: cannot make the data directory: {}", dir.string(), failure.message());
  if (!there) ::chmod(dir.c_str(), 0700);
  const auto lock = dir / "lock";
  // Never closed: the kernel lets go of the lock when the process ends, however it ends.
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(errc::io, "{}: cannot write to the data directory: {}; check owner and mode", dir.string(),
                std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return fail(errc::conflict,
                "{}: another process uses this data directory; stop it, or give this one its own --data-dir",
                dir.string());
  return {};
}

} // namespace

result<node_identity> open_node_identity(const config::role_options& options) {
  node_identity identity;
  const auto& files = options.identity;
  SWARM_TRY(identity.tls, transport::tls_identity::load(
                              {files.cert, files.key, files.cacert, files.capath, files.verify_host}));
  SWARM_CHECK(make_data_dir(options.data_dir));
  SWARM_TRY(auto key, ledger::load_or_make_key((options.data_dir / "node.key").string()));
  identity.key = std::make_shared<const ledger::private_key>(std::move(key));
  return identity;
}

} // namespace swarm::actors
