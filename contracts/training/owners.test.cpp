#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/taskrunner/interface.hpp"
#include "contracts/taskrunner_registry/client.hpp"
#include "contracts/testing/training_probe.hpp"
#include "contracts/training_registry/client.hpp"

#include <doctest/doctest.h>

namespace owners_test {

// Whose trainings and taskrunners are, who may take part in them, who starts them over, and how many one organisation has.

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

constexpr std::uint16_t swci_1 = 10, swci_2 = 20, swci_3 = 30;

/// Three organisations, each with a SWCI and two SLs, whose numbers follow its own.
memory_world three_organisations() {
  memory_world world(make_contracts(), {}, test_founders({{10, 11, 12}, {20, 21, 22}, {30, 31, 32}}));
  for (std::uint16_t swci : {swci_1, swci_2, swci_3}) {
    REQUIRE(register_node(world, test_account(swci), node_type::swci).ok);
    for (std::uint16_t i = 1; i <= 2; ++i)
      REQUIRE(register_node(world, test_account(static_cast<std::uint16_t>(swci + i)), node_type::sl).ok);
  }
  return world;
}

wording refusal(memory_world& world, std::uint16_t from, const address& to, const bytes& input) {
  const auto done = world.send(test_account(from), to, input);
  return done.ok ? "" : revert_text(done.output);
}
wording create(memory_world& world, std::uint16_t from, std::string_view name) {
  return refusal(world, from, training_registry_address(), encode_create_training(name));
}
wording join(memory_world& world, std::uint16_t from, std::string_view training) {
  return refusal(world, from, training_address(training),
                 encode_register_peer({.min_peers = 2, .merge_method = "mean", .weightage = 1}));
}
wording reset(memory_world& world, std::uint16_t from, std::string_view training) {
  return refusal(world, from, training_address(training), encode_reset());
}
template <class Call>
auto ask(const memory_world& world, std::string_view training, const Call& call) {
  const auto out = world.view({}, training_address(training), encode(call));
  return decode_answer<Call>(out.output).value();
}
std::uint64_t generation(const memory_world& world, std::string_view training) {
  return training_probe(world, training_address(training)).head().generation;
}

} // namespace

TEST_CASE("a training is its maker's organisation's, which alone invites") {
  auto world = three_organisations();
  REQUIRE(create(world, swci_1, "ours") == "");
  CHECK(ask(world, "ours", owner_args{}) == owner_view{1, "Org 1"});
  CHECK(ask(world, default_training_name, owner_args{}) == owner_view{});
  CHECK(join(world, 31, "ours") == ""); // until somebody is invited everybody may
  const auto invite = [&](std::uint16_t from, organisation_id whom, std::string_view training = "ours") {
    return refusal(world, from, training_address(training), encode(invite_args{whom}));
  };
  CHECK(invite(swci_2, 2) == "the training is of the organisation 'Org 1', which alone invites");
  CHECK(invite(11, 2).contains("is not registered as an active SN or SWCI"));
  CHECK(invite(swci_1, 9) == "there is no organisation 9");
  CHECK(invite(swci_1, 1) == "'Org 1' is invited already");
  CHECK(invite(swci_1, 2, default_training_name) == "the training is nobody's and open to all");
  CHECK(invite(swci_1, 2) == "");
  CHECK(invite(swci_1, 2) == "'Org 2' is invited already");
  CHECK(ask(world, "ours", invited_args{}) == std::vector<owner_view>{{2, "Org 2"}});
  CHECK(join(world, 11, "ours") == "");
  CHECK(join(world, 21, "ours") == "");
  const auto uninvited =
      "the training is of the organisation 'Org 1', which has not invited 'Org 3': its SWCIs can, by "
      "INVITE";
  CHECK(join(world, 32, "ours") == uninvited);
  CHECK(
      refusal(world, 32, training_address("ours"), encode_report_refusal({1, leave_reason::other_min_peers}))
      == uninvited);
  CHECK(join(world, 32, default_training_name) == "");
}

