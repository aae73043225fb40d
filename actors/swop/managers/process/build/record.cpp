#include "actors/swop/managers/process/build/record.hpp"

#include "actors/swop/content/tree.hpp"
#include "actors/swop/content/volumes.hpp"
#include "base/file.hpp"

#include <boost/json.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace swarm::build {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::uint64_t record_bytes_max = 1 << 20;

std::optional<record_entry> parse(std::string_view text, const fs::path& environments) {
  boost::system::error_code problem;
  const auto value = json::parse(text, problem);
  const auto* fields = problem ? nullptr : value.if_object();
  if (!fields) return std::nullopt;
  const auto text_of = [&](std::string_view name) -> std::string {
    const auto* found = fields->if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  record_entry out{text_of("digest"), environments / text_of("folder"), {}, text_of("working_folder")};
  const auto* environment = fields->if_contains("environment");
  if (!environment || !environment->is_object() || text_of("folder").empty()) return std::nullopt;
  for (const auto& [name, each] : environment->get_object())
    if (each.is_string()) out.environment[std::string(name)] = each.get_string();
  return out;
}

} // namespace

record::record(fs::path environments, std::string_view name)
    : environments_(std::move(environments)), name_(content::folder_name(name)) {}

std::optional<record_entry> record::read() const {
  const auto text = read_file(environments_ / (name_ + "@.json"), record_bytes_max, open_as::no_links);
  return text ? parse(*text, environments_) : std::nullopt;
}

result<> record::write(const record_entry& entry) const {
  json::object environment;
  for (const auto& [name, value] : entry.environment)
    environment[name] = value;
  const json::object fields{{"digest", entry.digest},
                            {"folder", entry.folder.filename().native()},
                            {"environment", environment},
                            {"working_folder", entry.working_folder}};
  return replace_file(environments_ / (name_ + "@.json"), as_bytes(json::serialize(fields)), 0644);
}

result<fs::path> record::new_folder() const {
  auto path = (environments_ / (name_ + "@XXXXXX")).native();
  if (!::mkdtemp(path.data()))
    return fail(file_errc::io, "{}: cannot be made: {}", path, std::strerror(errno));
  std::error_code problem;
  fs::permissions(path,
                  fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec
                      | fs::perms::others_read | fs::perms::others_exec,
                  problem);
  return fs::path(path);
}

void record::drop_others(const fs::path& than) const {
  std::vector<fs::path> found;
  std::error_code problem;
  for (fs::directory_iterator at(environments_, problem), end; !problem && at != end; at.increment(problem))
    if (at->is_directory(problem) && at->path().filename().native().starts_with(name_ + "@")
        && at->path() != than)
      found.push_back(at->path());
  for (const auto& each : found)
    std::ignore = content::remove_tree(each);
}

} // namespace swarm::build
