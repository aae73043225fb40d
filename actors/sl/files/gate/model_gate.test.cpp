#include "actors/sl/files/gate/model_gate.hpp"

#include "contracts/training/dealing.hpp"

#include <doctest/doctest.h>

namespace model_gate_test {

using namespace swarm;
using namespace swarm::gate;
using namespace std::chrono_literals;
using action::verdict;
using contracts::node_type;
using contracts::peer_state;
using contracts::round_phase;

namespace {

constexpr std::uint8_t self = 1, leader = 2, other_peer = 3, outsider = 4, swci = 5, gone = 6;
const std::string training = "t";

address account(std::uint8_t which) {
  address out;
  out[0] = which;
  return out;
}
hash32 hash(std::uint8_t which) {
  hash32 out;
  out[0] = which;
  return out;
}
const auto own = hash(0x10), merged = hash(0x20), fetched = hash(0x30);

/// A gate with a chain that answers when the test says so.
struct bench {
  model_gate gate{account(self)};
  chain_reading chain;
  std::map<address, contracts::node_view> nodes;
  time_point now{1h};
  std::uint64_t next_id = 1;
  std::map<std::uint64_t, action::answer> answers;
  std::vector<action::read_chain> readings;
  std::vector<std::string> notes;

  bench() {
    for (const auto& [who, type] : {std::pair(self, node_type::sl), std::pair(leader, node_type::sl),
                                    std::pair(other_peer, node_type::sl), std::pair(outsider, node_type::sl),
                                    std::pair(swci, node_type::swci), std::pair(gone, node_type::sl)}) {
      contracts::node_view node;
      node.account = account(who);
      node.type = type;
      node.active = true;
      node.identity = hash(who);
      nodes[node.account] = node;
    }
    chain.block_num = 10;
    for (const auto& [who, state] :
         {std::pair(self, peer_state::active), std::pair(leader, peer_state::active),
          std::pair(other_peer, peer_state::finished), std::pair(gone, peer_state::left)}) {
      contracts::peer_view peer;
      peer.account = account(who);
      peer.state = state;
      chain.training.peers.push_back(peer);
    }
    contracts::check_in_view in;
    in.peer = account(self);
    in.digest = own;
    in.weightage = 1;
    chain.training.check_ins = {in};
    in.peer = account(other_peer);
    in.digest = fetched;
    chain.training.check_ins.push_back(in);
    merging(leader);
    chain.training.head.round_num = 2;
    chain.training.head.merged_round = 1;
    chain.training.head.merged_digest = merged;
    gate.step(event::training_followed{training}, now);
  }

  void merging(std::uint8_t by) {
    chain.training.head.phase = round_phase::merging;
    chain.training.head.leader = account(by);
  }
  void collecting() {
    chain.training.head.phase = round_phase::collecting;
    chain.training.head.leader = {};
  }

