#include "actors/ui/worker.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>

namespace ui_worker_test {

using swarm::ui::worker;

TEST_CASE("a job that waits keeps no other one waiting, as long as there is another thread") {
  std::latch let_go(1), done(8);
  std::atomic<int> after = 0;
  worker at(16, 2);
  REQUIRE(at.add([&](const std::stop_token&) { let_go.wait(); }));
  for (int i = 0; i < 8; ++i)
    REQUIRE(at.add([&](const std::stop_token&) {
      ++after;
      done.count_down();
    }));
  done.wait(); // for ever, if they waited for the first one
  CHECK(after == 8);
  let_go.count_down();
}

TEST_CASE("what waits is bounded, and jobs are told to end") {
  std::latch busy(2);
  std::atomic<int> ended = 0, begun = 0;
  {
    worker at(3, 2);
    for (int i = 0; i < 2; ++i)
      REQUIRE(at.add([&](const std::stop_token& stop) {
        busy.count_down();
        while (!stop.stop_requested())
          std::this_thread::yield();
        ++ended;
      }));
    busy.wait();
    for (int i = 0; i < 3; ++i)
      CHECK(at.add([&](const std::stop_token&) { ++begun; }));
    CHECK(!at.add([](const std::stop_token&) {}));
    CHECK(at.waiting() == 3);
  }
  CHECK(ended == 2);
  CHECK(begun == 0); // what only waits is not begun any more
}

} // namespace ui_worker_test
