#pragma once

#include "actors/swci/language/session/contexts.hpp"
#include "actors/swci/language/session/events.hpp"
#include "actors/swci/language/session/user_folder.hpp"
#include "base/clock.hpp"

#include <deque>

/// One operator's session: the init script, then lines; a prompt that counts commands; contexts, the
/// working folder, EXIT ON FAILURE. The same for terminal, script and web mode, whose shells show what it
/// says each in their way. One command is under way at a time.
namespace swarm::swci {

inline constexpr int exit_code_good = 0;    ///< EXIT, or the end of the input
inline constexpr int exit_code_failure = 1; ///< a command failed and EXIT ON FAILURE was on

class session_machine {
public:
  explicit session_machine(user_folder folder) : folder_(std::move(folder)) {}

  /// Begins; without lines there is no script.
  void step(const event::script_read& script, time_point now);
  void step(const event::line_entered& line, time_point now);
  void step(const event::input_ended&, time_point now);
  void step(const event::command_says& news, time_point now);
  void step(const event::command_waits& news, time_point now);
  void step(const event::command_done& news, time_point now);
  void step(const event::command_failed& news, time_point now);
  void step(const event::interrupted&, time_point now);
  void step(const event::shell_restarted&, time_point now);
  /// What is to be done, in this order.
  std::vector<session_action> take_actions() { return std::exchange(actions_, {}); }

  // For shells and people.
  std::string prompt() const;
  const context_list& contexts() const { return contexts_; }
  const std::string& working_folder() const { return working_; } ///< a path inside
  bool exits_on_failure() const { return exit_on_failure_; }
  std::string status() const;

private:
  /// Waits for a line.
  struct idle {};
  /// Has a command carried out.
  struct busy {
    std::uint64_t id = 0;
    command what;
    bool interrupted = false;
  };
  struct over {};

  void go_on();
  void take_line(const std::string& text);
  void start(command what);
  result<> prepare(command& what) const;
  void succeeded(const std::optional<answer>& with);
  void failed(const error& why);
  void drop_script();
  void finish(int code);
  const busy* under_way(std::uint64_t id) const;

  /// Commands that need nothing but the session. False for any other.
  bool done_here(const command& what);
  void answer_with(answer what);
  void answer_or_fail(const result<>& outcome, answer what);
  /// What a command that was carried out changes here, and what there is to say of that.
  result<std::optional<answer>> apply(const command& what);

  user_folder folder_;
  context_list contexts_;
  std::string working_;
  bool exit_on_failure_ = false;
  std::uint64_t count_ = 0; ///< of commands that have ended
  std::uint64_t last_id_ = 0;
  std::string script_name_;
  std::deque<script_line> script_;               ///< what is left of it
  std::optional<std::uint32_t> script_line_num_; ///< of the command under way
  std::variant<idle, busy, over> phase_;
  std::vector<session_action> actions_;
};

} // namespace swarm::swci
