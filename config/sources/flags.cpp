#include "config/sources/flags.hpp"

#include "base/spelling.hpp"
#include "config/keys.hpp"
#include "config/values.hpp"

#include <CLI/CLI.hpp>

namespace swarm::config {

namespace {

constexpr std::size_t args_max = 1024;

/// Every flag without its dashes, for suggestions.
std::vector<std::string_view> flag_names() {
  std::vector<std::string_view> out;
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys)
      out.push_back(spec.key);
  for (const auto& flag : command_flags()) {
    const auto name = flag.names.substr(2);
    out.push_back(name.substr(0, name.find(',')));
  }
  return out;
}

void report_rest(const std::vector<std::string>& rest, problems& found) {
  const auto candidates = flag_names();
  for (const auto& word : rest) {
    if (!word.starts_with("-") || word == "--") {
      found.add(config_errc::usage,
                "unexpected argument '{}'; settings are given as --name value (see --help)", printable(word));
      continue;
    }
    const auto name = std::string_view(word).substr(word.starts_with("--") ? 2 : 1);
    const auto stem = name.substr(0, name.find('='));
    found.add(config_errc::usage, "unknown flag '{}'{}", printable(word.substr(0, word.find('='))),
              did_you_mean(stem, candidates, "--").empty() ? std::string(" (see --help)")
                                                           : did_you_mean(stem, candidates, "--"));
  }
}

/// An option that takes any number of values, so that this program's own message reports repetitions.
CLI::Option* add_valued(CLI::App& app, const std::string& names) {
  return app.add_option(names)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

class flag_reader {
public:
  flag_reader() {
    app_.set_help_flag();
    app_.allow_extras();
    app_.option_defaults()->ignore_case();
    for (const auto& group : key_groups())
      for (const auto& spec : group.keys) {
        const auto name = fmt::format("--{}", spec.key);
        auto* option = spec.kind == value_kind::flag ? app_.add_flag(name) : add_valued(app_, name);
        settings_.emplace_back(&spec, option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
      }
    for (const auto& flag : command_flags()) {
      const std::string names(flag.names);
      commands_[names] = flag.placeholder.empty() ? app_.add_flag(names) : add_valued(app_, names);
    }
    for (const auto& flag : ignored_flags())
      ignored_.emplace_back(&flag, add_valued(app_, fmt::format("--{}", flag.key)));
  }

  flag_values read(std::span<const std::string> args, problems& found) {
    if (lacks_values(args, found)) return {};
    try {
      app_.parse(std::vector<std::string>(args.rbegin(), args.rend())); // CLI11 takes the last argument first
    } catch (const CLI::ParseError& problem) {
      found.add(config_errc::usage, "{} (see --help)", printable(problem.what()));
      return {};
    }
    report_rest(app_.remaining(), found);
    return collect(found);
  }

private:
  /// Whether a value is missing; CLI11 would take the next flag for it.
  bool lacks_values(std::span<const std::string> args, problems& found) const {
    bool lacking = false;
    for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
      const auto* option = args[i].starts_with("--") ? app_.get_option_no_throw(args[i]) : nullptr;
      if (!option || option->get_expected_max() == 0) continue;
      if (i + 1 < args.size() && !args[i + 1].starts_with("-")) {
        ++i;
        continue;
      }
      found.add(config_errc::usage, "{} needs a value (see --help)", printable(args[i]));
      lacking = true;
    }
    return lacking;
  }

  flag_values collect(problems& found) {
    flag_values out;
    for (const auto& [spec, option] : settings_) {
      const auto origin = fmt::format("--{}", spec->key);
      const auto texts = option->results();
      if (texts.size() > 1 && spec->kind != value_kind::list)
        found.add(config_errc::usage, "{} is given {} times; keep one of them", origin, texts.size());
      for (const auto& text : texts)
        out.settings[std::string(spec->key)].push_back({text, origin});
    }
    for (const auto& [flag, option] : ignored_)
      if (option->count() > 0)
        out.notes.push_back(fmt::format("--{} is not needed: {}", flag->key, flag->reason));
    out.roles = commands_["--role"]->results();
    const auto profiles = commands_["--profile"]->results();
    if (profiles.size() > 1)
      found.add(config_errc::usage, "--profile is given {} times; keep one of them", profiles.size());
    if (!profiles.empty()) out.profile = profiles.front();
    out.check = commands_["--check"]->count() > 0;
    out.health = commands_["--health"]->count() > 0;
    out.verify_store = commands_["--verify-store"]->count() > 0;
    out.repair = commands_["--repair"]->count() > 0;
    out.version = commands_["--version,-V"]->count() > 0;
    out.help = commands_["--help,-h"]->count() > 0;
    return out;
  }

  CLI::App app_;
  std::vector<std::pair<const key_spec*, CLI::Option*>> settings_;
  std::map<std::string, CLI::Option*, std::less<>> commands_;
  std::vector<std::pair<const ignored_flag*, CLI::Option*>> ignored_;
};

constexpr std::size_t help_column = 38;
constexpr std::size_t help_width = 110;

/// "  --flag VALUE    text", the text wrapped at its column.
void append_entry(std::string& to, std::string head, std::string_view text) {
  if (head.size() + 2 > help_column) {
    to += head + "\n";
    head.clear();
  }
  std::string line = head + std::string(help_column - head.size(), ' ');
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    if (line.size() + word.size() > help_width && line.size() > help_column) {
      line.erase(line.find_last_not_of(' ') + 1);
      to += line + "\n";
      line = std::string(help_column, ' ');
    }
    line += word;
    line += ' ';
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  to += line + "\n";
}

} // namespace

flag_values read_flags(std::span<const std::string> args, problems& found) {
  if (args.size() > args_max) {
    found.add(config_errc::usage, "{} arguments; at most {} are read", args.size(), args_max);
    return {};
  }
  return flag_reader().read(args, found);
}

std::string help_text() {
  std::string out =
      "usage: swarmd --role sn|sl|swop|swci|ui [SETTINGS]\n"
      "       swarmd --profile host.yaml [SETTINGS]\n"
      "       swarmd doctor SETTINGS\n\n"
      "A node of a swarm that trains machine-learning models together without moving data.\n"
      "Flags win over the profile, the profile over environment variables [NAME], those over defaults "
      "(value).\nA profile has the same names without the dashes.\n\n";
  append_entry(
      out, "      doctor",
      "before SETTINGS: say whether this host and its SN are ready for that node, and what to do, and end "
      "(swarmd doctor --help)");
  for (const auto& flag : command_flags()) {
    const auto comma = flag.names.find(',');
    auto head = comma == std::string_view::npos
                    ? fmt::format("      {}", flag.names)
                    : fmt::format("  {}, {}", flag.names.substr(comma + 1), flag.names.substr(0, comma));
    if (!flag.placeholder.empty()) head += fmt::format(" {}", flag.placeholder);
    append_entry(out, head, flag.help);
  }
  for (const auto& group : key_groups()) {
    out += fmt::format("\n{}\n", group.title);
    for (const auto& spec : group.keys) {
      auto text = std::string(spec.help);
      if (!spec.fallback.empty() && spec.fallback != "false") text += fmt::format(" ({})", spec.fallback);
      for (const auto name : spec.env)
        if (!name.empty()) text += fmt::format(" [{}]", name);
      append_entry(
          out,
          fmt::format("      --{}{}{}", spec.key, spec.kind == value_kind::flag ? "" : " ", spec.placeholder),
          text);
    }
  }
  out += "\nNot needed here, accepted for scripts of the original:";
  for (const auto& flag : ignored_flags())
    out += fmt::format(" --{}", flag.key);
  return out + "\n";
}

} // namespace swarm::config
