#include "tools/swarmd/doctor/report.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

namespace report_test {

using namespace swarm::doctor;

namespace {

std::vector<node_report> reports(verdict worst) {
  return {{"sl-1",
           "SL",
           {{"port", verdict::ok, "it is free", ""}, {"disk", worst, "small\nand slow", "buy one"}}},
          {"", "", {{"memory", verdict::unchecked, "nobody knows", ""}}}};
}

} // namespace

TEST_CASE("a report for people: remedies below what they are for, the sum at the end") {
  CHECK(text_of(reports(verdict::wrong))
        == "sl-1 (SL)\n"
           "  ok           port            it is free\n"
           "  wrong        disk            small\n"
           "                               and slow\n"
           "                               -> buy one\n"
           "this host\n"
           "  not checked  memory          nobody knows\n"
           "wrong: 1 wrong, 0 warnings, 1 ok, 1 not checked\n");
}

TEST_CASE("what could not be checked is no fault, a warning is less than wrong") {
  CHECK(worst_of(reports(verdict::unchecked)) == verdict::ok);
  CHECK(worst_of(reports(verdict::warning)) == verdict::warning);
  CHECK(worst_of(reports(verdict::wrong)) == verdict::wrong);
}

TEST_CASE("a report for tools") {
  const auto read = boost::json::parse(json_of(reports(verdict::warning))).as_object();
  CHECK(read.at("format") == 1);
  CHECK(read.at("verdict") == "warning");
  CHECK(read.at("wrong") == 0);
  CHECK(read.at("warnings") == 1);
  const auto& one = read.at("checks").as_array().at(1).as_object();
  CHECK(one.at("node") == "sl-1");
  CHECK(one.at("role") == "SL");
  CHECK(one.at("check") == "disk");
  CHECK(one.at("verdict") == "warning");
  CHECK(one.at("remedy") == "buy one");
  CHECK(read.at("checks").as_array().at(2).as_object().at("verdict") == "not checked");
}

} // namespace report_test
