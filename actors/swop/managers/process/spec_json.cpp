#include "actors/swop/managers/process/spec_json.hpp"

#include "actors/swop/managers/process/detail/strict_json.hpp"

#include <algorithm>
#include <set>

namespace swarm::managers {

namespace json = boost::json;
using detail::object_reader;

namespace {

constexpr std::size_t argv_bytes_max = 128 * 1024; // the kernel takes no longer single word
constexpr std::size_t environment_bytes_max = 128 * 1024;
constexpr std::size_t mounts_max = 100;
constexpr std::size_t path_bytes_max = 4000;
constexpr std::uint64_t ids_max = 0xfffffffe;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool has_only(std::string_view text, std::string_view also) {
  return std::ranges::all_of(
      text, [&](char c) { return is_letter_or_digit(c) || also.find(c) != std::string_view::npos; });
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

/// "/a/b": absolute, no empty, "." or ".." component, no slash at the end.
bool is_plain_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() > path_bytes_max || has_nul(path)) return false;
  for (auto rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const auto part = rest.substr(0, rest.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    rest.remove_prefix(part.size());
  }
  return true;
}

/// The folders that the sandbox makes itself and that a mount may not replace.
bool is_kernels(std::string_view path) {
  for (const std::string_view each : {"/proc", "/sys", "/dev"})
    if (path == each || (path.starts_with(each) && path[each.size()] == '/')) return true;
  return false;
}

result<> check_command(const program_spec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty())
    return fail(errc::invalid, "argv: names no command; give the program and its arguments");
  std::size_t bytes = 0;
  for (const auto& word : spec.argv) {
    bytes += word.size() + 1;
    if (has_nul(word)) return fail(errc::invalid, "argv: has a zero byte in a word; take it out");
  }
  if (bytes > argv_bytes_max)
    return fail(errc::invalid, "argv: has more than {} bytes; shorten it", argv_bytes_max);
  bytes = 0;
  for (const auto& [name, value] : spec.environment) {
    bytes += name.size() + value.size() + 2;
    if (name.empty() || has_nul(name) || name.find('=') != std::string::npos)
      return fail(errc::invalid, "environment: '{}' can be no variable's name", name);
    if (has_nul(value)) return fail(errc::invalid, "environment: {} has a zero byte in its value", name);
  }
  if (bytes > environment_bytes_max)
    return fail(errc::invalid, "environment: has more than {} bytes; shorten it", environment_bytes_max);
  return {};
}

result<> check_mounts(const program_spec& spec) {
  if (spec.mounts.size() > mounts_max)
    return fail(errc::invalid, "mounts: there are more than {}", mounts_max);
  std::set<std::string_view> targets;
  for (const auto& each : spec.mounts) {
    if (!is_plain_path(each.source))
      return fail(errc::invalid, "mounts: '{}' is no absolute path without '.' and '..'", each.source);
    if (!is_plain_path(each.target))
      return fail(errc::invalid, "mounts: '{}' is no absolute path without '.' and '..'", each.target);
    if (is_kernels(each.target))
      return fail(errc::invalid, "mounts: {}: the sandbox has its own; choose another target", each.target);
    if (!targets.insert(each.target).second)
      return fail(errc::invalid, "mounts: {} is the target of two; choose another for one of them",
                  each.target);
  }
  return {};
}

result<> check_output(const output_bounds& output) {
  if (!output.folder.empty() && !is_plain_path(output.folder))
    return fail(errc::invalid, "output: '{}' is no absolute path without '.' and '..'", output.folder);
  if (output.file_bytes < 4096 || output.files < 1 || output.files > 100)
    return fail(errc::invalid, "output: there must be 1 to 100 files of at least 4096 bytes");
  return {};
}

template <class T>
void put(json::object& out, std::string_view key, const std::optional<T>& value) {
  if (value) out.emplace(key, *value);
}

json::object limits_json(const program_limits& from) {
  json::object out;
  put(out, "memory_bytes", from.memory_bytes);
  put(out, "cpu_seconds", from.cpu_seconds);
  put(out, "cpu_percent", from.cpu_percent);
  put(out, "processes", from.processes);
  put(out, "file_bytes", from.file_bytes);
  put(out, "open_files", from.open_files);
  put(out, "scratch_bytes", from.scratch_bytes);
  put(out, "shared_memory_bytes", from.shared_memory_bytes);
  return out;
}

result<program_limits> read_limits(const json::value& from) {
  object_reader reader(from, "limits");
  constexpr std::uint64_t max = INT64_MAX; // what the kernel takes
  program_limits out;
  out.memory_bytes = reader.optional_number("memory_bytes", max);
  out.cpu_seconds = reader.optional_number("cpu_seconds", max);
  out.cpu_percent = reader.optional_number("cpu_percent", 1'000'000);
  out.processes = reader.optional_number("processes", 4'000'000);
  out.file_bytes = reader.optional_number("file_bytes", max);
  out.open_files = reader.optional_number("open_files", 1'000'000'000);
  out.scratch_bytes = reader.optional_number("scratch_bytes", max);
  out.shared_memory_bytes = reader.optional_number("shared_memory_bytes", max);
  SWARM_CHECK(reader.finish());
  return out;
}

result<std::vector<mount>> read_mounts(const json::value& from) {
  if (!from.is_array()) return fail(errc::invalid, "mounts: must be a list");
  std::vector<mount> out;
  for (const auto& each : from.get_array()) {
    object_reader reader(each, "mounts");
    out.push_back({reader.text("source"), reader.text("target"), reader.boolean("writable")});
    SWARM_CHECK(reader.finish());
  }
  return out;
}

result<std::map<std::string, std::string>> read_environment(const json::value& from) {
  if (!from.is_object()) return fail(errc::invalid, "environment: must be an object");
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : from.get_object()) {
    if (!value.is_string())
      return fail(errc::invalid, "environment: '{}' must be a text", std::string_view(key));
    out.emplace(key, value.get_string());
  }
  return out;
}

result<output_bounds> read_output(const json::value& from) {
  object_reader reader(from, "output");
  output_bounds out{reader.text("folder"), reader.number("file_bytes", INT64_MAX), reader.number("files")};
  SWARM_CHECK(reader.finish());
  return out;
}

} // namespace

