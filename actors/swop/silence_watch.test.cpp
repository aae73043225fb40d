#include "actors/swop/silence_watch.hpp"

#include <doctest/doctest.h>

namespace silence_watch_test {

using namespace swarm::actors;
using std::chrono::milliseconds;

TEST_CASE("who is silent is told of, again and again, and not while it speaks") {
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  const auto count = [&](milliseconds) {
    const std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  };
  {
    silence_watch watch(count, milliseconds(5));
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return told >= 3; }));
  }
  const int before = told;
  {
    silence_watch watch(count, std::chrono::hours(1)); // its end does not wait
    watch.heard();
  }
  CHECK(told == before);
}

} // namespace silence_watch_test
