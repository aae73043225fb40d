#include "actors/ui/history/proved_reports.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace proved_reports_test {

using namespace swarm;
using namespace swarm::ui;

namespace {

contracts::peer_view peer(std::uint8_t number, std::uint64_t round_num, std::int64_t loss_micro) {
  contracts::peer_view out;
  out.account[19] = number;
  out.loss_round = round_num;
  out.loss_micro = loss_micro;
  out.metric_micro = 5'000'000;
  return out;
}
proved_reports::report told(std::uint8_t number, float loss, float metric = 5) {
  proved_reports::report out;
  out.peer[19] = number;
  out.loss = loss;
  out.metric = metric;
  return out;
}

} // namespace

TEST_CASE("reports are proved when the contract had just these of their round") {
  proved_reports all;
  CHECK_FALSE(all.agrees("c", 1, 3, {told(1, 1)}));
  all.note("c", 1, {peer(1, 3, 1'000'000), peer(2, 2, 7'000'000), peer(3, 0, 0)});
  CHECK(all.agrees("c", 1, 3, {told(1, 1)}));
  CHECK(all.agrees("c", 1, 2, {told(2, 7)}));
  all.note("c", 1, {peer(1, 3, 1'000'000), peer(2, 3, 2'000'000)});
  CHECK(all.size() == 3);
  CHECK(all.agrees("c", 1, 3, {told(1, 1), told(2, 2)}));
  CHECK(all.agrees("c", 1, 3, {told(1, 9), told(1, 1), told(2, 2)}));       // the last one counts
  CHECK_FALSE(all.agrees("c", 1, 3, {told(1, 1), told(1, 9), told(2, 2)})); // and here it is another one
  CHECK_FALSE(all.agrees("c", 1, 3, {told(1, 1)}));                         // one is kept back
  CHECK_FALSE(all.agrees("c", 1, 3, {told(1, 1), told(2, 2), told(3, 3)})); // one is made up
  CHECK_FALSE(all.agrees("c", 1, 3, {told(1, 1), told(2, 2, 6)}));
  CHECK_FALSE(all.agrees("c", 2, 3, {told(1, 1), told(2, 2)}));
  CHECK_FALSE(all.agrees("d", 1, 3, {told(1, 1), told(2, 2)}));
  CHECK_FALSE(all.agrees("c", 1, 4, {}));
  all.forget();
  CHECK(all.size() == 0);
  CHECK_FALSE(all.agrees("c", 1, 3, {told(1, 1), told(2, 2)}));
}

TEST_CASE("the oldest rounds of whoever has most are forgotten") {
  proved_reports all;
  all.note("small", 1, {peer(1, 1, 1)});
  for (std::uint64_t round_num = 1; round_num <= proved_reports::reports_max / 4 + 10; ++round_num)
    all.note("large", 1,
             {peer(1, round_num, 1), peer(2, round_num, 1), peer(3, round_num, 1), peer(4, round_num, 1)});
  CHECK(all.size() <= proved_reports::reports_max);
  CHECK(all.size() > proved_reports::reports_max - 8);
  CHECK(all.agrees("small", 1, 1, {told(1, 1e-6F)}));
  CHECK_FALSE(all.agrees("large", 1, 1, {told(1, 1e-6F), told(2, 1e-6F), told(3, 1e-6F), told(4, 1e-6F)}));
}

} // namespace proved_reports_test
