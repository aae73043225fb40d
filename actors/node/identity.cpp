#include "actors/node/identity.hpp"

#include "actors/node/data_dir.hpp"
#include "actors/node/key_file.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "config/members/read_members.hpp"

#include <mutex>
#include <vector>

namespace swarm::actors {

namespace {

/// Keeps a lock until the process ends, however it ends; the kernel then releases it.
void keep_for_ever(file locked) {
  static std::mutex mutex;
  static auto* kept = new std::vector<file>; // never destroyed, as other threads work until the very end
  const std::lock_guard guard(mutex);
  kept->push_back(std::move(locked));
}

result<> make_data_dir(const std::filesystem::path& dir) {
  if (auto made = make_folders(dir, 0700); !made) return fail_with(made.error(), "data directory");
  SWARM_CHECK(check_data_dir(dir));
  auto locked = file::lock(dir / "lock");
  if (!locked && locked.error().is(file_errc::locked))
    return fail(errc::conflict,
                "{}: another process uses this data directory; stop it, or give this one its own --data-dir",
                dir.string());
  if (!locked) return fail_with(locked.error(), "data directory");
  keep_for_ever(std::move(*locked));
  return {};
}

} // namespace

transport::tls_files tls_files_of(const config::identity_options& from) {
  return {from.cert, from.key, from.cacert, from.capath, from.verify_host, from.agent};
}

result<std::shared_ptr<const members::member_rules>> load_members(const std::filesystem::path& file) {
  if (file.empty()) return std::make_shared<const members::member_rules>();
  const auto text = read_file(file, members::members_bytes_max);
  if (!text) return fail_with(text.error(), "--members");
  auto read = members::read_members(*text, file.native());
  for (const auto& warning : read.warnings)
    log::warning("swarm.members", "{}", schema::told(warning, file.native()));
  if (!read.value) return fail_with(read.value.error(), "--members");
  return std::make_shared<const members::member_rules>(std::move(*read.value));
}

result<node_identity> open_node_identity(const config::role_options& options) {
  node_identity identity;
  SWARM_TRY(identity.tls, transport::tls_identity::load_watched(tls_files_of(options.identity)));
  SWARM_TRY(identity.members, load_members(options.identity.members));
  SWARM_CHECK(make_data_dir(options.data_dir));
  SWARM_TRY(auto key, load_or_make_key((options.data_dir / "node.key").string()));
  identity.key = std::make_shared<const ledger::private_key>(std::move(key));
  return identity;
}

} // namespace swarm::actors
