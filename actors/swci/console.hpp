#pragma once

#include "actors/swci/language/holes.hpp"

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace swarm::swci {

namespace input {
struct line {
  std::string text;
};
struct end {};
struct interrupt {};
} // namespace input
using any_input = std::variant<input::line, input::end, input::interrupt>;

/// Where a session's lines come from and where its words go: a terminal, a script's output, a connection of
/// the web mode. The calls come from one thread at a time and do not block; what comes in is handed to
/// `tell`, from any thread.
class console {
public:
  virtual ~console() = default;
  /// True: programs read it, and it outlives sessions: when one is over, the next begins.
  virtual bool is_service() const { return false; }
  virtual void start(std::function<void(any_input)> tell) = 0;
  /// Whether whoever gave the present line may see what programs of this node's organisation wrote.
  virtual bool may_see_lines() { return true; }
  /// The session's folder, a path inside the user folder, before a line is asked for.
  virtual void works_in(const std::string& /*inside*/) {}
  /// One line is wanted now; without a prompt, programs read what is shown, and the line is not.
  virtual void ask_line(const std::string& prompt) = 0;
  /// Text that is complete, with the ends of its lines.
  virtual void show(const std::string& text) = 0;
  /// The same for a command's answer; `is_error`: it failed.
  virtual void show_answer(const std::string& text, bool is_error) = 0;
  /// An answer in the place of the last one, if that was shown so too and nothing stands below it; a console
  /// that cannot do that shows one below the other.
  virtual void show_anew(const std::string& text) { show_answer(text, false); }
  /// The names that may be meant in a place of this kind where `prefix` stands already; from any thread,
  /// without blocking.
  using names_function = std::function<std::vector<std::string>(hole_kind, const std::string& prefix)>;
  /// True: somebody completes words, with these names.
  virtual bool completes_with(const names_function& /*names*/) { return false; }
  /// A sign that a wait goes on.
  virtual void mark() = 0;
  /// The session is over: nothing more is asked or shown, unless it is a service.
  virtual void finish() = 0;
};

} // namespace swarm::swci
