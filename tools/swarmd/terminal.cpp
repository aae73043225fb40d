#include "tools/swarmd/terminal.hpp"

#include "tools/swarmd/line_editor.hpp"
#include "tools/swarmd/wakeable_input.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace swarm {

namespace {

/// An output that takes nothing (Ctrl-S) must not keep the process.
constexpr auto close_max = std::chrono::seconds(2);

winsize screen_size() {
  winsize out{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &out) != 0 || out.ws_col == 0) return {.ws_row = 24, .ws_col = 80};
  return out;
}

/// How many rows of a screen the lines take, each character one column.
std::size_t rows_of(std::string_view text, std::size_t columns) {
  std::size_t out = 0, width = 0;
  for (const char c : text) {
    if (c != '\n') {
      width += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
      continue;
    }
    out += std::max<std::size_t>((width + columns - 1) / columns, 1);
    width = 0;
  }
  return out;
}

} // namespace

struct terminal::state {
  explicit state(const std::filesystem::path& folder) {
    if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1)
      editor.emplace(folder / "history", input);
  }

  void read_lines();
  std::optional<std::string> read_line(const std::string& prompt);
  void write(const std::string& text);
  void finish();

  wakeable_input input{STDIN_FILENO};
  std::optional<line_editor> editor; ///< only on a terminal
  std::function<void(swci::any_input)> tell;

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> wanted; ///< the prompt of the line that is asked for
  bool reading = false;              ///< the operator is at the prompt
  bool over = false;
  bool has_thread = false;
  bool marks = false; ///< the last thing on the screen was a mark, whose line goes on
  std::string anew;   ///< the last thing on the screen, if it is to be replaced
};

void terminal::state::write(const std::string& text) {
  if (std::exchange(marks, false)) std::fputs("\n", stdout);
  anew.clear();
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

std::optional<std::string> terminal::state::read_line(const std::string& prompt) {
  if (editor) return editor->read(prompt);
  std::fputs(prompt.c_str(), stdout);
  std::fflush(stdout);
  auto line = input.next_line();
  if (line && !prompt.empty()) std::fputs((*line + "\n").c_str(), stdout);
  std::fflush(stdout);
  return line;
}

void terminal::state::read_lines() {
  while (true) {
    std::string prompt;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return wanted || over; });
      if (over) break;
      prompt = *std::exchange(wanted, std::nullopt);
      reading = true;
    }
    auto line = read_line(prompt);
    const std::lock_guard lock(mutex);
    reading = false;
    if (over) break;
    if (line)
      tell(swci::input::line{std::move(*line)});
    else
      tell(swci::input::end{});
  }
  const std::lock_guard lock(mutex);
  has_thread = false;
  changed.notify_all();
}

void terminal::state::finish() {
  const std::lock_guard lock(mutex);
  if (std::exchange(marks, false)) std::fputs("\n", stdout);
  std::fflush(stdout);
  over = true;
  changed.notify_all();
  if (editor)
    editor->give_up();
  else
    input.wake();
}

terminal::terminal(const std::filesystem::path& folder) : state_(std::make_shared<state>(folder)) {}

terminal::~terminal() {
  close();
}

void terminal::start(std::function<void(swci::any_input)> tell) {
  const std::lock_guard lock(state_->mutex);
  const bool started = static_cast<bool>(state_->tell);
  state_->tell = std::move(tell);
  if (started) return;
  state_->has_thread = true;
  std::thread([state = state_] { state->read_lines(); }).detach();
}

/// A session that goes on after a restart of its actor asks again while the operator is typing.
void terminal::ask_line(const std::string& prompt) {
  const std::lock_guard lock(state_->mutex);
  if (state_->reading) return;
  state_->wanted = prompt;
  state_->changed.notify_all();
}

void terminal::show(const std::string& text) {
  const std::lock_guard lock(state_->mutex);
  state_->write(text);
}

void terminal::show_answer(const std::string& text, bool) {
  show(text);
}

/// What is higher than the screen has left it in part, and stays; the next one goes below it.
void terminal::show_anew(const std::string& text) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->editor) return state_->write(text);
  const auto screen = screen_size();
  const auto rows = state_->marks ? 0 : rows_of(state_->anew, screen.ws_col);
  const bool fits = rows > 0 && rows < screen.ws_row;
  state_->write((fits ? fmt::format("\x1b[{}A\r\x1b[J", rows) : std::string{}) + text);
  state_->anew = text;
}

bool terminal::completes_with(const names_function& names) {
  if (!state_->editor) return false;
  state_->editor->complete_with(names);
  return true;
}

void terminal::mark() {
  const std::lock_guard lock(state_->mutex);
  state_->marks = true;
  state_->anew.clear();
  std::fputs("#", stdout);
  std::fflush(stdout);
}

void terminal::finish() {
  state_->finish();
}

bool terminal::is_interactive() const {
  return state_->editor.has_value();
}

bool terminal::interrupt() {
  const std::lock_guard lock(state_->mutex);
  if (state_->over || !state_->tell) return false;
  if (!state_->reading) {
    state_->marks = is_interactive(); // it shows "^C"
    state_->anew.clear();
    state_->tell(swci::input::interrupt{});
    return true;
  }
  if (!state_->editor) return false;
  state_->editor->clear_line();
  return true;
}

void terminal::close() {
  state_->finish();
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_for(lock, close_max, [this] { return !state_->has_thread; });
}

} // namespace swarm
