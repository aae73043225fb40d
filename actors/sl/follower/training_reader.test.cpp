#include "actors/sl/follower/training_reader.hpp"

#include "contracts/registry/client.hpp"

#include <doctest/doctest.h>

namespace training_reader_test {

using namespace swarm;
using namespace swarm::actors;
namespace json = boost::json;

namespace {

session::action::contract_read reading(std::vector<json::value> responses) {
  return {"c", 7, std::move(responses)};
}

json::value says(std::string_view text) {
  return json::object{{"result", text}};
}

/// An answer to each question of the first request.
std::vector<json::value> all(const json::value& answer) {
  return std::vector<json::value>(8, answer);
}

} // namespace

TEST_CASE("a training is read with its head, its check-ins and its peers") {
  const training_reader reader("c");
  const auto request = reader.request();
  CHECK(request.name == "c");
  CHECK(request.contract == contracts::training_address("c"));
  CHECK(request.topics.size() == 13);
  REQUIRE(request.reads.size() == 8);
  CHECK(request.reads[0].method == "swarm_silentNodes");
}

TEST_CASE("the merge that this node has brought a model to is read with the rest") {
  training_reader reader("c");
  CHECK_FALSE(reader.watch_merge_of(0));
  CHECK(reader.watch_merge_of(3));
  CHECK_FALSE(reader.watch_merge_of(3));
  const auto request = reader.request();
  REQUIRE(request.reads.size() == 9);
  CHECK(
      request.reads[8]
      == session::eth_call(contracts::training_address("c"), contracts::encode(contracts::merge_of_args{3})));
  const auto nothing = says("0x");
  const auto before = reader.take(reading(all(nothing))); // asked before
  REQUIRE(before);
  CHECK_FALSE(*before);
  CHECK(reader.watch_merge_of(0));
  CHECK(reader.request().reads.size() == 8);
}

TEST_CASE("a contract that is not there, and answers that are none") {
  training_reader reader("c");
  const auto nothing = says("0x");
  CHECK(reader.take(reading(all(nothing))).error().is(errc::not_found));
  const json::value refused = json::object{{"error", json::object{{"code", -32005}, {"message", "m"}}}};
  CHECK(reader.take(reading(all(refused))).error().is(session::refusal::busy));
  for (const auto& odd :
       {json::value(nullptr), json::value(7), says("0x01"), says("zz"), json::value(json::array())})
    CHECK_FALSE(reader.take(reading(all(odd))));
  const auto other = reader.take(reading({nothing})); // to another request
  REQUIRE(other);
  CHECK_FALSE(*other);
}

} // namespace training_reader_test
