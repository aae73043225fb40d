#include "actors/swop/content/make_content.hpp"

#include "actors/swop/content/relative_path.hpp"
#include "actors/swop/content/tree.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"

#include <algorithm>

namespace swarm::content {

namespace fs = std::filesystem;

namespace {

/// Downloads that broke off, of all tasks together. Older ones are dropped.
constexpr std::size_t partials_max = 8;

std::string_view name_of(operation::kind what) {
  return what == operation::kind::download ? "DOWNLOAD" : "EXTRACT";
}

void drop_old_partials(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
    if (at->path().extension() == ".part") found.emplace_back(at->last_write_time(problem), at->path());
  std::ranges::sort(found, std::greater{});
  for (std::size_t i = partials_max; i < found.size(); ++i) {
    std::ignore = remove_file(found[i].second);
    std::ignore = remove_file(fs::path(found[i].second) += ".json");
  }
}

class content_maker {
public:
  content_maker(const content_request& what, const volumes& where, const content_limits& limits,
                const std::stop_token& stop, const on_content_progress& progress)
      : what_(what), where_(where), limits_(limits), stop_(stop), progress_(progress),
        stage_(where.work() / "stage"), partials_(where.work() / "downloads") {}

  result<> run();

private:
  result<> carry_out(std::size_t index);
  result<> fetch(std::size_t index, const fs::path& to);
  result<> unpack(std::size_t index);
  result<> check_digest(const operation& of, const fs::path& archive) const;
  result<> install();
  fs::path draft() const { return stage_ / "content"; }

  const content_request& what_;
  const volumes& where_;
  const content_limits& limits_;
  const std::stop_token& stop_;
  const on_content_progress& progress_;
  fs::path stage_;
  fs::path partials_;
};

result<> content_maker::run() {
  SWARM_CHECK(where_.check_replaceable(what_.name));
  SWARM_CHECK(remove_tree(stage_)); // a process that was killed may have left it
  SWARM_CHECK(make_folders(draft(), 0755));
  SWARM_CHECK(make_folders(partials_, 0700));
  drop_old_partials(partials_);
  for (std::size_t i = 0; i < what_.operations.size(); ++i)
    if (auto done = carry_out(i); !done)
      return fail_with(std::move(done).error(),
                       fmt::format("operation {} ({})", i + 1, name_of(what_.operations[i].what)));
  return install();
}

result<> content_maker::carry_out(std::size_t index) {
  const auto& each = what_.operations[index];
  if (progress_) progress_({.operation = index, .what = each.what, .download = {}});
  if (each.what == operation::kind::extract) return unpack(index);
  const auto to = draft() / each.out;
  SWARM_CHECK(make_folders(to.parent_path(), 0755));
  return fetch(index, to);
}

result<> content_maker::fetch(std::size_t index, const fs::path& to) {
  const auto& each = what_.operations[index];
  const auto name = to_hex(sha256(as_bytes(each.target)).view(), false) + ".part";
  const auto tell = [&](const download_progress& now) {
    if (progress_) progress_({.operation = index, .what = each.what, .download = now});
  };
  const auto done = download({.address = each.target,
                              .to = to,
                              .partial = partials_ / name,
                              .sha256 = each.sha256,
                              .allowed = what_.allowed,
                              .variables = what_.variables},
                             limits_.download, stop_, tell);
  if (!done) return tl::unexpected(done.error());
  return {};
}

result<> content_maker::check_digest(const operation& of, const fs::path& archive) const {
  if (!of.sha256) return {};
  SWARM_TRY(const auto from, file::open(archive));
  sha256_stream digest;
  bytes chunk(1 << 20);
  for (;;) {
    if (stop_.stop_requested()) return fail(content_errc::stopped, "stopped");
    SWARM_TRY(const auto got, from.read(chunk));
    if (got == 0) break;
    digest.update({chunk.data(), got});
  }
  if (const auto found = digest.finish(); found != *of.sha256)
    return fail(content_errc::wrong_digest, "{} has the SHA-256 {} and not {}", of.target,
                to_hex(found.view(), false), to_hex(of.sha256->view(), false));
  return {};
}

result<> content_maker::unpack(std::size_t index) {
  const auto& each = what_.operations[index];
  const auto to = each.out.empty() ? draft() : draft() / each.out;
  SWARM_CHECK(make_folders(to.parent_path(), 0755));
  auto archive = draft() / each.target;
  if (is_outside_volume(each.target)) {
    archive = stage_ / "archive";
    SWARM_CHECK(fetch(index, archive));
  } else {
    std::error_code problem;
    if (!fs::exists(archive, problem))
      return fail(
          content_errc::no_such_file,
          "'{}' is not in the volume; an earlier operation has to put it there, or Target is an address",
          shown(each.target));
    SWARM_CHECK(check_digest(each, archive));
  }
  const auto done = extract(archive, to, limits_.extract, stop_);
  if (!done && is_outside_volume(each.target)) {
    auto why = done.error();
    if (const auto from = read_url(each.target)) return fail_with(std::move(why), from->shown);
  }
  if (!done) return tl::unexpected(done.error());
  return {};
}

result<> content_maker::install() {
  std::vector<fs::path> made{draft()};
  for (std::size_t i = 1; i < what_.nodes.size(); ++i) {
    made.push_back(stage_ / fmt::format("copy-{}", i));
    SWARM_CHECK(copy_tree(draft(), made.back(), stop_));
  }
  SWARM_CHECK(sync_file_system(stage_));
  return where_.install(what_.name, what_.nodes, made);
}

} // namespace

result<> make_content(const content_request& what, const volumes& where, const content_limits& limits,
                      const std::stop_token& stop, const on_content_progress& progress) {
  SWARM_CHECK(make_folders(where.work(), 0700));
  SWARM_TRY(const auto locked, file::lock(where.work() / "lock"));
  auto done = content_maker(what, where, limits, stop, progress).run();
  std::ignore = remove_tree(where.work() / "stage");
  if (!done) return fail_with(std::move(done).error(), shown(what.name));
  return done;
}

} // namespace swarm::content
