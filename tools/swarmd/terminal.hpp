#pragma once

#include "actors/swci/console.hpp"

#include <filesystem>
#include <memory>

namespace swarm {

/// SWCI's console on standard input and output. On a terminal a line can be edited, completed and called back
/// (libedit), and what was entered is kept for the next session; from a pipe, lines are read as they come.
class terminal final : public swci::console {
public:
  /// `folder`: where the history is kept.
  explicit terminal(const std::filesystem::path& folder);
  ~terminal() override;

  void start(std::function<void(swci::any_input)> tell) override;
  void ask_line(const std::string& prompt) override;
  void show(const std::string& text) override;
  void show_answer(const std::string& text, bool is_error) override;
  void mark() override;
  void finish() override;

  /// Ctrl-C: ends the wait of a command. False: the session is over, and the process is meant.
  bool interrupt();

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace swarm
