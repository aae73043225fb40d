#include "contracts/training/client.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace training_client_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

TEST_CASE("a training is where the interface says") {
  const auto hash = keccak256("swarmd/training/defaultbb.cqdb.sml.hpe");
  CHECK(to_hex(training_address(default_training_name).view(), false)
        == to_hex(hash.view(), false).substr(24));
  CHECK(training_address("a") != training_address("b"));
}

TEST_CASE("losses become millionths and back") {
  CHECK(to_micro(0.25) == 250000);
  CHECK(to_micro(-1.5) == -1500000);
  CHECK(to_micro(0.0000004) == 0);
  CHECK(to_micro(0.0000006) == 1);
  CHECK(from_micro(to_micro(0.75)) == 0.75);
  CHECK(std::isnan(from_micro(to_micro(std::nan("")))));
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  CHECK(to_micro(infinity) == std::numeric_limits<std::int64_t>::max());
  CHECK(to_micro(-infinity) == -std::numeric_limits<std::int64_t>::max());
  CHECK(to_micro(1e300) == std::numeric_limits<std::int64_t>::max());
  CHECK(!std::isnan(from_micro(to_micro(-1e300))));
}

TEST_CASE("a commitment is the hash of what is in it, as any Ethereum client computes it") {
  address peer;
  for (std::size_t i = 0; i < peer.size(); ++i)
    peer[i] = static_cast<std::uint8_t>(i + 1);
  const opening what{hash32(u256(4)), hash32(u256(5)), hash32(u256(6))};
  const auto commitment = commitment_of(peer, 2, 3, what);
  CHECK(to_hex(commitment.view(), false)
        == "c11b7cc7f48700de0d7c48d708727bf86117e693b6c5cdf87e06a6a934107e72");
  address other = peer;
  ++other[0];
  for (const auto& elsewhere :
       {commitment_of(other, 2, 3, what), commitment_of(peer, 3, 3, what), commitment_of(peer, 2, 4, what)})
    CHECK(elsewhere != commitment);
}

TEST_CASE("names for people") {
  CHECK(to_string(round_phase::merging) == "merging");
  CHECK(to_string(last_value(round_phase{})) == "stopped");
  CHECK(to_string(last_value(verify_mode{})) == "behind");
  CHECK(to_string(last_value(challenge_kind{})) == "not served");
  CHECK(to_string(last_value(verdict{})) == "tied");
  CHECK(to_string(last_value(bar_reason{})) == "it did not make, or check, its part of a merge");
  CHECK(to_string(peer_state::absent) == "absent");
  CHECK(to_string(on_train_end::snapshot) == "snapshot");
  CHECK(to_string(leave_reason::program_gone) == "its program is gone");
  CHECK(to_string(last_value(leave_reason{})) == "its SL gave no sign of life");
  CHECK(!is_refusal(leave_reason::program_gone));
  CHECK(!is_refusal(leave_reason::nothing_to_merge));
  CHECK(is_refusal(leave_reason::other_parameters));
  CHECK(is_refusal(leave_reason::other_min_peers));
  CHECK(to_string(exclusion_reason::not_finite) == "not finite");
  CHECK(parse_exclusion_reason("other parameters") == exclusion_reason::other_parameters);
  CHECK(!parse_exclusion_reason("born 1961-04-03"));
  CHECK(is_training_name("a.B-9_"));
  CHECK(!is_training_name("a b"));
}

TEST_CASE("answers with values no contract gives are refused") {
  CHECK(!decode_head({}));
  CHECK(!decode_head(bytes(32)));
  CHECK(!count_of(decode_answer<peer_count_args>(bytes(32, 0xff))));
  CHECK(count_of(decode_answer<peer_count_args>(bytes(32))).value() == 0);
  bytes too_many(64);
  too_many[31] = 0x20;
  too_many[62] = 0xff;
  CHECK(!decode_peers(too_many));
}

TEST_CASE("events of other contracts are told from broken ones") {
  CHECK(decode_training_event({}, {}).error().is(errc::not_found));
  CHECK(decode_training_event({keccak256("Other()")}, {}).error().is(errc::not_found));
  const auto broken = decode_training_event({event_topic<training_reset>(), hash32{}}, {});
  CHECK(!broken.error().is(errc::not_found));
  hash32 not_an_address;
  not_an_address.fill(0xff);
  const auto wrong = decode_training_event({event_topic<training_reset>(), not_an_address}, bytes(32));
  CHECK(wording(wrong.error())
        == "topics of TrainingReset(uint64,address): item 1: a value of more than 20 bytes");
}

} // namespace training_client_test