TEST_CASE("a training under way is reset by its owner, or by most organisations in it") {
  auto world = three_organisations();
  const std::string name(default_training_name);
  CHECK(reset(world, swci_3, name) == ""); // nobody is in it
  REQUIRE(join(world, 11, name) == "");
  CHECK(reset(world, swci_3, name)
        == "the training is under way and the organisation 'Org 3' has no peer in it: those that have reset "
           "it");
  REQUIRE(join(world, 21, name) == "");
  REQUIRE(join(world, 22, name) == "");
  CHECK(reset(world, swci_1, name) == "");
  CHECK(reset(world, swci_1, name) == ""); // counts once
  CHECK(generation(world, name) == 2);
  CHECK(ask(world, name, reset_votes_args{}) == std::vector<owner_view>{{1, "Org 1"}});
  CHECK(reset(world, swci_2, name) == "");
  CHECK(generation(world, name) == 3);
  CHECK(ask(world, name, reset_votes_args{}).empty());
  // Whoever has left does not count.
  REQUIRE(join(world, 11, name) == "");
  REQUIRE(join(world, 21, name) == "");
  REQUIRE(reset(world, swci_1, name) == "");
  REQUIRE(refusal(world, 11, training_address(name), encode_leave_peer({})) == "");
  CHECK(reset(world, swci_2, name) == "");
  CHECK(generation(world, name) == 4);

  REQUIRE(create(world, swci_3, "theirs") == "");
  REQUIRE(join(world, 11, "theirs") == "");
  CHECK(reset(world, swci_3, "theirs") == "");
  CHECK(generation(world, "theirs") == 2);
}

TEST_CASE("a note says why a training was started over, and who") {
  auto world = three_organisations();
  const auto where = training_address(default_training_name);
  const auto noted = [&](std::uint16_t from, const std::string& note) {
    return world.send(test_account(from), where, encode(reset_with_note_args{note}));
  };
  const auto first_event = [](const memory_world::outcome& done) {
    return decode_training_event(done.events.at(0).topics, done.events.at(0).data).value();
  };
  CHECK(ask(world, default_training_name, last_reset_args{}) == reset_view{});
  const std::string why = "the scanners were calibrated anew: <b>\"start over\"</b> \u00e4\u2713";
  const auto done = noted(swci_1, why);
  REQUIRE(done.ok);
  REQUIRE(done.events.size() == 2);
  CHECK(first_event(done) == training_event{reset_noted{1, test_account(swci_1), why}});
  const auto at = world.block_num();
  CHECK(ask(world, default_training_name, last_reset_args{}) == reset_view{at, 1, test_account(swci_1), why});
  // One without a note leaves none behind, and an empty one is none.
  REQUIRE(reset(world, swci_2, default_training_name) == "");
  CHECK(ask(world, default_training_name, last_reset_args{}).note.empty());
  CHECK(ask(world, default_training_name, last_reset_args{}).by == test_account(swci_2));
  CHECK(noted(swci_1, "").events.size() == 1);

  CHECK(noted(swci_1, std::string(reset_note_bytes_max, 'x')).ok);
  CHECK(revert_text(noted(swci_1, std::string(reset_note_bytes_max + 1, 'x')).output)
        == "the note of a reset has 161 bytes, at most 160 are allowed");
  CHECK(revert_text(noted(swci_1, "a\nb").output) == "the note of a reset has a control character at byte 1");
  CHECK_FALSE(noted(11, "of an SL").ok);
  // Those who ask for a reset say why as well, and what they say is not taken for the reset's.
  REQUIRE(join(world, 11, default_training_name) == "");
  REQUIRE(join(world, 21, default_training_name) == "");
  const auto asked = noted(swci_1, "first");
  CHECK(asked.events.size() == 2);
  CHECK(ask(world, default_training_name, last_reset_args{}).note == std::string(reset_note_bytes_max, 'x'));
  CHECK(noted(swci_2, "second").events.size() == 3);
  CHECK(ask(world, default_training_name, last_reset_args{}).note == "second");
}

TEST_CASE("under older rules a reset has no note, and leaves what it always left") {
  const auto slots_after = [](std::uint64_t rules) {
    auto world = three_organisations();
    world.begin_rules(rules);
    const auto where = training_address(default_training_name);
    CHECK(refusal(world, swci_1, where, encode(reset_with_note_args{"why"}))
              .contains("Training has no function with selector")
          == (rules < 3));
    CHECK(reset(world, swci_1, default_training_name) == "");
    CHECK((ask(world, default_training_name, last_reset_args{}).block_num == 0) == (rules < 3));
    return world.slot_count();
  };
  CHECK(slots_after(1) == slots_after(2) - 1); // the word that says which rules are in force
  CHECK(slots_after(3) == slots_after(2) + 2); // who and what; there is no note
}

