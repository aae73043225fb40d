#include "actors/sl/files/gather/chunk_plan.hpp"

#include "actors/sl/files/gather/chunk_map.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace chunk_plan_test {

using namespace swarm;
using namespace swarm::actors;
using namespace std::chrono_literals;
using ending = chunk_plan::ending;
using ask = chunk_plan::ask;

namespace {

/// A plan and its requests under way, on a clock of its own.
struct planned {
  explicit planned(std::size_t chunks, std::size_t holders, bool spread = true, std::uint64_t seed = 1)
      : plan(std::vector<bool>(chunks), holders, spread, seed), count(chunks) {}

  /// Whatever is asked now, added to what is under way.
  void look() {
    for (const auto id : plan.take_needless()) {
      broken_off.insert(id);
      end(id, ending::needless);
    }
    for (const auto& each : plan.take_asks(now))
      open.push_back(each);
  }
  void pass(duration time) {
    now += time;
    look();
  }
  void end(std::uint64_t id, ending how) {
    std::erase_if(open, [&](const ask& each) { return each.id == id; });
    plan.ended(id, how, now);
  }
  /// A run comes in full.
  void give(const ask& what) {
    for (auto i = what.first; i < what.first + what.count; ++i)
      give_chunk(i);
    end(what.id, ending::done);
  }
  void give_chunk(std::uint64_t index) {
    plan.chunk_here(index);
    here.insert(index);
  }
  void tell(const ask& what, const std::vector<bool>& map) {
    std::erase_if(open, [&](const ask& each) { return each.id == what.id; });
    plan.map_here(what.id, map, now);
  }
  std::vector<bool> all() const { return std::vector<bool>(count, true); }
  std::vector<bool> some(std::initializer_list<std::size_t> which) const {
    std::vector<bool> out(count);
    for (const auto each : which)
      out[each] = true;
    return out;
  }
  std::vector<ask> runs_of(std::size_t holder) const {
    std::vector<ask> out;
    std::ranges::copy_if(open, std::back_inserter(out),
                         [&](const ask& each) { return each.holder == holder && each.count > 0; });
    return out;
  }
  std::optional<ask> map_of(std::size_t holder) const {
    for (const auto& each : open)
      if (each.holder == holder && each.count == 0) return each;
    return std::nullopt;
  }

  chunk_plan plan;
  std::size_t count;
  time_point now{};
  std::vector<ask> open;
  std::set<std::uint64_t> here, broken_off;
};

} // namespace

TEST_CASE("in turn, one holder is asked for all, and the next one for what is missing then") {
  planned t(5, 3, false);
  t.look();
  REQUIRE(t.open.size() == 1);
  CHECK((t.open[0].holder == 0 && t.open[0].first == 0 && t.open[0].count == 5));
  t.give_chunk(0);
  t.give_chunk(1);
  t.end(t.open[0].id, ending::failed);
  CHECK_FALSE(t.plan.is_hopeless());
  t.look();
  REQUIRE(t.open.size() == 1);
  CHECK((t.open[0].holder == 1 && t.open[0].first == 2 && t.open[0].count == 3));
  t.pass(1h);
  CHECK(t.open.size() == 1);
  t.end(t.open[0].id, ending::not_there);
  t.look();
  CHECK(t.open[0].holder == 2);
  SUBCASE("the last one has it") {
    t.give(t.open[0]);
    CHECK(t.plan.is_complete());
    CHECK_FALSE(t.plan.is_hopeless());
  }
  SUBCASE("nor does the last one") {
    t.end(t.open[0].id, ending::slow);
    t.look();
    CHECK(t.open.empty());
    CHECK(t.plan.is_hopeless());
  }
}

TEST_CASE("what is here is not asked for, and runs end there") {
  chunk_plan plan({false, false, true, false}, 1, false, 1);
  auto asks = plan.take_asks({});
  REQUIRE(asks.size() == 1);
  CHECK((asks[0].first == 0 && asks[0].count == 2));
  plan.chunk_here(0);
  plan.chunk_here(1);
  plan.ended(asks[0].id, ending::done, {});
  asks = plan.take_asks({});
  CHECK((asks[0].first == 3 && asks[0].count == 1));
  CHECK(chunk_plan({true, true}, 0, true, 1).is_complete());
  CHECK(chunk_plan({false}, 0, true, 1).is_hopeless());
}

TEST_CASE("nodes that begin together ask the first holder for different chunks") {
  std::set<std::uint64_t> asked;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    planned t(64, 5, true, seed * 0x1234567);
    t.look();
    REQUIRE(t.runs_of(0).size() == chunk_plan::runs_per_holder);
    for (const auto& run : t.runs_of(0))
      asked.insert(run.first);
    for (std::size_t other = 1; other < 5; ++other)
      CHECK(t.map_of(other));
  }
  CHECK(asked.size() >= 6); // of 8
}

TEST_CASE("runs are short where there are few chunks for many, and bounded") {
  planned few(20, 5), many(4000, 5);
  few.look();
  many.look();
  CHECK(few.runs_of(0)[0].count == 1);
  CHECK(many.runs_of(0)[0].count == chunk_plan::run_max);
}

