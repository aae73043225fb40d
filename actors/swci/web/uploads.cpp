#include "actors/swci/web/uploads.hpp"

#include "actors/swci/commands/host_files.hpp"
#include "base/file.hpp"
#include "config/tasks/task.hpp"

namespace swarm::swci {

namespace {

constexpr unsigned file_mode = 0664; ///< programs of tasks may run as other users

bool is_task(const std::filesystem::path& file) {
  const auto text = read_file(file, upload_bytes_max, open_as::no_links);
  return text && tasks::read_task(*text, file.filename().native()).value;
}

} // namespace

result<std::string> upload_folder::store(std::string_view inside, const order::upload& file) {
  SWARM_TRY(const auto path, folder_.inside(inside, file.name));
  SWARM_TRY(const auto real, new_inside(folder_, path));
  std::error_code failure;
  const auto there = std::filesystem::symlink_status(real, failure);
  if (std::filesystem::exists(there) && !own_.contains(path)
      && (!std::filesystem::is_regular_file(there) || !is_task(real)))
    return fail(errc::conflict,
                "{} is there already and is no task definition: upload it under another name, or remove that",
                user_folder::shown(path));
  SWARM_CHECK(replace_file(real, as_bytes(file.content), file_mode));
  if (own_.size() < remembered_max) own_.insert(path);
  return user_folder::shown(path);
}

} // namespace swarm::swci
