#include "actors/swop/content/extract/extract.hpp"

#include "actors/swop/content/extract/archive_reader.hpp"
#include "actors/swop/content/extract/confined_folder.hpp"
#include "actors/swop/content/relative_path.hpp"
#include "actors/swop/content/tree.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarm::content {

namespace fs = std::filesystem;

namespace {

using kind = archive_entry_head::kind;

tl::unexpected<error> unsafe(const archive_entry_head& entry, std::string_view why) {
  return fail(content_errc::unsafe_archive, "'{}' {}", shown(entry.path), why);
}

result<> write_block(int fd, const archive_block& block) {
  auto rest = block.data;
  for (auto offset = block.offset; !rest.empty();) {
    const auto count = ::pwrite(fd, rest.data(), rest.size(), static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == ENOSPC || errno == EDQUOT))
      return fail(file_errc::no_room, "there is no room left on the disk; make room or choose another disk");
    if (count < 0) return fail(file_errc::io, "cannot be written: {}", std::strerror(errno));
    rest = rest.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

class extraction {
public:
  extraction(archive_reader& from, const confined_folder& to, const extract_limits& limits,
             const std::stop_token& stop)
      : from_(from), to_(to), budget_(limits), stop_(stop) {}

  result<extract_report> run();

private:
  result<> take(const archive_entry_head& entry);
  result<> take_file(const archive_entry_head& entry, const std::vector<std::string>& path);
  result<> take_hard_link(const archive_entry_head& entry, const std::vector<std::string>& path);
  result<> grow(std::uint64_t end, std::uint64_t& counted);

  archive_reader& from_;
  const confined_folder& to_;
  extract_budget budget_;
  const std::stop_token& stop_;
};

result<extract_report> extraction::run() {
  for (;;) {
    if (stop_.stop_requested()) return fail(content_errc::stopped, "stopped");
    SWARM_TRY(const auto entry, from_.next());
    if (!entry) return extract_report{budget_.entries(), budget_.bytes()};
    SWARM_CHECK(take(*entry));
  }
}

result<> extraction::take(const archive_entry_head& entry) {
  SWARM_CHECK(budget_.add_entry());
  const auto path = split_path(entry.path);
  if (path.fault != path_fault::none) return unsafe(entry, explain(path.fault));
  if (entry.what == kind::folder) return to_.make_folders(path.parts);
  if (path.parts.empty()) return unsafe(entry, "has no name");
  switch (entry.what) {
  case kind::file:
    return take_file(entry, path.parts);
  case kind::hard_link:
    return take_hard_link(entry, path.parts);
  case kind::symlink: {
    const std::vector<std::string> folder(path.parts.begin(), path.parts.end() - 1);
    if (!link_stays_inside(folder, entry.link))
      return unsafe(entry, "is a link that leads out of its folder");
    return to_.make_symlink(path.parts, entry.link);
  }
  default:
    return unsafe(entry, "is neither file, folder nor link");
  }
}

/// Counts an entry's bytes up to `end`, of which `counted` are counted already.
result<> extraction::grow(std::uint64_t end, std::uint64_t& counted) {
  if (end <= counted) return {};
  SWARM_CHECK(budget_.add_bytes(end - counted, from_.bytes_read()));
  counted = end;
  return {};
}

result<> extraction::take_file(const archive_entry_head& entry, const std::vector<std::string>& path) {
  std::uint64_t counted = 0;
  std::uint64_t written = 0;
  SWARM_TRY(const auto out, to_.make_file(path, entry.executable));
  for (;;) {
    if (stop_.stop_requested()) return fail(content_errc::stopped, "stopped");
    SWARM_TRY(const auto block, from_.read());
    if (!block) break;
    const auto end = block->offset + block->data.size();
    SWARM_CHECK(grow(end, counted));
    SWARM_CHECK(write_block(out.get(), *block));
    written = std::max(written, end);
  }
  if (entry.size <= written) return {};
  // A hole at the end.
  SWARM_CHECK(grow(entry.size, counted));
  if (::ftruncate(out.get(), static_cast<::off_t>(entry.size)) != 0)
    return fail(file_errc::io, "'{}' cannot be made as long as it is: {}", shown(entry.path),
                std::strerror(errno));
  return {};
}

result<> extraction::take_hard_link(const archive_entry_head& entry, const std::vector<std::string>& path) {
  const auto existing = split_path(entry.link);
  if (existing.fault != path_fault::none || existing.parts.empty())
    return unsafe(entry, "is a second name of a file outside of its folder");
  SWARM_TRY(const auto size, to_.make_hard_link(path, existing.parts));
  // Copies of the volume hold it once more.
  return budget_.add_bytes(size, from_.bytes_read());
}

result<extract_report> unpack(const fs::path& archive, const fs::path& to, const extract_limits& limits,
                              const std::stop_token& stop) {
  SWARM_TRY(auto from, archive_reader::open(archive));
  SWARM_TRY(const auto folder, confined_folder::open(to));
  return extraction(from, folder, limits, stop).run();
}

} // namespace

result<extract_report> extract(const fs::path& archive, const fs::path& to, const extract_limits& limits,
                               const std::stop_token& stop) {
  auto beside = to;
  beside += ".unpacking";
  SWARM_CHECK(remove_tree(beside));
  SWARM_CHECK(make_folders(beside, 0755));
  auto done = unpack(archive, beside, limits, stop);
  if (done) {
    if (auto moved = move_tree_into(beside, to); !moved) done = tl::unexpected(std::move(moved).error());
  }
  std::ignore = remove_tree(beside);
  if (!done) return fail_with(std::move(done).error(), shown(archive.filename().native()));
  return done;
}

} // namespace swarm::content