TEST_CASE("the rarest chunk comes first") {
  planned t(8, 4);
  t.look();
  t.tell(*t.map_of(1), t.some({0, 1, 2, 3, 4, 5, 6, 7}));
  t.tell(*t.map_of(2), t.some({0, 1, 2, 3, 4, 5}));
  t.tell(*t.map_of(3), t.some({0, 1, 2, 3}));
  const auto at_first = t.runs_of(0);
  t.look();
  std::set<std::uint64_t> rare{6, 7}, taken;
  for (const auto& run : at_first)
    rare.erase(run.first);
  for (const auto& run : t.runs_of(1))
    taken.insert(run.first);
  CHECK(std::ranges::includes(taken, rare));
}

TEST_CASE("the first holder is asked only for what none of the others gives in time") {
  planned t(16, 2);
  t.look();
  t.tell(*t.map_of(1), t.all());
  for (const auto& run : t.runs_of(0))
    t.give(run);
  t.pass(10ms);
  CHECK(t.runs_of(0).empty());
  CHECK(t.runs_of(1).size() == chunk_plan::runs_per_holder);
  SUBCASE("while it does") {
    while (!t.plan.is_complete()) {
      REQUIRE(t.runs_of(0).empty());
      t.give(t.runs_of(1).front());
      t.pass(10ms);
    }
  }
  SUBCASE("and for all when it is silent") {
    const auto stuck = t.runs_of(1);
    t.pass(chunk_plan::late_min + 10ms);
    CHECK(t.runs_of(0).size() == chunk_plan::runs_per_holder);
    for (int i = 0; i < 20 && !t.plan.is_complete(); ++i) {
      REQUIRE_FALSE(t.runs_of(0).empty());
      t.give(t.runs_of(0).front());
      t.pass(10ms);
    }
    CHECK(t.plan.is_complete());
  }
}

TEST_CASE(
    "what one does not give in time is asked of another one as well, and broken off when that has given it") {
  planned t(8, 3);
  t.look();
  t.tell(*t.map_of(1), t.all());
  t.tell(*t.map_of(2), t.some({}));
  t.look();
  // All that is not under way with the first one comes from the other one.
  const auto stuck = t.runs_of(0);
  REQUIRE(stuck.size() == chunk_plan::runs_per_holder);
  while (t.here.size() + stuck.size() < t.count) {
    REQUIRE_FALSE(t.runs_of(1).empty());
    t.give(t.runs_of(1).front());
    t.pass(1ms);
  }
  CHECK(t.runs_of(1).empty());
  t.pass(10s);
  REQUIRE(t.runs_of(1).size() == 2);
  while (!t.runs_of(1).empty())
    t.give(t.runs_of(1).front());
  CHECK(t.plan.is_complete());
  t.look();
  CHECK(t.broken_off == std::set{stuck[0].id, stuck[1].id});
}

TEST_CASE("who gives something else is dropped at once, who does not give what it said after a few times") {
  planned t(32, 3);
  t.look();
  t.tell(*t.map_of(1), t.all());
  t.tell(*t.map_of(2), t.all());
  t.look();
  t.end(t.runs_of(1).front().id, ending::wrong);
  CHECK(t.plan.is_dropped(1));
  t.look(); // the other run goes with it
  CHECK(t.runs_of(1).empty());
  unsigned refused = 0;
  for (int i = 0; i < 100 && !t.plan.is_dropped(2); ++i) {
    if (!t.runs_of(2).empty()) t.end(t.runs_of(2).front().id, ending::not_there), ++refused;
    if (const auto map = t.map_of(2)) t.tell(*map, t.all());
    t.pass(100ms);
  }
  CHECK(t.plan.is_dropped(2));
  CHECK(refused == chunk_plan::strikes_max);
  while (!t.plan.is_complete()) {
    REQUIRE_FALSE(t.runs_of(0).empty());
    t.give(t.runs_of(0).front());
    t.look();
  }
}

TEST_CASE(
    "a holder is asked what it has a bounded number of times, less and less often while it has nothing") {
  planned t(16, 2);
  unsigned asked = 0;
  const auto run = [&](duration time, bool brings) {
    for (const auto end = t.now + time; t.now < end; t.pass(10ms))
      if (const auto map = t.map_of(1)) {
        ++asked;
        t.tell(*map, t.some({brings ? asked % 16 : 0}));
      }
  };
  t.look();
  SUBCASE("nothing") {
    run(10s, false);
    CHECK(asked >= 5);
    CHECK(asked <= 14);
  }
  SUBCASE("always something else") {
    run(100s, true);
    CHECK(asked == chunk_plan::maps_max);
  }
}

TEST_CASE("only so many are asked at once, and others take the places of those who have nothing") {
  planned t(64, 20);
  t.look();
  std::set<std::size_t> asked;
  for (const auto& each : t.open)
    asked.insert(each.holder);
  CHECK(asked.size() == chunk_plan::others_max + 1);
  CHECK_FALSE(asked.contains(9));
  for (int i = 0; i < 2000 && !t.map_of(19); ++i) {
    for (std::size_t other = 1; other < 19; ++other)
      if (const auto map = t.map_of(other)) t.tell(*map, {t.some({})});
    t.pass(10ms);
  }
  CHECK(t.map_of(19));
}