  void take() {
    for (const auto& each : gate.take_actions()) {
      if (const auto* said = std::get_if<action::answer>(&each)) answers[said->id] = *said;
      if (const auto* read = std::get_if<action::read_chain>(&each)) readings.push_back(*read);
      if (const auto* note = std::get_if<action::note>(&each)) notes.push_back(note->text);
    }
  }
  std::uint64_t ask(std::uint8_t who, const hash32& digest, wanted what = wanted::model,
                    std::uint64_t block_num = 0, std::optional<std::uint8_t> certificate = {}) {
    gate.step(event::asked{next_id,
                           {hash(certificate.value_or(who)), "CN=x", "CN=CA-7", account(who), block_num},
                           digest,
                           what},
              now);
    take();
    return next_id++;
  }
  /// The chain answers everything that it was asked.
  void answer() {
    for (const auto& each : std::exchange(readings, {})) {
      auto reading = chain;
      reading.node = nodes.contains(each.account) ? nodes[each.account] : contracts::node_view{};
      gate.step(event::chain_read{each.id, std::move(reading)}, now);
    }
    take();
  }
  void pass(duration time) {
    now += time;
    gate.step(event::tick{}, now);
    take();
  }
  /// A new block: the follower has read it.
  void block() {
    ++chain.block_num;
    gate.step(event::merge_seen{chain.block_num, training, chain.training.head.merged_digest}, now);
    take();
  }
  verdict told(std::uint64_t id) {
    REQUIRE(answers.contains(id));
    return answers[id].verdict;
  }
  verdict judge(std::uint8_t who, const hash32& digest, wanted what = wanted::model) {
    const auto id = ask(who, digest, what);
    answer();
    return told(id);
  }
};

} // namespace

TEST_CASE("a peer's own model is for the leader of its round alone, while it merges") {
  bench b;
  CHECK(b.judge(leader, own) == verdict::granted);
  CHECK(b.judge(other_peer, own) == verdict::refused);
  CHECK(b.judge(outsider, own) == verdict::refused);
  CHECK(b.judge(swci, own) == verdict::refused);
  b.collecting(); // the round is over before the leader asks
  b.block();
  CHECK(b.judge(leader, own) == verdict::refused);
  b.merging(other_peer); // it failed, and another one leads
  b.block();
  CHECK(b.judge(leader, own) == verdict::refused);
  CHECK(b.judge(other_peer, own) == verdict::granted);
  b.chain.training.check_ins.clear(); // the next round, to which this node has not brought anything
  b.block();
  CHECK(b.judge(other_peer, own) == verdict::unknown);
}

TEST_CASE("nobody has a model before it is revealed, but its peers have its layout") {
  bench b;
  const auto commitment = hash(0x44);
  auto& in = b.chain.training.check_ins.front();
  in.digest = {};
  in.commitment = commitment;
  b.chain.training.head.phase = round_phase::revealing;
  b.chain.training.head.leader = {};
  b.chain.training.head.layout_digest = hash(0x45);
  for (const auto who : {leader, other_peer, outsider, swci})
    for (const auto& digest : {own, hash32{}, commitment})
      CHECK(b.judge(who, digest) == verdict::unknown);
  CHECK(b.judge(other_peer, own, wanted::layout) == verdict::unknown);
  CHECK(b.judge(outsider, commitment, wanted::layout) == verdict::refused);
  const auto id = b.ask(other_peer, commitment, wanted::layout);
  b.answer();
  CHECK(b.told(id) == verdict::granted);
  CHECK(b.answers[id].layout == hash(0x45));
  in.digest = own;
  b.block();
  CHECK(b.judge(leader, own) == verdict::refused); // the round is not being merged yet
  b.merging(leader);
  b.block();
  CHECK(b.judge(leader, own) == verdict::granted);
}

TEST_CASE("a merged model is for the peers of its training and for SWCIs") {
  bench b;
  for (const auto who : {leader, other_peer, swci})
    CHECK(b.judge(who, merged) == verdict::granted);
  CHECK(b.judge(outsider, merged) == verdict::refused);
  CHECK(b.judge(gone, merged) == verdict::refused);
  // An older merge is known from when it was the newest.
  b.chain.training.head.merged_digest = hash(0x21);
  b.block();
  CHECK(b.judge(other_peer, merged) == verdict::granted);
  // One of a training that this node took part in before.
  b.gate.step(event::training_followed{"u"}, b.now);
  b.gate.step(event::merge_seen{b.chain.block_num, "u", hash(0x40)}, b.now);
  b.take();
  b.now += model_gate::reading_age_max;
  const auto id = b.ask(other_peer, merged);
  REQUIRE(b.readings.size() == 1);
  CHECK(b.readings[0].training == training);
  b.answer();
  CHECK(b.told(id) == verdict::granted);
  CHECK(b.gate.merges().size() == 3);
}

TEST_CASE("what a leader fetched from others is for nobody") {
  bench b;
  b.merging(self);
  for (const auto who : {leader, other_peer, outsider, swci})
    CHECK(b.judge(who, fetched) == verdict::unknown);
}

TEST_CASE(
    "while a merge is checked, what it was made of is for those who contributed, and from the leader, too") {
  bench b;
  const auto proposed = hash(0x40);
  const auto check = [&](round_phase phase, std::uint8_t by) {
    b.merging(by);
    b.chain.training.head.phase = phase;
    b.chain.training.proposal.round_num = 2;
    b.chain.training.proposal.digest = proposed;
    b.chain.training.checks.attempt = 1;
    b.chain.training.checks.chunks = 1;
    b.chain.training.checks.seats = {{account(other_peer), 1}};
    b.block();
  };
  for (const auto phase : {round_phase::verifying, round_phase::disputed}) {
    check(phase, leader);
    CHECK(b.judge(other_peer, own) == verdict::granted);
    CHECK(b.judge(leader, own) == verdict::refused); // it brought no model to this round
    CHECK(b.judge(outsider, own) == verdict::refused);
    CHECK(b.judge(swci, own) == verdict::refused);
    CHECK(b.judge(other_peer, fetched) == verdict::unknown); // this node does not lead
    CHECK(b.judge(other_peer, proposed) == verdict::granted);
    CHECK(b.judge(outsider, proposed) == verdict::refused);
    check(phase, self);
    CHECK(b.judge(other_peer, fetched) == verdict::granted);
    CHECK(b.judge(gone, fetched) == verdict::refused);
    CHECK(b.judge(other_peer, hash(0x50)) == verdict::unknown);
  }
  b.collecting();
  b.block();
  CHECK(b.judge(other_peer, own) == verdict::refused);
  CHECK(b.judge(other_peer, fetched) == verdict::unknown);
}

TEST_CASE("who checks a merge gets what is dealt to it, and all get what is challenged") {
  bench b;
  auto& checks = b.chain.training.checks;
  auto& proposal = b.chain.training.proposal;
  const auto granted = [&] {
    b.block();
    const auto id = b.ask(other_peer, own);
    b.answer();
    return b.answers.at(id);
  };
  b.merging(leader);
  b.chain.training.head.phase = round_phase::verifying;
  proposal = {};
  proposal.round_num = 2;
  checks.chunks = 6;
  CHECK(granted().verdict == verdict::refused); // the seeds are not there yet
  checks.attempt = 1;
  checks.seats = {{account(self), 1}, {account(gone), 2}};
  CHECK(granted().verdict == verdict::refused);
  checks.seats.push_back({account(other_peer), 3});
  CHECK(granted().verdict == verdict::granted);
  CHECK(granted().chunks == contracts::deal({1, 2, 3}, 6).chunks_of(2));
  b.chain.training.head.phase = round_phase::disputed;
  checks.kind = contracts::challenge_kind::chunk;
  checks.number = 4;
  CHECK(granted().chunks == std::vector<std::uint64_t>{4});
  checks.kind = contracts::challenge_kind::exclusion;
  CHECK_FALSE(granted().chunks);
  b.chain.training.head.phase = round_phase::verifying;
  proposal.excluded = {account(gone)};
  proposal.reasons = {contracts::exclusion_reason::not_available};
  CHECK(granted().chunks);
  proposal.excluded = {account(self)}; // the model that is asked for
  CHECK_FALSE(granted().chunks);
  proposal.excluded = {account(gone)};
  proposal.reasons = {contracts::exclusion_reason::not_finite};
  CHECK_FALSE(granted().chunks);
}

TEST_CASE("where all check all of a merge, who contributes gets the models while they are merged") {
  bench b;
  auto& of = b.chain.training;
  for (auto& in : of.check_ins)
    in.size = 1000;
  b.block();
  CHECK(b.judge(other_peer, own) == verdict::granted);
  for (const auto who : {outsider, swci, gone})
    CHECK(b.judge(who, own) == verdict::refused);
  SUBCASE("and not before") {
    b.collecting();
  }
  SUBCASE("nor where leaders are trusted") {
    of.head.verify = contracts::verify_mode::off;
  }
  SUBCASE("nor where the models are large and there are more") {
    for (auto& in : of.check_ins)
      in.size = contracts::whole_checks_max * contracts::model_chunk_bytes;
    for (std::uint8_t more = 20; more < 22; ++more) {
      of.check_ins.push_back(of.check_ins.front());
      of.check_ins.back().peer = account(more);
    }
  }
  SUBCASE("nor what it has not revealed itself") {
    of.check_ins.back().digest = {};
  }
  b.block();
  CHECK(b.judge(other_peer, own) == verdict::refused);
}

TEST_CASE("layouts are for whoever has registered as a peer, even if it was refused since") {
  bench b;
  for (const auto who : {leader, other_peer, gone}) {
    CHECK(b.judge(who, own, wanted::layout) == verdict::granted);
    CHECK(b.judge(who, merged, wanted::layout) == verdict::granted);
  }
  CHECK(b.judge(outsider, own, wanted::layout) == verdict::refused);
  CHECK(b.judge(outsider, merged, wanted::layout) == verdict::refused);
}

TEST_CASE("the progress of a merge is for the peers of its training and for SWCIs") {
  bench b;
  for (const auto who : {leader, other_peer, gone, swci})
    CHECK(b.judge(who, {}, wanted::progress) == verdict::granted);
  CHECK(b.judge(outsider, {}, wanted::progress) == verdict::refused);
  const auto id = b.ask(other_peer, {}, wanted::progress, 0, leader); // with another one's certificate
  b.answer();
  CHECK(b.told(id) == verdict::refused);
}

TEST_CASE("an account counts with the certificate that it registered, which several may share") {
  bench b;
  auto id = b.ask(leader, own, wanted::model, 0, outsider);
  b.answer();
  CHECK(b.told(id) == verdict::refused);
  b.nodes[account(other_peer)].identity = hash(leader);
  b.block();
  id = b.ask(other_peer, merged, wanted::model, 0, leader);
  b.answer();
  CHECK(b.told(id) == verdict::granted);
  b.nodes[account(leader)].active = false;
  b.block();
  CHECK(b.judge(leader, own) == verdict::refused);
  CHECK(b.judge(99, merged) == verdict::refused); // nobody has registered this account
  b.gate.step(event::asked{1000, {hash(leader), "CN=x", {}, {}, 0}, own, wanted::model}, b.now);
  b.take();
  CHECK(b.told(1000) == verdict::refused);
  CHECK(b.readings.empty());
}

TEST_CASE("the chain is read once a block for all who ask, and again after a second") {
  bench b;
  CHECK(b.judge(leader, own) == verdict::granted);
  b.ask(leader, own);
  CHECK(b.readings.empty());
  b.block();
  b.ask(leader, own);
  b.ask(leader, own);
  CHECK(b.readings.size() == 1);
  b.answer();
  CHECK(b.answers.size() == 4);
  b.now += model_gate::reading_age_max;
  b.ask(leader, own);
  CHECK(b.readings.size() == 1);
}

TEST_CASE("a leader that knows of it before this node's SN does is not refused") {
  bench b;
  b.collecting();
  const auto id = b.ask(leader, own, wanted::model, b.chain.block_num + 1);
  b.answer();
  CHECK_FALSE(b.answers.contains(id));
  b.pass(model_gate::look_again);
  b.answer();
  CHECK_FALSE(b.answers.contains(id)); // the block is not here yet
  b.merging(leader);
  ++b.chain.block_num;
  b.pass(2 * model_gate::look_again);
  b.answer();
  CHECK(b.told(id) == verdict::granted);
  CHECK(b.gate.waiting() == 0);
  // Who claims to have seen a block that never comes is told to come later.
  const auto lie = b.ask(other_peer, own, wanted::model, ~std::uint64_t{0});
  std::size_t asked = 0;
  for (int i = 0; i < 400 && !b.answers.contains(lie); ++i) {
    asked += b.readings.size();
    b.answer();
    b.pass(10ms);
  }
  CHECK(b.told(lie) == verdict::later);
  CHECK(asked < 10);
}

TEST_CASE("without the chain nobody is let in or refused: all are told to come later") {
  bench b;
  const auto silent = b.ask(leader, own);
  CHECK(b.gate.wake_at() == b.now + model_gate::answer_max);
  b.pass(model_gate::answer_max);
  CHECK(b.told(silent) == verdict::later);
  CHECK_FALSE(b.gate.wake_at());
  b.readings.clear(); // the client of the SN was started again; the question is lost
  CHECK(b.judge(leader, own) == verdict::granted);
  b.block();
  const auto failing = b.ask(leader, own);
  for (int i = 0; i < 400 && !b.answers.contains(failing); ++i) {
    for (const auto& each : std::exchange(b.readings, {}))
      b.gate.step(event::chain_read{each.id, fail(errc::unavailable, "no SN")}, b.now);
    b.pass(10ms);
  }
  CHECK(b.told(failing) == verdict::later);
  CHECK(b.gate.refused().count() == 0);
}

TEST_CASE("an SN that is behind is not believed, until the chain must be another one") {
  bench b;
  CHECK(b.judge(leader, own) == verdict::granted);
  b.gate.step(event::merge_seen{100, training, merged}, b.now);
  auto id = b.ask(leader, own);
  b.answer();
  CHECK_FALSE(b.answers.contains(id));
  b.pass(model_gate::answer_max);
  CHECK(b.told(id) == verdict::later);
  b.now += model_gate::chain_lost;
  CHECK(b.judge(leader, own) == verdict::granted);
}

TEST_CASE("a node that takes part in nothing serves nothing") {
  bench b;
  b.gate = model_gate(account(self));
  b.ask(leader, own);
  CHECK(b.answers.begin()->second.verdict == verdict::unknown);
  CHECK(b.readings.empty());
  // What it knows from its last life is served all the same.
  b.gate = model_gate(account(self), {{merged, training}});
  CHECK(b.judge(other_peer, merged) == verdict::granted);
}

TEST_CASE("who was refused is named, in the log now and then, and is made to wait") {
  bench b;
  for (std::uint64_t i = 0; i < refusals::patience; ++i)
    CHECK(b.judge(outsider, own) == verdict::refused);
  REQUIRE(b.notes.size() == 1);
  CHECK(b.notes[0].find(to_hex(hash(outsider).view())) != std::string::npos);
  CHECK(b.notes[0].find(to_hex(account(outsider).view())) != std::string::npos);
  CHECK(b.notes[0].find("CN=x of CN=CA-7") != std::string::npos);
  CHECK(b.gate.refused().by_certificate().at(hash(outsider)).count == refusals::patience);
  b.readings.clear();
  const auto id = b.ask(outsider, own);
  CHECK(b.told(id) == verdict::later);
  CHECK(b.readings.empty());
  CHECK(b.judge(leader, own) == verdict::granted); // others do not wait for it
  b.now += refusals::log_pause;
  CHECK(b.judge(outsider, own) == verdict::refused);
  REQUIRE(b.notes.size() == 2);
  CHECK(b.notes[1].find("7 more") != std::string::npos);
  // A thousand certificates are not remembered for ever.
  for (int i = 0; i < 1000; ++i) {
    auto certificate = hash(7);
    certificate[1] = static_cast<std::uint8_t>(i);
    certificate[2] = static_cast<std::uint8_t>(i >> 8);
    b.gate.step(
        event::asked{
            100000U + static_cast<unsigned>(i), {certificate, "CN=y", {}, {}, 0}, own, wanted::model},
        b.now);
  }
  CHECK(b.gate.refused().by_certificate().size() == refusals::certificates_max);
}

TEST_CASE("questions that wait are bounded, for each certificate and together") {
  bench b;
  for (std::size_t i = 0; i < model_gate::waiting_per_certificate_max; ++i)
    b.ask(leader, own);
  CHECK(b.readings.size() == 1);
  CHECK(b.told(b.ask(leader, own)) == verdict::later);
  const auto other = b.ask(other_peer, merged);
  CHECK_FALSE(b.answers.contains(other));
  for (std::size_t i = 0; i < 2 * model_gate::waiting_max; ++i) {
    auto certificate = hash(9);
    certificate[1] = static_cast<std::uint8_t>(i);
    b.gate.step(event::asked{500000U + i,
                             {certificate, "CN=y", {}, account(static_cast<std::uint8_t>(i)), 0},
                             own,
                             wanted::model},
                b.now);
  }
  b.take();
  CHECK(b.gate.waiting() <= model_gate::waiting_max);
  CHECK(b.readings.size() <= model_gate::readings_max);
}

} // namespace model_gate_test