bool is_program_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && is_letter_or_digit(name.front()) && has_only(name, "._-");
}

result<> check_spec(const program_spec& spec) {
  if (!is_program_name(spec.name))
    return fail(errc::invalid, "name: '{}' must be 1 to 100 letters, digits, '.', '_' and '-'", spec.name);
  SWARM_CHECK(check_command(spec));
  if (spec.working_directory != "/" && !is_plain_path(spec.working_directory))
    return fail(errc::invalid, "working_directory: '{}' is no absolute path without '.' and '..'",
                spec.working_directory);
  SWARM_CHECK(check_mounts(spec));
  if (spec.host_name.size() > 64 || !has_only(spec.host_name, ".-"))
    return fail(errc::invalid, "host_name: '{}' must be at most 64 letters, digits, '.' and '-'",
                spec.host_name);
  for (const auto& each : spec.dns)
    if (each.empty() || each.size() > 100 || !has_only(each, ".:%"))
      return fail(errc::invalid, "dns: '{}' is no address", each);
  if (spec.gpus && !has_only(*spec.gpus, ",-_"))
    return fail(errc::invalid, "gpus: '{}' must be numbers or names with commas between them", *spec.gpus);
  if (spec.uid > ids_max || spec.gid > ids_max) return fail(errc::invalid, "uid and gid: are too large");
  if (spec.run_time_max && spec.run_time_max->count() < 1)
    return fail(errc::invalid, "run_time_max_s: must be at least 1");
  return check_output(spec.output);
}

std::string write_spec(const program_spec& spec) {
  json::array mounts;
  for (const auto& each : spec.mounts)
    mounts.push_back(
        json::object{{"source", each.source}, {"target", each.target}, {"writable", each.writable}});
  json::object environment;
  for (const auto& [name, value] : spec.environment)
    environment.emplace(name, value);
  json::object out{{"name", spec.name},
                   {"argv", json::array(spec.argv.begin(), spec.argv.end())},
                   {"environment", std::move(environment)},
                   {"working_directory", spec.working_directory},
                   {"mounts", std::move(mounts)},
                   {"host_name", spec.host_name},
                   {"dns", json::array(spec.dns.begin(), spec.dns.end())},
                   {"uid", spec.uid},
                   {"gid", spec.gid},
                   {"limits", limits_json(spec.limits)},
                   {"output", json::object{{"folder", spec.output.folder},
                                           {"file_bytes", spec.output.file_bytes},
                                           {"files", spec.output.files}}}};
  put(out, "gpus", spec.gpus);
  if (spec.run_time_max) out.emplace("run_time_max_s", spec.run_time_max->count());
  return json::serialize(out);
}

result<program_spec> read_spec(std::string_view text) {
  if (text.size() > spec_bytes_max)
    return fail(errc::invalid, "specification: has more than {} bytes", spec_bytes_max);
  SWARM_TRY(const auto value, detail::parse_json(text, "specification"));
  object_reader reader(value, "specification");
  program_spec out;
  out.name = reader.text("name");
  out.argv = reader.texts("argv");
  const auto* environment = reader.take("environment");
  out.working_directory = reader.text("working_directory");
  const auto* mounts = reader.take("mounts");
  out.host_name = reader.text("host_name");
  out.dns = reader.texts("dns");
  out.uid = static_cast<std::uint32_t>(reader.number("uid", ids_max));
  out.gid = static_cast<std::uint32_t>(reader.number("gid", ids_max));
  const auto* limits = reader.take("limits");
  const auto* output = reader.take("output");
  out.gpus = reader.optional_text("gpus");
  if (const auto most = reader.optional_number("run_time_max_s", 1'000'000'000))
    out.run_time_max = std::chrono::seconds(*most);
  SWARM_CHECK(reader.finish());
  SWARM_TRY(out.environment, read_environment(*environment));
  SWARM_TRY(out.mounts, read_mounts(*mounts));
  SWARM_TRY(out.limits, read_limits(*limits));
  SWARM_TRY(out.output, read_output(*output));
  SWARM_CHECK(check_spec(out));
  return out;
}

} // namespace swarm::managers