TEST_CASE("without the first holder it goes on with what others have, until nobody has anything more") {
  planned t(8, 3);
  t.look();
  t.plan.drop(0);
  t.tell(*t.map_of(1), t.some({0, 1, 2}));
  t.tell(*t.map_of(2), t.some({2, 3}));
  for (int i = 0; i < 1000 && !t.plan.is_hopeless(); ++i) {
    t.pass(10ms);
    for (std::size_t other : {1, 2}) {
      for (const auto& run : t.runs_of(other))
        t.give(run);
      if (const auto map = t.map_of(other))
        t.tell(*map, t.some(other == 1 ? std::initializer_list<std::size_t>{0, 1, 2}
                                       : std::initializer_list<std::size_t>{2, 3}));
    }
  }
  CHECK(t.here == std::set<std::uint64_t>{0, 1, 2, 3});
  CHECK(t.plan.is_hopeless());
  CHECK(t.now > time_point{} + 1s); // they had time to get more
}

TEST_CASE("peers that fetch the same model from one of them take little more than once of it") {
  // A step is what the first one can give in a moment: one run. Peers give two.
  constexpr std::size_t chunks = 64, peers = 4;
  std::vector<planned> all;
  for (std::uint64_t seed = 1; seed <= peers; ++seed)
    all.emplace_back(chunks, peers, true, seed * 0x9876543);
  const auto others_of = [](std::size_t me, std::size_t holder) {
    return holder <= me ? holder - 1 : holder;
  };
  std::size_t from_first = 0;
  for (int step = 0; step < 2000; ++step) {
    for (auto& each : all)
      each.pass(50ms);
    std::size_t next = static_cast<std::size_t>(step) % peers; // whose turn it is at the first one
    if (const auto runs = all[next].runs_of(0); !runs.empty()) {
      from_first += runs.front().count;
      all[next].give(runs.front());
    }
    for (std::size_t me = 0; me < peers; ++me)
      for (std::size_t holder = 1; holder < peers; ++holder) {
        const auto& other = all[others_of(me, holder)];
        if (const auto runs = all[me].runs_of(holder); !runs.empty()) all[me].give(runs.front());
        std::vector<bool> map(chunks);
        for (const auto each : other.here)
          map[each] = true;
        if (const auto asked = all[me].map_of(holder)) all[me].tell(*asked, map);
      }
    if (std::ranges::all_of(all, [](const auto& each) { return each.plan.is_complete(); })) break;
  }
  for (const auto& each : all)
    CHECK(each.plan.is_complete());
  CHECK(from_first < 2 * chunks);
  MESSAGE(from_first, " chunks of ", peers * chunks, " came from the first one");
}

TEST_CASE("what is made here is asked of nobody, unless it does not come") {
  planned t(24, 3);
  t.plan.hold({0, 1, 2, 3, 22, 99});
  const auto give_all = [&] {
    for (int step = 0; step < 100; ++step) {
      t.pass(10ms);
      while (!t.open.empty()) {
        const auto each = t.open.front();
        if (each.count == 0)
          t.tell(each, t.all());
        else
          t.give(each);
      }
    }
  };
  give_all();
  CHECK(t.here.size() == 24 - 5);
  CHECK_FALSE(t.plan.is_hopeless());
  t.give_chunk(22);
  t.plan.release();
  give_all();
  CHECK(t.plan.is_complete());
}

TEST_CASE("of what was made in shards each maker is asked for its own, also of a small model") {
  std::size_t count = 0;
  SUBCASE("large") {
    count = 24;
  }
  SUBCASE("small") {
    count = 4;
  }
  REQUIRE(count > 0);
  planned t(count, 4, count >= 8);
  for (std::size_t maker = 0; maker < 4; ++maker)
    t.plan.made_by(maker, maker * count / 4, count / 4);
  t.look();
  for (std::size_t maker = 0; maker < 4; ++maker) {
    const auto runs = t.runs_of(maker);
    REQUIRE(!runs.empty());
    for (const auto& run : runs)
      CHECK(run.first / (count / 4) == maker);
  }
  while (!t.open.empty()) {
    const auto each = t.open.front();
    if (each.count == 0)
      t.tell(each, t.some({}));
    else
      t.give(each);
    t.look();
  }
  CHECK(t.plan.is_complete());
}

TEST_CASE("a map of chunks round-trips, and is bounded") {
  const std::vector<bool> chunks{true, false, false, true, true, false, false, false, true, true};
  const auto raw = encode_chunk_map(chunks);
  CHECK(raw == bytes{0b11001, 0b11});
  CHECK(*decode_chunk_map(raw, 10) == chunks);
  CHECK(*decode_chunk_map({}, 3) == std::vector<bool>(3));
  CHECK(*decode_chunk_map(bytes{0xff}, 3) == std::vector<bool>(3, true));
  CHECK_FALSE(decode_chunk_map(bytes(2), 8));
}

} // namespace chunk_plan_test
