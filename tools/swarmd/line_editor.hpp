#pragma once

#include "actors/swci/console.hpp"
#include "tools/swarmd/wakeable_input.hpp"

#include <atomic>
#include <filesystem>
#include <memory>

namespace swarm {

/// Reads lines from a terminal, where they can be edited, completed with Tab and called back with the arrows
/// (libedit). While no line is read the terminal is as it was found. There is one in a process at a time,
/// used by one thread.
class line_editor {
public:
  /// `history_file`: the lines of earlier sessions, which only its owner may read. `input` outlives the
  /// editor.
  line_editor(std::filesystem::path history_file, wakeable_input& input);
  ~line_editor();
  line_editor(const line_editor&) = delete;
  line_editor& operator=(const line_editor&) = delete;

  void complete_with(swci::console::names_function names);
  /// None: Ctrl-D on an empty line, the terminal is gone, or `give_up` was called.
  std::optional<std::string> read(const std::string& prompt);

  // From any thread
  /// Ctrl-C: forgets what was typed.
  void clear_line();
  void give_up();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace swarm
