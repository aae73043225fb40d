#include "tools/swarmd/doctor/command_line.hpp"

#include <charconv>
#include <optional>

namespace swarm::doctor {

namespace {

constexpr unsigned program_seconds_max = 3600;

/// Takes the values of doctor's own flags, "--name value" and "--name=value", from the arguments.
class taker {
public:
  explicit taker(std::span<const std::string> args) : args_(args) {}

  bool done() const { return at_ == args_.size(); }
  const std::string& next() { return args_[at_++]; }

  /// The value if `word`, the argument before, is this flag; fails when there is none behind it.
  result<std::optional<std::string>> value(const std::string& word, const std::string& flag) {
    if (word.starts_with(flag + "=")) return std::optional(word.substr(flag.size() + 1));
    if (word != flag) return std::optional<std::string>();
    if (done() || args_[at_].empty())
      return fail(errc::invalid, "{} needs a value (see swarmd doctor --help)", flag);
    return std::optional(next());
  }

private:
  std::span<const std::string> args_;
  std::size_t at_ = 0;
};

} // namespace

result<command_line> read_command_line(std::span<const std::string> args) {
  command_line out;
  taker from(args);
  while (!from.done()) {
    const auto& word = from.next();
    if (word == "--help" || word == "-h") {
      out.help = true;
      continue;
    }
    if (word == "--json") {
      out.json = true;
      continue;
    }
    SWARM_TRY(const auto program, from.value(word, "--program"));
    SWARM_TRY(const auto python, from.value(word, "--python"));
    SWARM_TRY(const auto seconds, from.value(word, "--program-seconds"));
    SWARM_TRY(const auto process, from.value(word, "--process"));
    if (process) out.process = *process;
    if (program) out.program = *program;
    if (python) out.python = *python;
    if (seconds) {
      const auto* last = seconds->data() + seconds->size();
      const auto read = std::from_chars(seconds->data(), last, out.program_seconds);
      if (read.ec != std::errc{} || read.ptr != last || out.program_seconds == 0
          || out.program_seconds > program_seconds_max)
        return fail(errc::invalid, "--program-seconds: a number from 1 to {} is wanted", program_seconds_max);
    }
    if (!program && !python && !seconds && !process) out.rest.push_back(word);
  }
  return out;
}

std::string_view help_text() {
  return "usage: swarmd doctor [--json] [--program CMD] [--program-seconds N] [--python PROGRAM] [--process "
         "ID] SETTINGS\n\n"
         "Says whether this host, and the SN that is named, are ready for the node that swarmd SETTINGS "
         "would start:\n"
         "the same flags, profile (--profile FILE) and environment. Each line is ok, a warning, wrong or not "
         "checked;\n"
         "below it stands what to do. Nothing is registered, changed or left behind, and a node that runs "
         "with the\n"
         "same settings is not disturbed.\n\n"
         "      --json                for tools: one object, tools/swarmd/doctor/README.md says of what "
         "form\n"
         "      --program CMD         run this training program alone, too (/bin/sh -c, SWARM_LOOPBACK=True, "
         "in this\n"
         "                            folder): what it does without a swarm it really does\n"
         "      --program-seconds N   and end it after so many seconds (60)\n"
         "      --python PROGRAM      the Python of the training program (python3)\n"
         "      --process ID          take the settings of this process, a swarmd that runs\n"
         "      --help, -h            print this text and end\n\n"
         "Exit code: 0 when nothing is wrong, warnings or not; 1 when something is.\n";
}

} // namespace swarm::doctor
