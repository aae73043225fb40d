#include "actors/sn/consensus/stall_watch.hpp"

#include <doctest/doctest.h>

namespace stall_watch_test {

using namespace swarm;
using namespace swarm::actors;
using namespace std::chrono_literals;

namespace {

const time_point start{};

/// A validator, one of four, that works on block 8.
consensus::machine_status status(std::size_t silent_others, bool silent = false) {
  consensus::machine_status out{.block_num = 8, .validator = true, .silent = silent, .quorum = 3};
  out.work = true;
  out.silent_validators.resize(silent_others);
  return out;
}

bool has(const stall_watch& watch, std::string_view part) {
  return watch.text().find(part) != std::string::npos;
}

} // namespace

TEST_CASE("too few validators for too long: the operators are told once what to do, and shown it on") {
  stall_watch watch;
  CHECK(!watch.look(status(2), 4, start));
  CHECK(!watch.look(status(2), 4, start + stall_watch::patience - 1s));
  CHECK(watch.text().empty());
  CHECK(watch.look(status(2), 4, start + stall_watch::patience));
  CHECK(has(watch, "2 of 4 validators speak, 3 are needed, nothing from 0x00"));
  CHECK(has(watch, "compare the heads"));
  CHECK(has(watch, "re-enter --block 8"));
  CHECK(!watch.look(status(2), 4, start + 10min));
  CHECK(has(watch, "for 600 s"));
}

TEST_CASE("a validator that is silent itself counts itself, and an observer sees only that no block comes") {
  stall_watch own, observer;
  own.look(status(1, true), 4, start);
  CHECK(own.look(status(1, true), 4, start + 1min));
  CHECK(has(own, "this validator keeps silent itself"));
  auto idle = status(0);
  idle.validator = false;
  observer.look(idle, 4, start);
  CHECK(observer.look(idle, 4, start + 1min));
  CHECK(has(observer, "no quorum of validators decides it"));
}

TEST_CASE("a quorum, a new block and idleness are no halt") {
  stall_watch watch;
  watch.look(status(1), 4, start);
  CHECK(!watch.look(status(1), 4, start + 1min));
  watch.look(status(2), 4, start + 1min);
  auto next = status(2);
  next.block_num = 9;
  CHECK(!watch.look(next, 4, start + 2min));
  CHECK(watch.text().empty());
  CHECK(watch.look(next, 4, start + 3min));
  CHECK(!watch.look(status(1), 4, start + 4min)); // they are back
  CHECK(watch.text().empty());
  auto idle = status(2);
  idle.work = false;
  watch.look(idle, 4, start + 4min);
  CHECK(!watch.look(idle, 4, start + 9min));
}

} // namespace stall_watch_test
