#pragma once

#include "actors/swci/language/render/answers.hpp"
#include "actors/swci/language/session/script.hpp"
#include "base/result.hpp"

/// What a session machine is told, and what it asks its shell to do.
namespace swarm::swci {

namespace event {

/// The init script, before anything else is entered.
struct script_read {
  std::string name; ///< for texts
  std::vector<script_line> lines;
};
/// The line that `action::ask_line` asked for.
struct line_entered {
  std::string text;
};
/// The same, when there are no more lines.
struct input_ended {};
/// A command under way says something before it ends.
struct command_says {
  std::uint64_t id = 0;
  answer what;
  bool anew = false; ///< in the place of what it said so before
};
/// A command that waits still does.
struct command_waits {
  std::uint64_t id = 0;
};
struct command_done {
  std::uint64_t id = 0;
  std::optional<answer> what; ///< none: all is said, or the machine says it (CREATE CONTEXT, CD)
};
struct command_failed {
  std::uint64_t id = 0;
  error why;
};
/// Ctrl-C.
struct interrupted {};
/// Another shell goes on with the session. Whatever the former one had under way is lost.
struct shell_restarted {};

} // namespace event

namespace action {

/// Show the prompt, read a line, hand in `event::line_entered`.
struct ask_line {
  std::string prompt;
};
/// Show a line of the script behind the prompt.
struct echo {
  std::string prompt;
  std::string line;
};
struct show {
  std::uint64_t number = 0; ///< of the command
  std::string prompt;       ///< to be repeated where the answer stands behind one
  answer what;
  bool anew = false; ///< in the place of the last one, if that was so too and nothing stands below it
};
/// The command has failed, for this reason.
struct show_error {
  std::uint64_t number = 0;
  std::string text;
};
/// Something that is no command's answer, for people.
struct note {
  std::string text;
};
/// Show a '#', so that people see that a wait goes on.
struct mark {};
/// Carry a command out; hand in `event::command_done` or `event::command_failed`. Files and folders in it
/// are paths inside the user folder, and the caller sees to it that no link leads out of it.
struct run {
  std::uint64_t id = 0;
  command what;
  std::string context; ///< empty where the command asks no SN
};
/// End this command soon; it fails then with errc::cancelled.
struct cancel {
  std::uint64_t id = 0;
};
/// The session is over. It asks for nothing after that.
struct exit {
  int code = 0;
};

} // namespace action

using session_action = std::variant<action::ask_line, action::echo, action::show, action::show_error,
                                    action::note, action::mark, action::run, action::cancel, action::exit>;

} // namespace swarm::swci