TEST_CASE(
    "so many trainings of an organisation are under way at once as its seats say, and none is stopped") {
  auto world = three_organisations();
  for (const auto* name : {"a", "b", "c"})
    REQUIRE(create(world, swci_1, name) == "");
  const auto limit = [&](std::uint32_t most) {
    return refusal(world, swci_1, node_registry_address(),
                   encode(limit_seats_args{seat_kind::training, most}));
  };
  const auto under_way = [&] {
    const auto out = world.view({}, training_registry_address(), encode(trainings_under_way_args{1}));
    return decode_answer<trainings_under_way_args>(out.output).value().to_u64();
  };
  REQUIRE(join(world, 11, "a") == "");
  REQUIRE(join(world, 11, "b") == "");
  CHECK(under_way() == 2);
  REQUIRE(limit(1) == "");
  // Both go on, and others still join them.
  CHECK(join(world, 21, "a") == "");
  CHECK(join(world, 21, "b") == "");
  CHECK(refusal(world, 11, training_address("a"), encode_leave_peer({})) == "");
  CHECK(join(world, 11, "a") == "");
  CHECK(join(world, 31, "c")
        == "the organisation 'Org 1' has 2 trainings under way: it limits itself to 1, and its SNs and SWCIs "
           "can change "
           "that (LIMIT SEATS); or one of them ends, or is reset");
  CHECK(join(world, 31, default_training_name) == ""); // which is nobody's
  REQUIRE(reset(world, swci_1, "a") == "");
  CHECK(under_way() == 1);
  CHECK(says(join(world, 31, "c"), "has 1 trainings under way"));
  CHECK(says(join(world, 31, "a"), "has 1 trainings under way"));
  // When all have left before anything was merged, it holds no place.
  for (const std::uint16_t peer : {11, 21})
    REQUIRE(refusal(world, peer, training_address("b"), encode_leave_peer({})) == "");
  CHECK(under_way() == 0);
  CHECK(join(world, 31, "c") == "");
  CHECK(says(join(world, 11, "b"), "has 1 trainings under way"));
  REQUIRE(limit(0) == "");
  CHECK(join(world, 11, "b") == "");
}

TEST_CASE("an organisation has as many trainings, and peers in one, as its limits say, and hinders nobody") {
  auto world = three_organisations();
  const auto limits = organisation_limits{};
  for (std::uint32_t i = 0; i < limits.trainings; ++i)
    REQUIRE(create(world, swci_1, fmt::format("t{}", i)) == "");
  CHECK(create(world, swci_1, "more")
        == "the organisation 'Org 1' has 64 trainings that are not over, the most that it may have: complete "
           "or reset one");
  CHECK(create(world, swci_2, "more") == "");

  std::vector<std::uint16_t> many;
  for (std::uint16_t i = 0; i <= limits.peers_per_training; ++i)
    many.push_back(static_cast<std::uint16_t>(100 + i));
  memory_world crowd(make_contracts(), {}, test_founders({many, {1}}));
  auto roomy = limits;
  roomy.nodes = 300;
  REQUIRE(register_node(crowd, test_account(many.front()), node_type::sl).ok); // now the SNs are members
  for (const std::size_t of : {1, 2})
    REQUIRE(
        crowd.send(test_voucher(of), organisation_registry_address(), encode(set_limits_args{1, roomy})).ok);
  for (const auto each : many) {
    REQUIRE(register_node(crowd, test_account(each), node_type::sl).ok);
    CHECK(join(crowd, each, default_training_name)
          == (each == many.back()
                  ? "the organisation 'Org 1' has 256 peers in this training, the most that it may have"
                  : ""));
  }
  REQUIRE(register_node(crowd, test_account(1), node_type::sl).ok);
  CHECK(join(crowd, 1, default_training_name) == "");
  CHECK(join(crowd, many.front(), default_training_name) == ""); // one that is there may come back
}

