// Every way to write every command of the table, in good form and with each word missing, wrong or too much. A new command
// is tested here without a line of its own; a new kind of hole needs samples.
#include "actors/swci/language/parser.hpp"
#include "actors/swci/language/session/session_machine.hpp"
#include "actors/swci/language/table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace grammar_test {

using namespace swarm;
using namespace swarm::swci;

namespace {

struct samples {
  std::string good, wrong;
};

/// Whatever may be any word is "x1", so that a line which reads as another command is known for one.
samples samples_of(hole_kind kind) {
  switch (kind) {
  case hole_kind::context:
  case hole_kind::contract:
  case hole_kind::task:
  case hole_kind::taskrunner:
  case hole_kind::node:
  case hole_kind::file:
  case hole_kind::folder:
  case hole_kind::organisation:
    return {"x1", "''"};
  case hole_kind::variable:
    return {"x1", "1x"};
  case hole_kind::value:
  case hole_kind::text:
    return {"x1", std::string(2000, 'x')};
  case hole_kind::ip:
    return {"x1", "x/1"};
  case hole_kind::service:
    return {"x1", ":1"};
  case hole_kind::peer:
    return {"1", "1024"};
  case hole_kind::port:
    return {"1", "65536"};
  case hole_kind::retries:
  case hole_kind::count:
  case hole_kind::line_num:
  case hole_kind::round:
    return {"1", "0"};
  case hole_kind::seat:
    return {"SL", "GPU"};
  case hole_kind::limit:
    return {"0", "100001"};
  case hole_kind::seconds:
    return {"1", "-1"};
  case hole_kind::task_type:
    return {"RUN_SWARM", "RUN"};
  case hole_kind::on_off:
    return {"ON", "MAYBE"};
  case hole_kind::files:
    return {"x1", "-z"};
  case hole_kind::line:
    return {"x1", std::string(80, 'x')};
  case hole_kind::topic:
    return {"EXIT", "nonsense"};
  }
  return {};
}

using words = std::vector<std::string>;

std::string text_of(const words& from) {
  std::string out;
  for (const auto& each : from)
    out += (out.empty() ? "" : " ") + each;
  return out;
}

/// A way to write a command with good words.
words written(const sequence& way) {
  words out;
  for (const auto& each : way) {
    const auto* word = std::get_if<keyword>(&each);
    out.push_back(word != nullptr ? word->text : samples_of(std::get<hole>(each).kind).good);
  }
  return out;
}

void for_each_way(const auto& what) {
  for (const auto* spec : all_commands())
    for (const auto& way : spec->how.sequences)
      what(*spec, way, written(way));
}

std::set<std::string> good_lines() {
  std::set<std::string> out;
  for_each_way([&](const auto&, const auto&, const words& line) { out.insert(text_of(line)); });
  return out;
}

/// It is an error, nothing is carried out, and a session that ends on failure ends.
void check_refused(const std::string& line) {
  CAPTURE(line);
  const auto read = parse(line);
  REQUIRE(!read);
  CHECK(!read.error().message.empty());
  session_machine session(user_folder("/srv/swci"));
  session.step(event::script_read{"script", {{1, "EXIT ON FAILURE"}, {2, line}, {3, "PWD"}}}, {});
  std::optional<int> code;
  for (const auto& each : session.take_actions()) {
    CHECK(!std::holds_alternative<action::run>(each));
    CHECK(!std::holds_alternative<action::ask_line>(each));
    if (const auto* exit = std::get_if<action::exit>(&each)) code = exit->code;
  }
  CHECK(code == exit_code_failure);
  CHECK(session.contexts().all().empty());
}

} // namespace

TEST_CASE("every way to write every command is understood, in any case of its keywords") {
  for_each_way([](const auto& spec, const auto& way, const words& line) {
    CAPTURE(text_of(line));
    const auto read = parse(text_of(line));
    REQUIRE_MESSAGE(read, read.error().message);
    CHECK(read->index() == spec.makes);
    auto small = line;
    for (std::size_t i = 0; i < way.size(); ++i)
      if (std::holds_alternative<keyword>(way[i]))
        std::ranges::transform(small[i], small[i].begin(),
                               [](char c) { return static_cast<char>(std::tolower(c)); });
    const auto again = parse(text_of(small));
    REQUIRE(again);
    CHECK(*again == *read);
  });
}

TEST_CASE("a command with words missing is refused") {
  const auto good = good_lines();
  for_each_way([&](const auto&, const auto&, words line) {
    for (line.pop_back(); !line.empty(); line.pop_back())
      if (!good.contains(text_of(line))) check_refused(text_of(line));
  });
}

TEST_CASE("a command with any one word missing is refused") {
  const auto good = good_lines();
  for_each_way([&](const auto&, const auto& way, const words& line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto* place = std::get_if<hole>(&way[i]);
      // The number behind it may be the name of a host.
      if (place != nullptr && (place->kind == hole_kind::ip || place->kind == hole_kind::service)) continue;
      // And a keyword behind it may be the name of a contract.
      auto with_this_one = line;
      if (place != nullptr && i + 1 < line.size())
        with_this_one.erase(with_this_one.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      if (with_this_one != line && good.contains(text_of(with_this_one))) continue;
      auto shorter = line;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      if (!shorter.empty() && !good.contains(text_of(shorter))) check_refused(text_of(shorter));
    }
  });
}

TEST_CASE("a command with a word too much is refused") {
  const auto good = good_lines();
  for_each_way([&](const auto& spec, const auto&, const words& line) {
    const auto takes_more = [](const hole& each) {
      return each.kind == hole_kind::files || each.kind == hole_kind::line;
    };
    if (std::ranges::any_of(spec.how.holes, takes_more)) return;
    const auto longer = text_of(line) + " x1";
    if (!good.contains(longer)) check_refused(longer);
  });
}

TEST_CASE("a command with a word that does not fit its place is refused") {
  for_each_way([](const auto&, const auto& way, const words& line) {
    for (std::size_t i = 0; i < way.size(); ++i) {
      const auto* place = std::get_if<hole>(&way[i]);
      if (place == nullptr) continue;
      auto wrong = line;
      wrong[i] = samples_of(place->kind).wrong;
      check_refused(text_of(wrong));
    }
  });
}

} // namespace grammar_test
