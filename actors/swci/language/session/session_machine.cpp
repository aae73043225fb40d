#include "actors/swci/language/session/session_machine.hpp"

#include "actors/swci/language/help.hpp"
#include "actors/swci/language/parser.hpp"
#include "actors/swci/language/table.hpp"
#include "actors/swci/language/words.hpp"
#include "base/assert.hpp"

namespace swarm::swci {

void session_machine::step(const event::script_read& script, time_point) {
  SWARM_ASSERT(count_ == 0 && std::holds_alternative<idle>(phase_));
  script_name_ = script.name;
  script_.assign(script.lines.begin(), script.lines.end());
  go_on();
}

void session_machine::step(const event::line_entered& line, time_point) {
  if (!std::holds_alternative<idle>(phase_)) return;
  take_line(line.text);
  go_on();
}

void session_machine::step(const event::input_ended&, time_point) {
  if (std::holds_alternative<idle>(phase_)) finish(exit_code_good);
}

void session_machine::step(const event::command_says& news, time_point) {
  if (under_way(news.id)) actions_.emplace_back(action::show{count_, prompt(), news.what, news.anew});
}

void session_machine::step(const event::command_waits& news, time_point) {
  if (under_way(news.id)) actions_.emplace_back(action::mark{});
}

void session_machine::step(const event::command_done& news, time_point) {
  if (!under_way(news.id)) return;
  const auto what = std::get<busy>(phase_).what;
  phase_ = idle{};
  if (const auto changed = apply(what); !changed)
    failed(changed.error());
  else
    succeeded(*changed ? *changed : news.what);
  go_on();
}

void session_machine::step(const event::command_failed& news, time_point) {
  const auto* running = under_way(news.id);
  if (!running) return;
  const bool interrupted = running->interrupted;
  phase_ = idle{};
  if (interrupted) {
    actions_.emplace_back(action::show_error{count_, "interrupted"});
    ++count_;
    drop_script();
  } else {
    failed(news.why);
  }
  go_on();
}

void session_machine::step(const event::interrupted&, time_point) {
  auto* running = std::get_if<busy>(&phase_);
  if (!running || running->interrupted) return;
  running->interrupted = true;
  actions_.emplace_back(action::cancel{running->id});
}

void session_machine::step(const event::shell_restarted&, time_point) {
  if (std::holds_alternative<over>(phase_)) return finish(exit_code_failure);
  if (std::holds_alternative<busy>(phase_)) {
    phase_ = idle{};
    failed(make_error(errc::cancelled,
                      "the session's actor had to be started again; look whether the command "
                      "had its effect before it is repeated"));
  }
  go_on();
}

/// Takes lines of the script until one has to be waited for; then, or without a script, asks for a line.
void session_machine::go_on() {
  while (std::holds_alternative<idle>(phase_) && !script_.empty()) {
    const auto line = std::move(script_.front());
    script_.pop_front();
    script_line_num_ = line.number;
    actions_.emplace_back(action::echo{prompt(), line.text});
    take_line(line.text);
  }
  if (std::holds_alternative<idle>(phase_)) {
    script_line_num_.reset();
    actions_.emplace_back(action::ask_line{prompt()});
  }
}

void session_machine::take_line(const std::string& text) {
  if (is_remark(text)) return;
  auto what = parse(text);
  if (!what) return failed(what.error());
  if (!done_here(*what)) start(std::move(*what));
}

void session_machine::start(command what) {
  std::string context;
  if (std::holds_alternative<commands::doctor>(what)) context = contexts_.default_name();
  if (needs_context(what)) {
    const auto found = contexts_.named({});
    if (!found) return failed(found.error());
    context = *found;
  }
  if (const auto fit = prepare(what); !fit) return failed(fit.error());
  if (const auto* info = std::get_if<commands::get_context_info>(&what)) context = info->context;
  phase_ = busy{++last_id_, what, false};
  actions_.emplace_back(action::run{last_id_, std::move(what), std::move(context)});
}

/// Puts what the session knows in the place of what the operator wrote.
result<> session_machine::prepare(command& what) const {
  const auto resolve = [&](std::string& path) -> result<> {
    SWARM_TRY(path, folder_.inside(working_, path));
    return {};
  };
  /// Of an organisation: its CAs' certificates, or spiffe:// and its trust domain.
  const auto resolve_anchors = [&](std::string& file) -> result<> {
    return file.starts_with("spiffe://") ? result<>{} : resolve(file);
  };
  if (auto* create = std::get_if<commands::create_context>(&what))
    return contexts_.may_add(create->context, create->sn);
  if (auto* info = std::get_if<commands::get_context_info>(&what)) {
    SWARM_TRY(info->context, contexts_.named(info->context));
  }
  if (auto* task = std::get_if<commands::create_task_from>(&what)) return resolve(task->file);
  if (auto* model = std::get_if<commands::get_model>(&what)) return resolve(model->file);
  if (auto* proof = std::get_if<commands::prove_merge>(&what)) return resolve(proof->file);
  if (auto* admit = std::get_if<commands::admit_organisation>(&what)) return resolve_anchors(admit->file);
  if (auto* replace = std::get_if<commands::replace_ca>(&what)) return resolve_anchors(replace->file);
  if (auto* change = std::get_if<commands::change_folder>(&what)) return resolve(change->folder);
  if (auto* list = std::get_if<commands::list_files>(&what)) {
    if (list->paths.empty()) list->paths.emplace_back(".");
    for (auto& path : list->paths)
      SWARM_CHECK(resolve(path));
  }
  return {};
}

void session_machine::succeeded(const std::optional<answer>& with) {
  if (with) answer_with(*with);
  ++count_;
}

void session_machine::failed(const error& why) {
  auto text = why.message;
  if (script_line_num_) text = fmt::format("{}:{}: {}", script_name_, *script_line_num_, text);
  actions_.emplace_back(action::show_error{count_, std::move(text)});
  ++count_;
  if (!exit_on_failure_) return;
  actions_.emplace_back(action::note{"The session ends, as EXIT ON FAILURE is on."});
  finish(exit_code_failure);
}

/// An operator who interrupts a script takes over; what is left of it might undo what was waited for.
void session_machine::drop_script() {
  if (script_.empty()) return;
  actions_.emplace_back(action::note{fmt::format("{} goes no further: line {} and what follows are left out.",
                                                 script_name_, script_.front().number)});
  script_.clear();
}

void session_machine::finish(int code) {
  phase_ = over{};
  script_.clear();
  actions_.emplace_back(action::exit{code});
}

const session_machine::busy* session_machine::under_way(std::uint64_t id) const {
  const auto* running = std::get_if<busy>(&phase_);
  return running && running->id == id ? running : nullptr;
}

std::string session_machine::prompt() const {
  return fmt::format("SWCI:{} > ", count_);
}

std::string session_machine::status() const {
  const auto where =
      contexts_.default_name().empty() ? std::string("no context") : "context " + contexts_.default_name();
  if (std::holds_alternative<busy>(phase_)) return fmt::format("command {} is under way, {}", count_, where);
  return std::holds_alternative<over>(phase_) ? "the session is over"
                                              : fmt::format("waits for command {}, {}", count_, where);
}

void session_machine::answer_with(answer what) {
  actions_.emplace_back(action::show{count_, prompt(), std::move(what)});
}

void session_machine::answer_or_fail(const result<>& outcome, answer what) {
  if (!outcome) return failed(outcome.error());
  succeeded(std::move(what));
}

} // namespace swarm::swci