TEST_CASE("a training that is over makes room for a new one of its organisation, and does not come back") {
  auto world = three_organisations();
  for (std::uint32_t i = 0; i < organisation_limits{}.trainings; ++i)
    REQUIRE(create(world, swci_1, fmt::format("t{}", i)) == "");
  const auto phase = [&](std::string_view name) {
    return training_probe(world, training_address(name)).head().phase;
  };
  const auto gone =
      "the training is over for good: its organisation needed the place for another; create one";
  const auto over_without_a_model = encode_check_in({.generation = 1, .round_num = 1, .finished = true});
  // One that was reset and is empty; a complete one comes first.
  REQUIRE(join(world, 11, "t3") == "");
  REQUIRE(reset(world, swci_1, "t3") == "");
  REQUIRE(join(world, 11, "t5") == "");
  REQUIRE(refusal(world, 11, training_address("t5"), over_without_a_model) == "");
  REQUIRE(phase("t5") == round_phase::complete);
  CHECK(create(world, swci_1, "a") == "");
  CHECK(reset(world, swci_1, "t5") == gone);
  CHECK(reset(world, swci_1, "t3") == "");
  CHECK(create(world, swci_1, "b") == "");
  CHECK(phase("t3") == round_phase::complete);
  CHECK(reset(world, swci_1, "t3") == gone);
  CHECK(join(world, 11, "t3").contains("complete"));
  CHECK(create(world, swci_1, "c").contains("has 64 trainings that are not over"));
  // One that is in use stays: t3 did only as long as nobody had come back to it.
  REQUIRE(join(world, 11, "t7") == "");
  REQUIRE(reset(world, swci_1, "t7") == "");
  REQUIRE(join(world, 11, "t7") == "");
  CHECK(create(world, swci_1, "c").contains("has 64 trainings that are not over"));
}

TEST_CASE("a taskrunner is its maker's organisation's") {
  auto world = three_organisations();
  REQUIRE(refusal(world, swci_2, taskrunner_registry_address(), encode(create_taskrunner_args{"runner"}))
          == "");
  const auto owner = [&](std::string name) {
    const taskrunner_owner_args question{std::move(name)};
    return decode_answer<taskrunner_owner_args>(
               world.view({}, taskrunner_registry_address(), encode(question)).output)
        .value();
  };
  CHECK(owner("runner") == owner_view{2, "Org 2"});
  CHECK(owner(std::string(default_taskrunner_name)) == owner_view{});
}

TEST_CASE("only the owner says that merges are not verified") {
  auto world = three_organisations();
  REQUIRE(create(world, swci_1, "own") == "");
  const auto own = training_address("own");
  const auto set = [&](std::uint16_t from, const address& where, verify_mode mode) {
    return refusal(world, from, where, encode(set_verify_args{mode}));
  };
  CHECK(set(swci_2, own, verify_mode::off)
        == "the training is of the organisation 'Org 1', which alone says how its merges are verified");
  CHECK(set(swci_1, training_address(default_training_name), verify_mode::off)
        == "the training is nobody's: its merges are always verified");
  CHECK(set(swci_1, own, verify_mode::before) == "verify is 'before' already");
  const training_probe probe(world, own);
  CHECK(probe.head().verify == verify_mode::before);
  CHECK(set(swci_1, own, verify_mode::off) == "");
  CHECK(probe.head().verify == verify_mode::off);
  // It stays so in the next generation.
  REQUIRE(refusal(world, swci_1, own, encode_reset()) == "");
  CHECK(probe.head().verify == verify_mode::off);
  CHECK(set(swci_1, own, verify_mode::behind) == "");
  CHECK(probe.head().verify == verify_mode::behind);
  CHECK(set(swci_1, own, verify_mode::off) == "");

  const auto hash = [](std::uint64_t number) { return hash32(u256(number)); };
  for (const std::uint16_t sl : {11, 21, 31})
    REQUIRE(refusal(world, sl, own, encode_register_peer({3, "mean", 1})) == "");
  const auto generation = probe.head().generation;
  const opening what{hash(1), hash(2), hash(3)};
  const std::uint64_t size = 40u << 20; // where merges are verified it would be made in shards
  for (const std::uint16_t sl : {11, 21, 31})
    REQUIRE(refusal(world, sl, own,
                    encode_check_in({generation, 1, commitment_of(test_account(sl), generation, 1, what),
                                     size, hash(4), 1}))
            == "");
  for (const std::uint16_t sl : {11, 21, 31})
    REQUIRE(
        refusal(world, sl, own, encode(reveal_args{generation, 1, what.digest, what.salt, what.seed_hash}))
        == "");
  CHECK(probe.head().phase == round_phase::merging);
  CHECK(probe.shards().shards.empty()); // nobody would have all of what is accepted at once
  REQUIRE(
      refusal(world, 11, own,
              encode_commit_merge(
                  {generation, 1, 0, hash(5), size, {test_account(11), test_account(21), test_account(31)}}))
      == "");
  CHECK(probe.head().merged_round == 1);
  CHECK(probe.merge_of(1).checkers.empty());
}

} // namespace owners_test
