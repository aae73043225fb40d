#include "transport/io_runtime.hpp"

#include "base/back_off.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <atomic>

namespace io_runtime_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;

TEST_CASE("functions and timers run on the runtime's threads") {
  io_runtime io(2);
  waiting_for<bool> posted, timed;
  CHECK_FALSE(io.on_io_thread());
  io.post([&] { posted.set(io.on_io_thread()); });
  io.after(std::chrono::milliseconds{1}, [&] { timed.set(io.on_io_thread()); });
  CHECK(posted.get());
  CHECK(timed.get());
}

TEST_CASE("timers fire in the order of their times") {
  io_runtime io(1);
  std::vector<int> order;
  waiting_for<bool> done;
  io.after(std::chrono::milliseconds{30}, [&] {
    order.push_back(2);
    done.set(true);
  });
  io.after(std::chrono::milliseconds{1}, [&] { order.push_back(1); });
  done.get();
  CHECK(order == std::vector<int>{1, 2});
}

TEST_CASE("a cancelled timer does not fire") {
  io_runtime io(2);
  std::atomic<int> fired{0};
  waiting_for<bool> later;
  auto handle = io.after(std::chrono::milliseconds{20}, [&] { ++fired; });
  auto copy = handle;
  copy.cancel();
  copy.cancel();
  io.after(std::chrono::milliseconds{60}, [&] { later.set(true); });
  later.get();
  CHECK(fired == 0);
  handle.cancel();
  timer_handle().cancel();
}

TEST_CASE("what waits at the stop is dropped, handles stay usable") {
  auto held = std::make_shared<int>(1);
  timer_handle handle;
  {
    io_runtime io(1);
    handle = io.after(std::chrono::hours{1}, [held] {});
    io.stop();
    io.stop();
    CHECK(io.stopped());
  }
  CHECK(held.use_count() == 1);
  handle.cancel();
}

TEST_CASE("back-off grows, is capped, is reproducible") {
  using std::chrono::milliseconds;
  back_off a(milliseconds{100}, milliseconds{1'000}, 7), b(milliseconds{100}, milliseconds{1'000}, 7);
  back_off other(milliseconds{100}, milliseconds{1'000}, 8);
  bool differs = false;
  duration whole = milliseconds{100};
  for (int i = 0; i < 100; ++i) {
    auto wait = a.next();
    CHECK(wait == b.next());
    differs = differs || wait != other.next();
    CHECK(wait <= whole);
    CHECK(wait >= whole / 2);
    whole = std::min<duration>(whole * 2, milliseconds{1'000});
  }
  CHECK(differs);
  CHECK(a.attempts() == 100);
  a.reset();
  CHECK(a.attempts() == 0);
  CHECK(a.next() <= milliseconds{100});
  back_off odd(milliseconds{0}, milliseconds{-5}, 1);
  CHECK(odd.next() >= duration{0});
  back_off huge(duration::max() / 4, duration::max(), 1);
  for (int i = 0; i < 10; ++i)
    CHECK(huge.next() > duration{0});
}

} // namespace io_runtime_test
