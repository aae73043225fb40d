#include "actors/ui/feed/answer_book.hpp"
#include "actors/ui/feed/feed_hub.hpp"
#include "actors/ui/feed/merge_patch.hpp"
#include "base/random.hpp"

#include <doctest/doctest.h>

namespace ui_feed_test {

using namespace swarm;
using namespace swarm::ui;
namespace json = boost::json;

json::value parsed(std::string_view text) {
  return json::parse({text.data(), text.size()});
}

TEST_CASE("a patch says what changed, and nothing else") {
  struct row {
    std::string_view from, to, patch;
  };
  for (const auto& [from, to, patch] :
       {row{R"({"a":1})", R"({"a":2})", R"({"a":2})"}, row{R"({"a":1,"b":2})", R"({"b":2})", R"({"a":null})"},
        row{R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":3}})", R"({"a":{"c":3}})"},
        row{R"({"a":[1,2]})", R"({"a":[1]})", R"({"a":[1]})"},
        row{R"({"a":{"b":1}})", R"({"a":7})", R"({"a":7})"},
        row{R"({"a":7})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"}}) {
    CAPTURE(patch);
    const auto made = merge_patch(parsed(from), parsed(to));
    REQUIRE(made);
    CHECK(*made == parsed(patch));
  }
  CHECK_FALSE(merge_patch(parsed(R"({"a":{"b":[1,{}]}})"), parsed(R"({"a":{"b":[1,{}]}})")));
}

json::value random_state(seeded_random& random, int depth) {
  if (depth == 0 || random.below(3) == 0) {
    if (random.below(4) == 0) return json::array{random.below(3), "x"};
    return random.below(4);
  }
  json::object out;
  for (auto i = random.below(5); i > 0; --i)
    out[fmt::format("k{}", random.below(6))] = random_state(random, depth - 1);
  return out;
}

TEST_CASE("patches make the one state of the other, whatever they are") {
  seeded_random random(14);
  for (int i = 0; i < 2000; ++i) {
    CAPTURE(i);
    auto before = random_state(random, 4);
    const auto after = random_state(random, 4);
    const auto patch = merge_patch(before, after);
    CHECK(patch.has_value() == (before != after));
    if (patch) apply_patch(before, *patch);
    CHECK(before == after);
  }
}

std::string wrong_in(std::string_view text) {
  const auto message = read_message(text);
  if (!message) return "closed: " + message.error().message;
  if (const auto* bad = std::get_if<said::nonsense>(&*message)) return bad->why;
  return {};
}

TEST_CASE("messages have their fields and no other") {
  CHECK(wrong_in(R"({"type":"watch","topic":"network"})").empty());
  CHECK(wrong_in(R"({"type":"watch","topic":"training/<b>x"})").empty());
  CHECK(wrong_in(R"({"type":"ask","id":7,"what":"rounds","contract":"c","before":9,"count":200})").empty());
  CHECK(wrong_in(R"({"type":"ask","id":0,"what":"runs"})").empty());
  CHECK(wrong_in(R"({"type":"ask","id":1,"what":"proof","contract":"c","round":3})").empty());
  CHECK(wrong_in(R"({"type":"ask","id":1,"what":"model","contract":"c"})").empty());
  CHECK(wrong_in(R"({"type":"ask","id":1,"what":"anchors"})").empty());
  CHECK(wrong_in(R"({"type":"ask","id":1,"what":"host","swop":"0x1"})").empty());
  for (const auto* when : {"before", "behind", "off"})
    CHECK(wrong_in(fmt::format(R"({{"type":"act","id":1,"what":"verify_merges","contract":"c","when":"{}"}})",
                               when))
              .empty());
  CHECK(wrong_in(
            fmt::format(R"({{"type":"act","id":1,"what":"vote_for","motion":"0x{}"}})", std::string(64, 'a')))
            .empty());
  CHECK(wrong_in(R"({"type":"act","id":1,"what":"assign_task","task":"t","taskrunner":"r","peers":2})")
            .empty());
  for (const auto* bad :
       {"", "null", "[]", "{}", "{", R"("watch")", R"({"type":"watch"})",
        R"({"type":"watch","topic":"secrets"})", R"({"type":"watch","topic":"training/"})",
        R"({"type":"watch","topic":7})", R"({"type":"watch","topic":"network","rights":"operator"})",
        R"({"type":"login"})", R"({"type":["watch"]})"})
    CHECK_MESSAGE(wrong_in(bad).starts_with("closed"), bad);
  for (
      const auto* bad :
      {R"({"type":"ask","id":1})",
       R"({"type":"ask","id":1,"what":"password"})",
       R"({"type":"ask","what":"runs"})",
       R"({"type":"ask","id":-1,"what":"runs"})",
       R"({"type":"ask","id":1.5,"what":"runs"})",
       R"({"type":"ask","id":1e99,"what":"runs"})",
       R"({"type":"ask","id":1,"what":"rounds"})",
       R"({"type":"ask","id":1,"what":"rounds","contract":"c","count":201})",
       R"({"type":"ask","id":1,"what":"runs","contract":"c"})",
       R"({"type":"act","id":1,"what":"create_contract","contract":"c","rights":"operator"})",
       R"({"type":"act","id":1,"what":"create_contract","contract":"c","from":"0x0"})",
       R"({"type":"act","id":1,"what":"create_contract","contract":{}})",
       R"({"type":"act","id":1,"what":"verify_merges","contract":"c","on":true})",
       R"({"type":"act","id":1,"what":"verify_merges","contract":"c","when":"never"})",
       R"({"type":"act","id":1,"what":"vote_for","motion":"0x12"})",
       R"({"type":"ask","id":1,"what":"proof","contract":"c"})",
       R"({"type":"ask","id":1,"what":"model","contract":"c","round":0})",
       R"({"type":"ask","id":1,"what":"model","contract":"c","file":"/etc/passwd"})",
       R"({"type":"ask","id":1,"what":"anchors","of":"sn-1"})",
       R"({"type":"ask","id":1,"what":"log","after":-1})",
       R"({"type":"ask","id":1,"what":"host","address":"10.0.0.1:80"})",
       R"({"type":"act","id":1,"what":"assign_task","task":"t","taskrunner":"r"})",
       R"({"type":"act","id":1,"what":"assign_task","task":"t","taskrunner":"r","peers":1,"all_peers":true})",
       R"({"type":"act","id":1,"what":"rounds","contract":"c"})"})
    CHECK_MESSAGE(!wrong_in(bad).empty(), bad);
  const auto long_name = std::string(name_bytes_max + 1, 'x');
  CHECK(
      !wrong_in(fmt::format(R"({{"type":"act","id":1,"what":"create_contract","contract":"{}"}})", long_name))
           .empty());
  CHECK(wrong_in(std::string(message_bytes_max + 1, ' ')).starts_with("closed"));
  CHECK(wrong_in(std::string(1000, '[')).starts_with("closed"));
}

/// Takes what browsers are told, and keeps their copies of the states.
struct stage {
  feed_hub hub{{"ui-1", "1.0", "0x01"}};
  std::map<browser_id, std::vector<json::object>> told;
  std::map<browser_id, std::map<std::string, json::value>> copies;
  std::map<browser_id, std::uint16_t> closed;
  std::vector<action::ask> asked;
  std::vector<action::act> acted;
  int looks = 0;
  int many = 0; ///< messages of several
  std::uint64_t now = 1000;

