#include "actors/sn_client/session/session_machine.hpp"
#include "actors/sn_client/session/testing/session_rig.hpp"
#include "base/random.hpp"

#include <doctest/doctest.h>

namespace lying_sn_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

/// SNs that answer, lie, stay silent, answer late, twice, or to nobody, and connections that die; whatever
/// comes to a seed's mind.
struct liar {
  explicit liar(std::uint64_t seed) : random(seed), rig(options_of(1, {"b:2", "c:3"})) {
    rig.instead = [this](const request& to) { return lie(to); };
  }

  static json::value text(std::string_view from) { return json::value(json::string(from)); }
  json::value any_value(unsigned depth = 0) {
    switch (random.below(depth > 2 ? 9 : 12)) {
    case 0:
      return nullptr;
    case 1:
      return -1;
    case 2:
      return ~std::uint64_t{0};
    case 3:
      return 1.5;
    case 4:
      return "0x";
    case 5:
      return text(fmt::format("{:#x}", random()));
    case 6:
      return text(fmt::format("{:#x}", random.below(40)));
    case 7:
      return true;
    case 8:
      return text(std::string(random.below(200), 'z'));
    case 9:
      return json::array{any_value(depth + 1), any_value(depth + 1)};
    case 10:
      return json::object{{"status", any_value(depth + 1)}, {"blockNumber", any_value(depth + 1)}};
    default:
      return json::object{{"code", any_value(depth + 1)},
                          {"data", any_value(depth + 1)},
                          {"message", any_value(depth + 1)},
                          {"hash", any_value(depth + 1)}};
    }
  }
  json::object any_error() {
    constexpr std::array reasons{"pool_full",     "rate_limited", "history_incomplete",
                                 "nonce_too_low", "refused",      "nonce_gap",
                                 "internal"};
    if (random.below(6) == 0) return {{"code", 4}, {"message", "late"}, {"data", "0x00"}};
    return error_of(-32000, reasons[random.below(reasons.size())]);
  }
  json::value lie(const request&) {
    if (random.below(100) >= lies_percent) return {};
    switch (random.below(4)) {
    case 0:
      return json::object(); // silence
    case 1:
      return json::object{{"result", any_value()}};
    case 2:
      return json::object{{"error", any_error()}};
    default:
      return json::object{{"error", any_value()}};
    }
  }
  void some_noise() {
    const auto id = random.below(4) == 0 ? random() : random.below(rig.asked.size() + 10);
    switch (random.below(5)) {
    case 0:
      return rig.notify();
    case 1:
      return rig.hears(json::serialize(any_value()));
    case 2:
      return rig.hears(json::serialize(json::object{{"id", any_value()}, {"result", any_value()}}));
    case 3:
      return rig.hears(json::serialize(json::object{{"id", id}, {"result", any_value()}}));
    default:
      return rig.hears_on(random.below(rig.serial() + 2),
                          json::serialize(json::object{{"id", id}, {"error", any_error()}}));
    }
  }
  void some_event() {
    switch (random.below(13)) {
    case 0:
      return rig.down();
    case 1:
    case 2:
      return rig.up();
    case 3:
      return rig.pass(std::chrono::milliseconds(random.below(20'000)));
    case 4:
      return rig.submit(next_call++);
    case 5:
      return rig.follow(fmt::format("c{}", random.below(3)), static_cast<std::uint8_t>(random.below(3)));
    case 6:
      return rig.step(event::read{});
    case 7:
      return some_noise();
    case 8:
      return rig.ask(next_ask++, 1 + random.below(3));
    case 9:
      if (random.below(20) == 0) rig.genesis = rig.genesis == '1' ? '2' : '1';
      if (random.below(20) == 0) rig.txn_count = random.below(50);
      return;
    default:
      rig.tick();
      return rig.serve();
    }
  }
  void check() {
    for (const auto& [id, outcomes] : rig.done)
      REQUIRE(outcomes.size() == 1);
    for (const auto& [id, outcomes] : rig.answers)
      REQUIRE(outcomes.size() == 1);
    REQUIRE(rig.machine.asks_open() <= session_machine::asks_max);
    REQUIRE(rig.machine.calls_open() <= session_machine::waiting_max + session_machine::txns_max);
    // Everything has a time limit, and in that time a bounded number of questions is asked on one connection.
    REQUIRE(rig.machine.requests_open() <= 2 * session_machine::txns_max + session_machine::asks_max);
    REQUIRE(rig.machine.sns_known() <= 1 + sn_choice::others_max);
    REQUIRE(rig.machine.wake_at() < rig.now + 1min);
  }

  seeded_random random;
  session_rig rig;
  std::uint64_t next_call = 1;
  std::uint64_t next_ask = 1;
  unsigned lies_percent = 30;
};

} // namespace

TEST_CASE("whatever SNs and connections do, every call is done once and memory is bounded") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    liar on(seed);
    for (int i = 0; i < 400; ++i) {
      on.some_event();
      on.check();
    }
    // From here on there are only honest SNs: all that is still under way comes to its end.
    on.lies_percent = 0;
    on.rig.genesis = '1';
    for (int i = 0;
         i < 600
         && (on.rig.machine.calls_open() + on.rig.machine.asks_open() > 0 || !on.rig.machine.registered());
         ++i) {
      on.rig.pass(1s);
      on.rig.up();
      on.rig.serve();
      on.check();
    }
    CHECK(on.rig.machine.registered());
    CHECK(on.rig.machine.calls_open() == 0);
    for (std::uint64_t call = 1; call < on.next_call; ++call)
      REQUIRE(on.rig.done[call].size() == 1);
    for (std::uint64_t question = 1; question < on.next_ask; ++question)
      REQUIRE(on.rig.answers[question].size() == 1);
  }
}

TEST_CASE("the same seed gives the same session") {
  const auto questions = [](std::uint64_t seed) {
    liar on(seed);
    for (int i = 0; i < 300; ++i)
      on.some_event();
    std::string out;
    for (const auto& each : on.rig.asked)
      out += fmt::format("{} {} {} {}\n", each.serial, each.id, each.method,
                         std::string(json::serialize(each.params)));
    return out;
  };
  CHECK(questions(5) == questions(5));
  CHECK(questions(5) != questions(6));
}

} // namespace lying_sn_test
