#include "actors/swop/managers/process/build/context_files.hpp"

#include "actors/swop/content/errors.hpp"
#include "actors/swop/content/relative_path.hpp"
#include "actors/swop/managers/process/build/environment.hpp"
#include "actors/swop/managers/process/build/steps/lines.hpp"
#include "base/file.hpp"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace swarm::build {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t files_max = 200'000;

bool has_pattern(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
    out.push_back(at->path());
  std::ranges::sort(out);
  return out;
}

/// What a relative path means below `folder`, a part at a time.
std::vector<fs::path> resolve(const fs::path& folder, const fs::path& relative) {
  std::vector<fs::path> found{folder};
  std::error_code problem;
  for (const auto& part : relative) {
    std::vector<fs::path> next;
    for (const auto& each : found) {
      if (!has_pattern(part.native())) {
        if (auto path = each / part; fs::exists(path, problem)) next.push_back(std::move(path));
        continue;
      }
      for (auto& entry : sorted_entries(each))
        if (::fnmatch(part.c_str(), entry.filename().c_str(), FNM_PERIOD) == 0)
          next.push_back(std::move(entry));
    }
    found = std::move(next);
  }
  return found;
}

class collector {
public:
  explicit collector(const fs::path& context) { context_ = fs::canonical(context, problem_); }

  result<> add(const fs::path& from, const std::string& to) {
    if (out.size() >= files_max)
      return fail(errc::limit, "the build context has more than {} files", files_max);
    const auto real = fs::canonical(from, problem_);
    const auto [end, rest] = std::ranges::mismatch(context_, real);
    if (problem_ || end != context_.end())
      return fail(errc::denied, "{} is a link that leads out of the build context, or to nothing",
                  shown(from.native()));
    if (fs::is_regular_file(real, problem_)) {
      out.push_back({real, to});
      return {};
    }
    if (!fs::is_directory(real, problem_))
      return fail(errc::denied, "{} is neither a file nor a folder", shown(from.native()));
    if (fs::is_symlink(fs::symlink_status(from, problem_)))
      return fail(errc::denied, "{} is a link to a folder, which is not copied", shown(from.native()));
    for (const auto& each : sorted_entries(from))
      SWARM_CHECK(add(each, image_path(to, each.filename().native())));
    return {};
  }

  std::vector<context_file> out;

private:
  fs::path context_;
  std::error_code problem_;
};

result<std::vector<std::string>> parts_of(std::string_view path) {
  auto out = content::split_path(path.substr(1));
  if (out.fault == content::path_fault::none) return std::move(out.parts);
  return fail(build_errc::failed, "{}: cannot be a path of the image", shown(path));
}

/// A folder that is not what it was before programs of the build had it.
template <class T>
result<T> as_build(result<T> from) {
  if (!from && from.error().category == error_category(content::content_errc{}))
    return fail(build_errc::failed, "{}", from.error().message);
  return from;
}

result<unique_fd> make_file(const content::confined_folder& in, std::string_view path, bool executable) {
  SWARM_TRY(const auto parts, parts_of(path));
  if (parts.empty()) return fail(build_errc::failed, "/ is a folder, not a file");
  return as_build(in.make_file(parts, executable));
}

result<> write_all(const unique_fd& to, bytes_view rest, std::string_view path) {
  while (!rest.empty()) {
    const auto count = ::write(to.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return fail(file_errc::io, "{}: cannot be written: {}", shown(path), std::strerror(errno));
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

} // namespace

result<std::vector<context_file>> files_of(const copy_files& what, const fs::path& context,
                                           std::vector<std::string>& missing) {
  collector found(context);
  std::error_code problem;
  for (const auto& source : what.sources) {
    const auto matches = source.empty() ? std::vector{context} : resolve(context, source);
    if (matches.empty()) missing.push_back(source);
    const bool into = what.into_folder || matches.size() > 1;
    for (const auto& each : matches) {
      const bool whole_folder = fs::is_directory(each, problem); // its contents go into the target
      const auto to = into && !whole_folder ? image_path(what.target, each.filename().native()) : what.target;
      SWARM_CHECK(found.add(each, to));
    }
  }
  return std::move(found.out);
}

std::vector<fs::path> matches_of(const fs::path& root, std::string_view path) {
  const auto plain = root / path.substr(1);
  if (!has_pattern(path)) return {plain};
  auto found = resolve(root, path.substr(1));
  return found.empty() ? std::vector{plain} : found;
}

result<> digest_files(const std::vector<context_file>& files, sha256_stream& to,
                      const std::stop_token& stop) {
  std::vector<std::uint8_t> chunk(1 << 20);
  for (const auto& each : files) {
    SWARM_TRY(const auto from, file::open(each.from));
    SWARM_TRY(const auto size, from.size());
    to.update(as_bytes(fmt::format("{} {} {}\n", each.to.size(), each.to, size)));
    for (;;) {
      if (stop.stop_requested()) return fail(build_errc::stopped, "stopped");
      SWARM_TRY(const auto got, from.read(chunk));
      if (got == 0) break;
      to.update({chunk.data(), got});
    }
  }
  return {};
}

result<image_folder> image_folder::open(const fs::path& root) {
  SWARM_TRY(auto folder, content::confined_folder::open(root));
  return image_folder(std::move(folder));
}

result<> image_folder::make_folders(std::string_view path) const {
  SWARM_TRY(const auto parts, parts_of(path));
  return as_build(folder_.make_folders(parts));
}

result<> image_folder::write(std::string_view path, std::string_view text) const {
  SWARM_TRY(const auto to, make_file(folder_, path, false));
  return write_all(to, as_bytes(text), path);
}

result<> image_folder::place(const context_file& what) const {
  SWARM_TRY(const auto from, file::open(what.from));
  SWARM_TRY(const auto mode, from.mode());
  SWARM_TRY(const auto to, make_file(folder_, what.to, (mode & 0100) != 0));
  std::vector<std::uint8_t> chunk(1 << 20);
  for (;;) {
    SWARM_TRY(const auto got, from.read(chunk));
    if (got == 0) return {};
    SWARM_CHECK(write_all(to, {chunk.data(), got}, what.to));
  }
}

result<> image_folder::link(std::string_view path, std::string_view existing) const {
  SWARM_TRY(const auto parts, parts_of(path));
  return as_build(folder_.make_symlink(parts, (folder_.path() / existing.substr(1)).native()));
}

} // namespace swarm::build
