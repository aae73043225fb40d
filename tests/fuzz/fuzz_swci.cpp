// Init scripts and lines of operators: any bytes are refused as a script, or run to an end as a session in which every
// command gets one answer or error; each line is completed too.
#include "actors/swci/language/completion.hpp"
#include "actors/swci/language/parser.hpp"
#include "actors/swci/language/render/render.hpp"
#include "actors/swci/language/session/session_machine.hpp"
#include "actors/swci/language/words.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"

#include <algorithm>

using namespace swarm;
using namespace swarm::swci;

namespace {

void check_text(std::string_view text) {
  SWARM_ASSERT(is_utf8(text));
  SWARM_ASSERT(std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  }));
}

/// A shell whose commands fail, end, or are interrupted in turn.
class session_run {
public:
  void play(std::vector<script_line> lines) {
    machine_.step(event::script_read{"script", std::move(lines)}, {});
    while (take()) {
    }
    SWARM_ASSERT(exited_ || asked_);
  }

private:
  bool take() {
    auto actions = machine_.take_actions();
    for (auto& each : actions)
      std::visit([&](auto& what) { act(what); }, each);
    return !actions.empty();
  }
  void act(const action::ask_line&) { asked_ = true; }
  void act(const action::echo& what) { check_text(what.line); }
  void act(const action::show& what) {
    check_text(json_of(what.what));
    for (const auto& line : text_of(what.what))
      check_text(line);
  }
  void act(const action::show_error& what) { check_text(what.text); }
  void act(const action::note& what) { check_text(what.text); }
  void act(const action::mark&) {}
  void act(const action::cancel& what) {
    machine_.step(event::command_failed{what.id, make_error(errc::cancelled, "stopped")}, {});
  }
  void act(const action::exit&) {
    SWARM_ASSERT(!exited_);
    exited_ = true;
  }
  void act(const action::run& what) {
    SWARM_ASSERT(!exited_);
    ++run_;
    if (run_ % 7 == 6)
      machine_.step(event::interrupted{}, {});
    else if (run_ % 5 == 4)
      machine_.step(event::command_failed{what.id, make_error(errc::io, "failed")}, {});
    else
      machine_.step(event::command_done{what.id, std::nullopt}, {});
  }

  session_machine machine_{user_folder("/srv/swci")};
  std::size_t run_ = 0;
  bool asked_ = false;
  bool exited_ = false;
};

void check_line_by_line(const script_line& line) {
  const auto what = parse(line.text);
  if (!what) check_text(what.error().message);
  const auto names = [](hole_kind) { return std::vector<std::string>{"a name", "defaultbb"}; };
  for (std::size_t cursor = 0; cursor <= std::min<std::size_t>(line.text.size(), 40); ++cursor) {
    const auto at = complete(line.text, cursor);
    SWARM_ASSERT(at.begin <= at.end && at.end == cursor);
    candidates_of(at, names);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lines = split_script(as_text({data, size}));
  if (!lines) {
    check_text(lines.error().message);
    return 0;
  }
  for (const auto& each : *lines)
    check_line_by_line(each);
  session_run().play(*lines);
  return 0;
}
