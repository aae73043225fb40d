#include "tools/swarmd/line_editor.hpp"

#include "actors/swci/language/completion.hpp"

#include <histedit.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <mutex>

namespace swarm {

namespace fs = std::filesystem;

namespace {

constexpr int history_lines_max = 1000;
constexpr std::size_t choices_max = 200;
constexpr wchar_t ctrl_c = 3;

/// What signal handlers can reach.
std::atomic<const wakeable_input*> woken_by_signals = nullptr;
std::atomic<bool> was_resized = false;
std::atomic<bool> was_stopped = false; ///< by Ctrl-Z, and goes on

void on_signal(int number) {
  (number == SIGWINCH ? was_resized : was_stopped) = true;
  if (const auto* input = woken_by_signals.load()) input->wake();
}

void obey(int number, void (*handler)(int)) {
  struct sigaction how = {};
  how.sa_handler = handler;
  ::sigemptyset(&how.sa_mask);
  how.sa_flags = SA_RESTART;
  ::sigaction(number, &how, nullptr);
}

std::size_t width_of_terminal() {
  winsize size = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

int characters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void show_choices(std::vector<std::string> choices) {
  const auto more = choices.size() - std::min(choices.size(), choices_max);
  choices.resize(choices.size() - more);
  std::fputs("\n", stdout);
  for (const auto& row : swci::in_columns(choices, width_of_terminal() - 1))
    std::fprintf(stdout, "%s\n", row.c_str());
  if (more > 0) std::fprintf(stdout, "... and %zu more\n", more);
  std::fflush(stdout);
}

} // namespace

struct line_editor::state {
  state(fs::path file, wakeable_input& from) : history_file(std::move(file)), input(from) {}

  int next_char(wchar_t& out);
  void load_history();
  void save_history();
  unsigned char complete();
  unsigned char clear();

