#include "actors/swop/content/volumes.hpp"

#include "actors/swop/content/relative_path.hpp"
#include "actors/swop/content/tree.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace swarm::content {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t name_bytes_max = 180;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
         || c == '.';
}

/// Puts `from` under the name `to`; what was there takes its place.
result<> swap_in(const fs::path& from, const fs::path& to) {
  if (!is_there(to)) return rename_file(from, to);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS)
    return fail(file_errc::io, "{}: cannot be replaced: {}", to.native(), std::strerror(errno));
  SWARM_CHECK(remove_tree(to)); // a file system that cannot exchange names
  return rename_file(from, to);
}

} // namespace

std::string folder_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_plain(c) && !(c == '.' && out.empty()))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  if (out.size() <= name_bytes_max) return out;
  // A '%' followed by no digits: no short name looks like this.
  return out.substr(0, name_bytes_max - 66) + "%-" + to_hex(sha256(as_bytes(name)).view(), false);
}

fs::path volumes::path_of(std::string_view name, std::optional<std::uint64_t> node) const {
  const auto folder = folder_name(name);
  return root_ / (node ? fmt::format("{}@{}", folder, *node) : folder);
}

fs::path volumes::mark_of(std::string_view name) const {
  return root_ / ".made" / folder_name(name);
}

result<fs::path> volumes::find(std::string_view name, std::optional<std::uint64_t> node) const {
  std::error_code problem;
  if (node && fs::is_directory(path_of(name, node), problem)) return path_of(name, node);
  auto whole = path_of(name);
  if (fs::is_directory(whole, problem)) return whole;
  return fail(
      content_errc::no_volume,
      "there is no volume '{}'; run the task whose Outcome it is, or make the folder {} and put into it what "
      "belongs there",
      shown(name), whole.native());
}

result<std::vector<fs::path>> volumes::copies_of(std::string_view name) const {
  const auto start = folder_name(name) + "@";
  std::vector<fs::path> out;
  std::error_code problem;
  for (fs::directory_iterator at(root_, problem), end; !problem && at != end; at.increment(problem))
    if (at->path().filename().native().starts_with(start)) out.push_back(at->path());
  if (problem) return fail(file_errc::io, "{}: cannot be listed: {}", root_.native(), problem.message());
  return out;
}

result<> volumes::check_replaceable(std::string_view name) const {
  if (is_there(mark_of(name)) || !is_there(root_)) return {};
  SWARM_TRY(const auto copies, copies_of(name));
  if (!is_there(path_of(name)) && copies.empty()) return {};
  return fail(content_errc::volume_in_use,
              "the volume '{}' ({}) was not made by a task and is not replaced; move the folder away, or "
              "give the task "
              "another Outcome",
              shown(name), path_of(name).native());
}

result<> volumes::install(std::string_view name, const std::vector<std::uint64_t>& nodes,
                          const std::vector<fs::path>& made) const {
  SWARM_CHECK(check_replaceable(name));
  SWARM_CHECK(make_folders(root_ / ".made", 0755));
  SWARM_CHECK(replace_file(mark_of(name), {}, 0644));
  std::vector<fs::path> wanted;
  if (nodes.empty()) wanted.push_back(path_of(name));
  for (const auto node : nodes)
    wanted.push_back(path_of(name, node));
  for (std::size_t i = 0; i < wanted.size(); ++i)
    SWARM_CHECK(swap_in(made[i], wanted[i]));
  // Copies that the new volume does not have: of nodes that are gone, or of a task that makes another kind.
  SWARM_TRY(auto old, copies_of(name));
  old.push_back(path_of(name));
  for (const auto& each : old)
    if (std::ranges::find(wanted, each) == wanted.end()) SWARM_CHECK(remove_tree(each));
  return sync_folder(root_);
}

} // namespace swarm::content
