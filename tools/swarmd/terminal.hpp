#pragma once

#include "actors/swci/console.hpp"

#include <filesystem>
#include <memory>

namespace swarm {

/// SWCI's console on standard input and output. On a terminal a line can be edited, completed and called
/// back, and what was entered is kept for the next session; from a pipe, lines are read as they come and
/// shown behind their prompts.
class terminal final : public swci::console {
public:
  /// `folder`: where the history is kept.
  explicit terminal(const std::filesystem::path& folder);
  ~terminal() override;

  void start(std::function<void(swci::any_input)> tell) override;
  void ask_line(const std::string& prompt) override;
  void show(const std::string& text) override;
  void show_answer(const std::string& text, bool is_error) override;
  void show_anew(const std::string& text) override;
  bool completes_with(const names_function& names) override;
  void mark() override;
  void finish() override;

  /// Somebody sits at it, so nothing but the session may write there.
  bool is_interactive() const;
  /// Ctrl-C: clears the line at the prompt, or ends the wait of a command. False: the process is meant.
  bool interrupt();
  /// Ends a line that is being read, too, and leaves the terminal as it was found.
  void close();

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace swarm
