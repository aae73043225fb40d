#include "base/log_tail.hpp"

#include "base/log.hpp"

#include <doctest/doctest.h>

namespace log_tail_test {

using namespace swarm;

TEST_CASE("the newest lines are kept once somebody wants them, and no more") {
  log::write(log::level::error, "swarm.test", "before");
  CHECK(log::tail_after(0, 10).empty());
  log::keep_tail();
  for (std::size_t i = 1; i <= log::tail_lines_max + 5; ++i)
    log::add_to_tail(log::level::info, "swarm.test", "line " + std::to_string(i));
  const auto all = log::tail_after(0, 1'000'000);
  REQUIRE(all.size() == log::tail_lines_max);
  CHECK(all.front().text == "line 6");
  CHECK(all.back().number == log::tail_lines_max + 5);
  const auto few = log::tail_after(0, 2);
  REQUIRE(few.size() == 2);
  CHECK(few.front().number + 1 == few.back().number);
  CHECK(few.back().number == all.back().number);
  log::write(log::level::error, "swarm.test", std::string(10'000, 'x'));
  const auto fresh = log::tail_after(all.back().number, 10);
  REQUIRE(fresh.size() == 1);
  CHECK(fresh[0].lvl == log::level::error);
  CHECK(fresh[0].source == "swarm.test");
  CHECK(fresh[0].text.size() == log::tail_text_bytes_max);
  CHECK(log::tail_after(fresh[0].number, 10).empty());
  const auto of_another_process = log::tail_after(fresh[0].number + 100, 10);
  REQUIRE(of_another_process.size() == 10);
  CHECK(of_another_process.back().number == fresh[0].number);
}

} // namespace log_tail_test
