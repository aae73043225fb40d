#include "tools/swarmd/doctor/doctor.hpp"

#include "base/file.hpp"
#include "base/log.hpp"
#include "config/parse.hpp"
#include "tools/swarmd/doctor/command_line.hpp"
#include "tools/swarmd/doctor/examine.hpp"
#include "tools/swarmd/doctor/report.hpp"

#include <algorithm>
#include <cstdio>

namespace swarm::doctor {

namespace {

constexpr std::uint64_t arguments_bytes_max = 1024 * 1024;

/// Mistakes in settings, one in a line of `text`.
node_report settings_report(const std::string& text) {
  node_report out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out.lines.push_back({"settings", verdict::wrong, text.substr(begin, end - begin), "correct it"});
    begin = end + 1;
  }
  return out;
}

/// The arguments of a swarmd that runs, and `rest`.
result<std::vector<std::string>> settings_of(const command_line& from) {
  if (from.process.empty()) return from.rest;
  if (from.process.find_first_not_of("0123456789") != std::string::npos)
    return fail(errc::invalid, "--process: the number of a process is wanted, not '{}'", from.process);
  const auto text =
      read_file(fmt::format("/proc/{}/cmdline", from.process), arguments_bytes_max, open_as::stream);
  if (!text || text->empty())
    return fail(errc::not_found, "--process: there is no process {} whose arguments this user may see",
                from.process);
  std::vector<std::string> out;
  for (std::size_t begin = text->find('\0') + 1; begin < text->size();) {
    const auto end = std::min(text->find('\0', begin), text->size());
    out.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  out.insert(out.end(), from.rest.begin(), from.rest.end());
  return out;
}

int show(const std::vector<node_report>& reports, bool as_json) {
  const auto text = as_json ? json_of(reports) : text_of(reports);
  std::fputs(text.c_str(), stdout);
  return worst_of(reports) == verdict::wrong ? 1 : 0;
}

} // namespace

int run(std::span<const std::string> args) {
  log::set_level(log::level::off); // what is to be told stands in a line
  const auto own = read_command_line(args);
  if (!own)
    return show({settings_report(own.error().message)}, std::ranges::find(args, "--json") != args.end());
  if (own->help) {
    std::fputs(std::string(help_text()).c_str(), stdout);
    return 0;
  }
  const auto settings = settings_of(*own);
  if (!settings) return show({settings_report(settings.error().message)}, own->json);
  const auto parsed = config::parse(*settings, config::process_environment());
  if (!parsed) return show({settings_report(parsed.error().message)}, own->json);
  if (parsed->action == config::action::show) {
    std::fputs(parsed->text.c_str(), stdout);
    return 0;
  }
  return show(examine(parsed->config, *own), own->json);
}

} // namespace swarm::doctor