  void join(browser_id who, rights may = rights::acts, std::uint64_t life = 1'000'000'000) {
    hub.join(who, {"somebody", may, now + life}, now);
    carry_out();
  }
  void say(browser_id who, std::string_view text) {
    hub.hear(who, text, now);
    carry_out();
  }
  void show(const std::string& topic, std::string_view data) {
    hub.show(topic, parsed(data).as_object(), now);
    carry_out();
  }
  void carry_out() {
    for (auto& each : hub.take_actions())
      std::visit([this](auto& what) { take(what); }, each);
  }
  void take(const action::send& what) {
    CHECK_FALSE(closed.contains(what.to));
    auto message = parsed(*what.text).as_object();
    if (message.at("type") != "many") return hear(what.to, std::move(message));
    ++many;
    for (auto& each : message.at("messages").as_array())
      hear(what.to, std::move(each.as_object()));
  }
  void hear(browser_id who, json::object message) {
    CHECK(message.at("now_ms").to_number<std::uint64_t>() == now);
    auto& copy = copies[who];
    if (message.at("type") == "state")
      copy[std::string(message.at("topic").as_string())] = message.at("data");
    if (message.at("type") == "patch")
      apply_patch(copy[std::string(message.at("topic").as_string())], message.at("patch"));
    told[who].push_back(std::move(message));
  }
  void take(const action::close& what) { closed[what.which] = what.code; }
  void take(action::ask& what) { asked.push_back(std::move(what)); }
  void take(action::act& what) { acted.push_back(std::move(what)); }
  void take(const action::look&) { ++looks; }
  std::string last(browser_id who, const char* field) {
    return std::string(told[who].back().at(field).as_string());
  }
};

TEST_CASE("who watches has the state, and then what changes") {
  stage s;
  s.join(1);
  CHECK(s.last(1, "type") == "hello");
  CHECK(s.told[1].back().at("you").at("rights") == "operator");
  s.say(1, R"({"type":"watch","topic":"trainings"})");
  CHECK(s.looks == 1);
  CHECK(s.told[1].size() == 1); // nothing is known yet
  s.show("trainings", R"({"contracts":{"a":{"round_num":1}}})");
  CHECK(s.last(1, "type") == "state");
  s.join(2, rights::reads);
  s.say(2, R"({"type":"watch","topic":"trainings"})");
  CHECK(s.last(2, "type") == "state");
  s.show("trainings", R"({"contracts":{"a":{"round_num":2},"b":{}}})");
  CHECK(s.last(1, "type") == "patch");
  CHECK(s.told[1].back() == s.told[2].back());
  CHECK(s.copies[1]["trainings"] == parsed(R"({"contracts":{"a":{"round_num":2},"b":{}}})"));
  CHECK(s.copies[2] == s.copies[1]);
  const auto count = s.told[1].size();
  s.show("trainings", R"({"contracts":{"b":{},"a":{"round_num":2}}})");
  CHECK(s.told[1].size() == count); // the same
  s.say(1, R"({"type":"unwatch","topic":"trainings"})");
  s.show("trainings", R"({"contracts":{}})");
  CHECK(s.told[1].size() == count);
  CHECK(s.copies[2]["trainings"] == parsed(R"({"contracts":{}})"));
  s.hub.leave(2);
  CHECK(s.hub.watched().empty());
}

TEST_CASE("what is told at a time is one message, made once for all who are told the same") {
  stage s;
  for (const browser_id who : {1, 2, 3}) {
    s.join(who);
    s.say(who, R"({"type":"watch","topic":"network"})");
    if (who != 3) s.say(who, R"({"type":"watch","topic":"trainings"})");
  }
  const auto show = [&](int n) {
    s.hub.show("network", json::object{{"n", n}}, s.now);
    s.hub.show("trainings", json::object{{"contracts", json::object{{"a", n}}}}, s.now);
  };
  show(1);
  s.carry_out();
  show(2);
  std::map<browser_id, shared_text> texts;
  for (auto& each : s.hub.take_actions()) {
    const auto& sent = std::get<action::send>(each);
    CHECK(texts.emplace(sent.to, sent.text).second); // each browser once
  }
  CHECK(texts[1] == texts[2]);
  CHECK(parsed(*texts[1]).at("messages").as_array().size() == 2);
  CHECK(parsed(*texts[3]).at("topic") == "network"); // by itself
  show(3);
  s.carry_out();
  CHECK(s.many == 4);
  CHECK(s.copies[3].at("network") == parsed(R"({"n":3})"));
  CHECK(s.copies[1].at("trainings") == parsed(R"({"contracts":{"a":3}})"));
}

TEST_CASE("serials count every change, also those that nobody watched") {
  stage s;
  s.join(1);
  s.say(1, R"({"type":"watch","topic":"network"})");
  for (int i = 0; i < 5; ++i)
    s.show("network", fmt::format(R"({{"n":{}}})", i));
  std::uint64_t last = 0;
  for (std::size_t i = 1; i < s.told[1].size(); ++i) {
    const auto serial = s.told[1][i].at("serial").to_number<std::uint64_t>();
    if (last > 0) CHECK(serial == last + 1);
    last = serial;
  }
  CHECK(last == 5);
}

TEST_CASE("a topic that is not there is said to be so, until it is") {
  stage s;
  s.join(1);
  s.say(1, R"({"type":"watch","topic":"training/x"})");
  s.hub.show_absent("training/x", "there is no such contract", s.now);
  s.carry_out();
  CHECK(s.last(1, "type") == "absent");
  s.hub.show_absent("training/x", "there is no such contract", s.now);
  CHECK(s.hub.take_actions().empty());
  s.show("training/x", R"({"round_num":1})");
  CHECK(s.last(1, "type") == "state");
  s.say(1, R"({"type":"unwatch","topic":"training/x"})");
  s.say(1, R"({"type":"watch","topic":"training/x"})");
  CHECK(s.told[1].size() == 3); // one that nobody watches is forgotten
}

TEST_CASE("only operators act, and rights come from the session alone") {
  stage s;
  s.join(1, rights::reads);
  s.say(1, R"({"type":"act","id":5,"what":"create_contract","contract":"c"})");
  CHECK(s.acted.empty());
  CHECK(s.last(1, "code") == "not_allowed");
  s.say(1, R"({"type":"act","id":5,"what":"create_contract","contract":"c","rights":"operator"})");
  CHECK(s.acted.empty());
  s.say(1, R"({"type":"ask","id":5,"what":"runs"})");
  CHECK(s.asked.size() == 1);
  CHECK(s.asked[0].may == rights::reads);
  s.join(2);
  s.say(2, R"({"type":"act","id":5,"what":"create_contract","contract":"c"})");
  REQUIRE(s.acted.size() == 1);
  CHECK(std::get<order::create_contract>(s.acted[0].what).contract == "c");
}

TEST_CASE("each question is answered once, by its id") {
  stage s;
  s.join(1);
  s.say(1, R"({"type":"ask","id":5,"what":"runs"})");
  s.say(1, R"({"type":"ask","id":5,"what":"runs"})");
  CHECK(s.last(1, "code") == "invalid");
  CHECK(s.asked.size() == 1);
  s.hub.answer(1, 5, data_text(json::object{{"runs", json::array{}}}), s.now);
  s.hub.answer(1, 5, data_text(json::object{{"runs", json::array{}}}), s.now);
  s.hub.answer(9, 5, data_text(nullptr), s.now);
  s.carry_out();
  CHECK(s.last(1, "type") == "answer");
  CHECK(s.told[1].back().at("data") == json::object{{"runs", json::array{}}});
  CHECK(s.told[1].size() == 3);
  for (std::uint64_t i = 10; i < 10 + feed_hub::questions_max; ++i)
    s.say(1, fmt::format(R"({{"type":"ask","id":{},"what":"runs"}})", i));
  s.say(1, R"({"type":"ask","id":99,"what":"runs"})");
  CHECK(s.last(1, "code") == "busy");
  s.hub.answer(1, 10, fail(errc::conflict, "says no"), s.now);
  s.carry_out();
  CHECK(s.last(1, "code") == "refused");
  CHECK(s.last(1, "why") == "says no");
}

TEST_CASE("what many ask at a time is answered from one text, as long as the chain is the same") {
  answer_book book;
  const shared_question series = question::series{"c", 1, 7};
  const auto text = data_text(json::object{{"rounds", json::array{1, 2}}});
  book.keep(series, 5, 1000, text);
  CHECK(book.find(series, 5, 1500) == text);
  CHECK_FALSE(book.find(question::series{"c", 1, 8}, 5, 1500));
  CHECK_FALSE(book.find(question::rounds{"c", 1, {}, 7}, 5, 1500));
  CHECK_FALSE(book.find(series, 6, 1500)); // there is a new block
  CHECK_FALSE(book.find(series, 5, 1500));
  book.keep(series, 6, 1500, text);
  CHECK_FALSE(book.find(series, 6, 1500 + answer_book::age_ms_max + 1));
  // It is bounded in number and size; the newest stay.
  for (std::uint64_t i = 0; i < 2 * answer_book::answers_max; ++i)
    book.keep(question::series{"c", 1, i}, 6, 1500, text);
  CHECK_FALSE(book.find(question::series{"c", 1, answer_book::answers_max - 1}, 6, 1500));
  CHECK(book.find(question::series{"c", 1, answer_book::answers_max}, 6, 1500));
  const auto large = std::make_shared<const std::string>(answer_book::bytes_max / 2 + 1, 'x');
  book.keep(question::runs{}, 6, 1500, large);
  book.keep(series, 6, 1500, large);
  CHECK_FALSE(book.find(question::runs{}, 6, 1500));
  CHECK(book.find(series, 6, 1500) == large);
  book.keep(series, 6, 1500, std::make_shared<const std::string>(answer_book::bytes_max + 1, 'x'));
  CHECK(book.find(series, 6, 1500) == large);
  CHECK(shared_of(question::runs{}));
  CHECK_FALSE(shared_of(question::last_lines{"r", "s"})); // only for operators
}

TEST_CASE("who says too much, or what makes no sense, is sent away") {
  stage s;
  s.join(1);
  for (std::uint64_t i = 0; i < feed_hub::burst_max; ++i)
    s.say(1, R"({"type":"unwatch","topic":"network"})");
  CHECK(s.closed.empty());
  s.now += 100;
  s.say(1, R"({"type":"unwatch","topic":"network"})");
  s.say(1, R"({"type":"unwatch","topic":"network"})");
  CHECK(s.closed.empty()); // two were earned meanwhile
  s.say(1, R"({"type":"unwatch","topic":"network"})");
  CHECK(s.closed.at(1) == 1008);
  s.join(2);
  s.say(2, "<script>");
  CHECK(s.closed.at(2) == 1008);
  s.say(2, R"({"type":"watch","topic":"network"})");
  s.join(3);
  for (std::size_t i = 0; i < feed_hub::watched_max; ++i)
    s.say(3, fmt::format(R"({{"type":"watch","topic":"training/{}"}})", i));
  CHECK_FALSE(s.closed.contains(3));
  s.say(3, R"({"type":"watch","topic":"training/1"})"); // once more
  CHECK_FALSE(s.closed.contains(3));
  s.say(3, R"({"type":"watch","topic":"training/x"})");
  CHECK(s.closed.at(3) == 1008);
  CHECK(s.hub.browsers() == 0);
  CHECK(s.hub.watched().empty());
}

TEST_CASE("a session ends when its time is over, and the living are told that the server lives") {
  stage s;
  s.join(1, rights::acts, 100);
  s.join(2);
  s.say(2, R"({"type":"watch","topic":"network"})");
  s.show("network", R"({"n":1})");
  s.now += 100;
  s.hub.tick(s.now);
  s.carry_out();
  CHECK(s.closed.at(1) == 4401);
  const auto count = s.told[2].size();
  s.now += feed_hub::heartbeat_ms;
  s.hub.tick(s.now);
  s.hub.tick(s.now);
  s.carry_out();
  REQUIRE(s.told[2].size() == count + 1);
  CHECK(s.told[2].back().at("patch") == json::object{});
  s.join(3, rights::acts, 100);
  s.now += 100;
  s.say(3, R"({"type":"act","id":5,"what":"create_contract","contract":"c"})");
  CHECK(s.closed.at(3) == 4401);
  CHECK(s.acted.empty());
}

} // namespace ui_feed_test