  const fs::path history_file;
  wakeable_input& input;
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent news = {};
  std::string prompt;
  std::mbstate_t decoding = {};
  std::atomic<bool> clears = false;
  std::atomic<bool> gives_up = false;
  std::mutex mutex;
  swci::console::names_function names;
};

namespace {

template <class State>
State& state_of(EditLine* editor) {
  void* out = nullptr;
  el_get(editor, EL_CLIENTDATA, &out);
  return *static_cast<State*>(out);
}

} // namespace

/// As libedit wants it: 1 with a character, 0 at the end, -1 for an error.
int line_editor::state::next_char(wchar_t& out) {
  while (true) {
    if (gives_up) return 0;
    if (clears.exchange(false)) {
      out = ctrl_c;
      return 1;
    }
    if (was_stopped.exchange(false)) {
      el_set(editor, EL_PREP_TERM, 0);
      el_set(editor, EL_PREP_TERM, 1);
      el_set(editor, EL_REFRESH);
    }
    if (was_resized.exchange(false)) el_resize(editor);
    if (!input.wait()) continue;
    char byte = 0;
    const auto got = input.read(&byte, 1);
    if (got <= 0) return static_cast<int>(got);
    const auto used = std::mbrtowc(&out, &byte, 1, &decoding);
    if (used <= 1) return 1;
    if (used == static_cast<std::size_t>(-1)) decoding = {};
  }
}

/// One that cannot be read is as good as none.
void line_editor::state::load_history() {
  ::history(history, &news, H_SETSIZE, history_lines_max);
  ::history(history, &news, H_SETUNIQUE, 1);
  ::history(history, &news, H_LOAD, history_file.c_str());
}

/// libedit gives the file the rights 0600. A crash leaves the old file or the new one.
void line_editor::state::save_history() {
  const auto made = history_file.native() + ".new";
  std::error_code ignored;
  if (::history(history, &news, H_SAVE, made.c_str()) >= 0) fs::rename(made, history_file, ignored);
}

unsigned char line_editor::state::complete() {
  const auto* line = el_line(editor);
  const std::string text(line->buffer, line->cursor);
  const auto at = swci::complete(text, text.size());
  swci::console::names_function names_of;
  {
    const std::lock_guard lock(mutex);
    names_of = names;
  }
  auto done = swci::tab(at, swci::candidates_of(at, [&](swci::hole_kind kind) {
                          return names_of ? names_of(kind, at.prefix) : std::vector<std::string>();
                        }));
  if (!done.choices.empty()) {
    show_choices(std::move(done.choices));
    return CC_REDISPLAY;
  }
  if (done.text.empty()) return CC_NORM;
  el_deletestr(editor, characters(text.substr(at.begin, at.end - at.begin)));
  el_insertstr(editor, done.text.c_str());
  return CC_REFRESH;
}

unsigned char line_editor::state::clear() {
  const auto* line = el_line(editor);
  el_cursor(editor, characters({line->cursor, line->lastchar}));
  el_deletestr(editor, characters({line->buffer, line->lastchar}));
  return CC_REDISPLAY; // CC_REFRESH leaves what was left of a line in several rows
}

line_editor::line_editor(fs::path history_file, wakeable_input& input)
    : state_(std::make_unique<state>(std::move(history_file), input)) {
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  auto& s = *state_;
  s.history = history_init();
  s.load_history();
  s.editor = el_init("swci", stdin, stdout, stderr);
  el_set(s.editor, EL_CLIENTDATA, &s);
  el_set(s.editor, EL_EDITOR, "emacs");
  el_set(s.editor, EL_HIST, ::history, s.history);
  char* (*prompt)(EditLine*) = [](EditLine* editor) { return state_of<state>(editor).prompt.data(); };
  el_set(s.editor, EL_PROMPT, prompt);
  int (*next)(EditLine*, wchar_t*) = [](EditLine* editor, wchar_t* out) {
    return state_of<state>(editor).next_char(*out);
  };
  el_set(s.editor, EL_GETCFN, next);
  unsigned char (*complete)(EditLine*, int) = [](EditLine* editor, int) {
    return state_of<state>(editor).complete();
  };
  el_set(s.editor, EL_ADDFN, "swci-complete", "Completes the word at the cursor", complete);
  el_set(s.editor, EL_BIND, "^I", "swci-complete", nullptr);
  unsigned char (*clear)(EditLine*, int) = [](EditLine* editor, int) {
    return state_of<state>(editor).clear();
  };
  el_set(s.editor, EL_ADDFN, "swci-clear", "Forgets the line", clear);
  el_set(s.editor, EL_BIND, "^C", "swci-clear", nullptr);
  woken_by_signals = &input;
  obey(SIGWINCH, on_signal);
  obey(SIGCONT, on_signal);
}

line_editor::~line_editor() {
  obey(SIGWINCH, SIG_DFL);
  obey(SIGCONT, SIG_DFL);
  woken_by_signals = nullptr;
  el_end(state_->editor);
  history_end(state_->history);
}

void line_editor::complete_with(swci::console::names_function names) {
  const std::lock_guard lock(state_->mutex);
  state_->names = std::move(names);
}

std::optional<std::string> line_editor::read(const std::string& prompt) {
  auto& s = *state_;
  s.prompt = prompt;
  s.clears = false;
  int count = 0;
  const auto* got = el_gets(s.editor, &count);
  if (got == nullptr || count <= 0) {
    std::fputs("\n", stdout);
    std::fflush(stdout);
    return std::nullopt;
  }
  std::string line(got, static_cast<std::size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r'))
    line.pop_back();
  if (line.find_first_not_of(' ') != std::string::npos) {
    ::history(s.history, &s.news, H_ENTER, line.c_str());
    s.save_history();
  }
  return line;
}

void line_editor::clear_line() {
  state_->clears = true;
  state_->input.wake();
}

void line_editor::give_up() {
  state_->gives_up = true;
  state_->input.wake();
}

} // namespace swarm
