#include "tools/swarmd/terminal.hpp"

#include "actors/swci/language/completion.hpp"

#include <editline/readline.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace swarm {

namespace {

constexpr int history_lines_max = 1000;

/// What libedit's completion asks for one after the other; it has no place for more than globals.
std::vector<std::string> candidates;
std::size_t next_candidate = 0;

char* give_candidate(const char*, int state) {
  if (state == 0) next_candidate = 0;
  if (next_candidate >= candidates.size()) return nullptr;
  return ::strdup(candidates[next_candidate++].c_str());
}

char** complete_word(const char*, int, int end) {
  const std::string line = rl_line_buffer;
  const auto at = swci::complete(line, static_cast<std::size_t>(end));
  candidates = swci::candidates_of(at, [](swci::hole_kind) { return std::vector<std::string>(); });
  rl_attempted_completion_over = 1;
  const auto part = line.substr(at.begin, at.end - at.begin);
  return candidates.empty() ? nullptr : rl_completion_matches(part.c_str(), give_candidate);
}

} // namespace

struct terminal::state {
  explicit state(std::filesystem::path file) : history_file(std::move(file)) {}

  void read_lines();
  std::optional<std::string> read_line(const std::string& prompt) const;

  const std::filesystem::path history_file;
  const bool is_terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  std::function<void(swci::any_input)> tell;

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> wanted; ///< the prompt of the line that is asked for
  bool reading = false;              ///< the operator is at the prompt
  bool over = false;
  bool marks = false; ///< the last thing shown was a mark
};

std::optional<std::string> terminal::state::read_line(const std::string& prompt) const {
  if (!is_terminal) {
    std::fputs(prompt.c_str(), stdout);
    std::fflush(stdout);
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    if (!prompt.empty()) std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
    return line;
  }
  char* read = ::readline(prompt.c_str());
  if (read == nullptr) return std::nullopt;
  std::string line = read;
  std::free(read);
  if (!line.empty()) {
    ::add_history(line.c_str());
    ::write_history(history_file.c_str());
    ::history_truncate_file(history_file.c_str(), history_lines_max);
  }
  return line;
}

void terminal::state::read_lines() {
  if (is_terminal) {
    ::using_history();
    ::stifle_history(history_lines_max);
    ::read_history(history_file.c_str());
    rl_attempted_completion_function = complete_word;
  }
  while (true) {
    std::string prompt;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return wanted || over; });
      if (over) return;
      prompt = *std::exchange(wanted, std::nullopt);
      reading = true;
    }
    auto line = read_line(prompt);
    {
      const std::lock_guard lock(mutex);
      reading = false;
      if (over) return;
    }
    if (line)
      tell(swci::input::line{std::move(*line)});
    else
      tell(swci::input::end{});
  }
}

terminal::terminal(const std::filesystem::path& folder)
    : state_(std::make_shared<state>(folder / "history")) {}

terminal::~terminal() {
  finish();
}

/// The thread may be at the prompt when the process ends, so nobody waits for it.
void terminal::start(std::function<void(swci::any_input)> tell) {
  const std::lock_guard lock(state_->mutex);
  const bool started = static_cast<bool>(state_->tell);
  state_->tell = std::move(tell);
  if (!started) std::thread([state = state_] { state->read_lines(); }).detach();
}

void terminal::ask_line(const std::string& prompt) {
  const std::lock_guard lock(state_->mutex);
  state_->wanted = prompt;
  state_->changed.notify_all();
}

void terminal::show(const std::string& text) {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->marks, false)) std::fputs("\n", stdout);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void terminal::show_answer(const std::string& text, bool) {
  show(text);
}

void terminal::mark() {
  const std::lock_guard lock(state_->mutex);
  state_->marks = true;
  std::fputs("#", stdout);
  std::fflush(stdout);
}

void terminal::finish() {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->marks, false)) std::fputs("\n", stdout);
  state_->over = true;
  state_->changed.notify_all();
}

bool terminal::interrupt() {
  const std::lock_guard lock(state_->mutex);
  if (state_->over || !state_->tell) return false;
  if (!state_->reading) state_->tell(swci::input::interrupt{});
  return true;
}

} // namespace swarm
