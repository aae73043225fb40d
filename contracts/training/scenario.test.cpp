#include "base/hash.hpp"
#include "contracts/testing/story.hpp"
#include "contracts/testing/training_probe.hpp"
#include "contracts/training/dealt.hpp"
#include "contracts/training/measures.hpp"

#include <doctest/doctest.h>

namespace training_scenario_test {

using namespace swarm;
using namespace swarm::contracts;

// Golden stories of rounds are in training/scenarios/*.txt (testing/story.hpp). Invariants are checked after each
// command. Commands, with options in any order:
//   nodes TYPE NAME...                  registers nodes
//   NAME register [min=2] [method=mean] [weight=1] [end=snapshot] [nolead]
//   NAME in ROUND [size=1000] [weight=1] [base=ROUND-1] [layout=0] [gen=] [finished] [of=NAME]
//   NAME reveal ROUND [of=NAME]         of=: what that one would
//   all reveal ROUND                    whoever is in and has not
//   NAME reveals-over ROUND
//   NAME vote ROUND | NAME suspect ROUND TERM | NAME leave REASON | NAME reset | NAME loss ROUND LOSS
//   NAME accuse NAME | NAME answer | wait SECONDS
//   NAME refused REASON [gen=]          its program was refused before it was a peer
//   NAME commit ROUND TERM CONTRIBUTOR... [-EXCLUDED...] [size=17825792]    leaves the excluded out as not available; ~: as not finite
//   NAME measure SHARD [sums=as many as it has units] [value=1] [bad] | NAME no-measure SHARD | all measure
//   NAME make SHARD [roots=as many as it has units] [term=] | NAME decline SHARD | all make
//   NAME seed | NAME attest | NAME challenge KIND [NUMBER] | NAME judge yes|no | NAME checks-over
//                                       of the proposal; all of these take term= and attempt=
//   all seed | all attest               whoever is awaited
//   all check                           until the proposal is accepted
//   NAME offline                        leaves the NodeRegistry
//   head | peers | order | merge ROUND | proposal | checks | shards | measures | deal
// In training/scenarios/organisations there are organisations: the first two names of a story belong to "Org 1", the next two to "Org 2", up to "Org 4".
// The name "leader" stands for whoever leads, in commands and in answers.

namespace {

class training_story final : public story {
public:
  explicit training_story(const std::vector<ledger::founder>& founders = {})
      : story(founders), where_(training_address(default_training_name)), probe_(world_, where_) {}

private:
  void act(const story_command& cmd) override {
    const auto& verb = cmd.word(0);
    if (verb == "wait") return world_.skip_seconds(cmd.number(1));
    if (verb == "head") return show_head();
    if (verb == "peers") return show_peers();
    if (verb == "order") return show_order();
    if (verb == "merge") return show_merge(probe_.merge_of(cmd.number(1)));
    if (verb == "proposal") return show_merge(probe_.proposal());
    if (verb == "checks") return show_checks();
    if (verb == "shards") return show_shards();
    if (verb == "deal") return show_deal();
    if (verb == "measures") return show_measures();
    if (verb == "all" && (cmd.word(1) == "make" || cmd.word(1) == "measure")) return make_all(cmd.word(1));
    if (verb == "all" && cmd.word(1) == "check") {
      while (probe_.head().phase == round_phase::verifying)
        ask_all(story_command(probe_.checks().attempt == 0 ? "all seed" : "all attest"));
      return;
    }
    if (verb == "all" && cmd.word(1) != "reveal") return ask_all(cmd);
    if (verb == "all") {
      for (const auto& one : probe_.check_ins())
        if (one.weightage > 0 && one.digest.is_zero()) call(cmd, one.peer);
      return;
    }
    call(cmd, account(cmd.word(0)));
  }

  void call(const story_command& cmd, const address& caller) {
    for (const auto& event : send(caller, where_, input_of(cmd, caller)))
      std::visit([this](const auto& one) { tell(one); },
                 decode_training_event(event.topics, event.data).value());
  }

  void ask_all(const story_command& cmd) {
    for (const auto& peer : probe_.checks().awaited)
      call(cmd, peer);
  }

  void check() override {
    const auto broken = probe_.broken_invariant();
    if (!broken.empty()) say("BROKEN INVARIANT: {}", broken);
  }

  address account(const std::string& name) override {
    return name == "leader" ? probe_.head().leader : story::account(name);
  }
  std::string names(const std::vector<address>& accounts) const {
    std::string out;
    for (const auto& one : accounts)
      out += (out.empty() ? "" : " ") + name(one);
    return out.empty() ? "nobody" : out;
  }
  static hash32 digest(const std::string& text) { return keccak256(text); }
  opening opening_of(const story_command& cmd, const address& caller) const {
    const auto whose = cmd.text("of", name(caller));
    return {digest("model of " + whose), digest("salt of " + name(caller)),
            seed_link(digest("seed of " + name(caller)), links)};
  }
  static constexpr std::uint32_t links = 16;
  /// What opens the seed that the check-in of `caller` has now.
  hash32 next_seed(const address& caller) const {
    for (const auto& one : probe_.check_ins())
      for (std::uint32_t i = links; one.peer == caller && i > 0; --i)
        if (const auto seed = digest("seed of " + name(caller)); seed_link(seed, i) == one.seed_hash)
          return seed_link(seed, i - 1);
    return {};
  }

  bytes input_of(const story_command& cmd, const address& caller) {
    const auto verb = cmd.word(1);
    const auto generation = cmd.number("gen", probe_.head().generation);
    if (verb == "register") {
      const std::map<std::string, on_train_end> ends{{"inactive", on_train_end::inactive},
                                                     {"snapshot", on_train_end::snapshot},
                                                     {"active", on_train_end::active}};
      return encode_register_peer({.min_peers = static_cast<std::uint32_t>(cmd.number("min", 2)),
                                   .merge_method = cmd.text("method", "mean"),
                                   .weightage = static_cast<std::uint32_t>(cmd.number("weight", 1)),
                                   .train_end = ends.at(cmd.text("end", "snapshot")),
                                   .epochs_total = 10,
                                   .can_lead = !cmd.has("nolead")});
    }
    if (verb == "in") {
      const auto weight = static_cast<std::uint32_t>(cmd.number("weight", 1));
      const bool model = weight > 0;
      return encode_check_in(
          {.generation = generation,
           .round_num = cmd.number(2),
           .commitment =
               model ? commitment_of(caller, generation, cmd.number(2), opening_of(cmd, caller)) : hash32{},
           .size = model ? cmd.number("size", 1000) : 0u,
           .layout_digest = model ? digest("layout " + cmd.text("layout", "0")) : hash32{},
           .weightage = weight,
           .base_round = cmd.number("base", probe_.head().merged_round),
           .finished = cmd.has("finished")});
    }
    if (verb == "reveal") {
      const auto what = opening_of(cmd, caller);
      return encode(reveal_args{generation, cmd.number(2), what.digest, what.salt, what.seed_hash});
    }
    if (verb == "reveals-over") return encode(close_reveals_args{generation, cmd.number(2)});
    if (verb == "vote") return encode_vote_close({generation, cmd.number(2)});
    if (verb == "suspect")
      return encode_suspect_leader({generation, cmd.number(2), static_cast<std::uint32_t>(cmd.number(3))});
    if (verb == "accuse") return encode(accuse_peer_args{generation, account(cmd.word(2))});
    if (verb == "answer") return encode(answer_accusation_args{generation});
    if (verb == "reset") return encode_reset();
    if (verb == "loss")
      return encode_report_loss(
          {generation, cmd.number(2), to_micro(std::stod(cmd.word(3))), to_micro(0.5), 1, 10});
    if (verb == "commit") return commit_input(cmd, generation);
    if (const auto input = check_input(cmd, caller, generation); !input.empty()) return input;
    const std::map<std::string, leave_reason> reasons{
        {"gone", leave_reason::program_gone},           {"failed", leave_reason::program_failed},
        {"ended", leave_reason::program_ended},         {"stopped", leave_reason::node_stopped},
        {"parameters", leave_reason::other_parameters}, {"method", leave_reason::other_merge_method},
        {"peers", leave_reason::other_min_peers}};
    if (verb == "refused") return encode_report_refusal({generation, reasons.at(cmd.word(2))});
    REQUIRE(verb == "leave");
    return encode_leave_peer({reasons.at(cmd.word(2))});
  }

  bytes check_input(const story_command& cmd, const address& caller, std::uint64_t generation) {
    const auto verb = cmd.word(1);
    const auto head = probe_.head();
    const auto term = static_cast<std::uint32_t>(cmd.number("term", head.term));
    const auto attempt = static_cast<std::uint32_t>(cmd.number("attempt", probe_.checks().attempt));
    const std::map<std::string, challenge_kind> kinds{{"chunk", challenge_kind::chunk},
                                                      {"exclusion", challenge_kind::exclusion},
                                                      {"unserved", challenge_kind::unserved}};
    if (verb == "seed") return encode(reveal_seed_args{generation, head.round_num, term, next_seed(caller)});
    if (verb == "measure" || verb == "no-measure") return measure_input(cmd, generation, term);
    if (verb == "make" || verb == "decline") return shard_input(cmd, generation, term);
    if (verb == "attest") return encode(attest_args{generation, head.round_num, term, attempt});
    if (verb == "checks-over") return encode(close_checks_args{generation, head.round_num, term, attempt});
    if (verb == "judge")
      return encode(judge_args{generation, head.round_num, term, attempt, cmd.word(2) == "yes"});
    if (verb == "challenge")
      return encode(challenge_args{generation, head.round_num, term, attempt, kinds.at(cmd.word(2)),
                                   cmd.words.size() > 3 ? cmd.number(3) : 0});
    return {};
  }

  /// The roots follow from the numbers of the units.
  bytes shard_input(const story_command& cmd, std::uint64_t generation, std::uint32_t term) {
    const auto shard = static_cast<std::uint32_t>(cmd.number(2));
    const auto now = probe_.shards();
    const auto count = static_cast<std::uint32_t>(now.shards.size());
    commit_shard_args args{generation, probe_.head().round_num, term, shard, {}};
    if (cmd.word(1) == "decline") return encode(args);
    const auto units = shard < count ? plan_of(now.size, count).units_of(shard) : contracts::run{0, 1};
    for (std::uint64_t i = 0; i < cmd.number("roots", units.count); ++i)
      args.roots.push_back(digest(fmt::format("unit {}", units.first + i)));
    return encode(args);
  }

  /// Each unit has the same sums, `value` times 1, 2, 3, ... of which the last is no sum if it is `bad`.
  bytes measure_input(const story_command& cmd, std::uint64_t generation, std::uint32_t term) {
    const auto shard = static_cast<std::uint32_t>(cmd.number(2));
    const auto now = probe_.shards();
    const auto count = static_cast<std::uint32_t>(now.shards.size());
    measure_shard_args args{generation, probe_.head().round_num, term, shard, {}};
    if (cmd.word(1) == "no-measure") return encode(args);
    const auto units = shard < count ? plan_of(now.size, count).units_of(shard).count : 1;
    std::vector<double> sums;
    for (std::uint32_t i = 1; i <= std::max(probe_.measures().sums, 1u); ++i)
      sums.push_back(static_cast<double>(i * cmd.number("value", 1)));
    if (cmd.has("bad")) sums.back() = -1;
    for (std::uint64_t i = 0; i < cmd.number("sums", units); ++i)
      for (const auto& word : pack_sums(sums))
        args.sums.push_back(word);
    return encode(args);
  }

  /// Each maker makes, or measures, what is awaited.
  void make_all(const std::string& verb) {
    const auto now = probe_.shards();
    for (std::uint32_t place = 0; place < now.shards.size(); ++place)
      if (now.shards[place].state == shard_state::awaited)
        call(story_command(fmt::format("maker {} {}", verb, place)), now.shards[place].maker);
  }

  bytes commit_input(const story_command& cmd, std::uint64_t generation) {
    commit_merge_args args;
    args.generation = generation;
    args.round_num = cmd.number(2);
    args.term = static_cast<std::uint32_t>(cmd.number(3));
    args.digest = digest("merge " + cmd.word(2));
    args.size = cmd.number("size", 17 * model_chunk_bytes);
    for (std::size_t i = 4; i < cmd.words.size(); ++i) {
      if (cmd.words[i].find('=') != std::string::npos) continue;
      if (cmd.words[i].front() == '~') {
        args.excluded.push_back(account(cmd.words[i].substr(1)));
        args.reasons.push_back(exclusion_reason::not_finite);
      } else if (cmd.words[i].front() != '-') {
        args.contributors.push_back(account(cmd.words[i]));
      } else {
        args.excluded.push_back(account(cmd.words[i].substr(1)));
        args.reasons.push_back(exclusion_reason::not_available);
      }
    }
    return encode_commit_merge(args);
  }

  void tell(const peer_registered& e) {
    say("{} registered: generation {}, minPeers {}, {}, weightage {}", name(e.peer), e.generation,
        e.min_peers, e.merge_method, e.weightage);
  }
  void tell(const peer_left& e) { say("{} left: {}", name(e.peer), to_string(e.reason)); }
  void tell(const peer_odd& e) { say("{} is odd: {}", name(e.peer), to_string(e.reason)); }
  void tell(const agreement_changed& e) {
    say("{} organisations agree: generation {}, minPeers {}, {}, {}", e.organisations, e.generation,
        e.min_peers, e.merge_method, layout_name(e.layout_digest));
  }
  void tell(const peer_accused& e) { say("{} hears nothing of {}", name(e.by), name(e.peer)); }
  void tell(const peer_answered& e) { say("{} is heard, {} was wrong", name(e.peer), name(e.by)); }
  void tell(const peer_absent& e) { say("{} is absent from round {}", name(e.peer), e.round_num); }
  void tell(const checked_in& e) {
    say("{} is in round {}: weightage {}, base {}{}", name(e.peer), e.round_num, e.weightage, e.base_round,
        e.finished ? ", finished" : "");
  }
  void tell(const reveals_opened& e) {
    say("round {} is revealed: {} participants", e.round_num, e.participants);
  }
  void tell(const revealed& e) {
    say("{} reveals its model for round {}{}", name(e.peer), e.round_num,
        e.weightage > 0 ? "" : ", which another one brings: it brings none");
  }
  void tell(const withheld& e) {
    say("{} withholds its model for round {}, trusted from round {}", name(e.peer), e.round_num,
        e.trusted_from);
  }
  void tell(const round_closed& e) {
    say("round {} closed: leader {}, {} participants, {} contributors", e.round_num, name(e.leader),
        e.participants, e.contributors);
  }
  void tell(const round_reopened& e) { say("round {} is collected anew", e.round_num); }
  void tell(const leader_suspected& e) {
    if (e.by == e.leader) return say("{} gives up term {}", name(e.by), e.term);
    say("{} suspects {}, leader of term {}", name(e.by), name(e.leader), e.term);
  }
  void tell(const leader_changed& e) {
    say("{} leads round {} under term {}", name(e.leader), e.round_num, e.term);
  }
  void tell(const merge_committed& e) {
    say("round {} merged under term {} by {}: {}; without {}", e.round_num, e.term,
        e.shards == 0 ? name(e.leader) : fmt::format("{} makers", e.shards), names(e.contributors),
        names(e.excluded));
  }
  void tell(const shard_committed& e) {
    if (e.roots.empty()) return say("{} declines shard {}", name(e.peer), e.shard);
    say("{} makes shard {}: {} units", name(e.peer), e.shard, e.roots.size());
  }
  void tell(const shard_measured& e) {
    if (e.sums.empty()) return say("{} declines to measure shard {}", name(e.peer), e.shard);
    say("{} measures shard {}: {} words", name(e.peer), e.shard, e.sums.size());
  }
  void tell(const models_measured& e) {
    say("the models of round {} are measured, term {}: {} words", e.round_num, e.term, e.totals.size());
  }
  void tell(const seed_revealed& e) { say("{} reveals its seed for term {}", name(e.peer), e.term); }
  void tell(const checks_dealt& e) {
    say("round {} term {} is dealt out, attempt {}: {} chunks to {} checkers", e.round_num, e.term, e.attempt,
        e.chunks, e.checkers);
  }
  void tell(const attested& e) { say("{} attests the merge of term {}", name(e.peer), e.term); }
  void tell(const merge_challenged& e) {
    say("{} challenges the merge of term {}: {} {}", name(e.by), e.term, to_string(e.kind), e.number);
  }
  void tell(const judged& e) { say("{} says that it {}", name(e.peer), e.holds ? "holds" : "does not hold"); }
  void tell(const challenge_decided& e) {
    say("the merge of term {} is {}: {} to {}", e.term, to_string(e.outcome), e.holds, e.against);
  }
  void tell(const barred& e) {
    say("{} is barred until round {}: {}", name(e.peer), e.until, to_string(e.reason));
  }
  void tell(const merge_accepted& e) {
    say("the merge of round {} by {} is accepted, checked by {}", e.round_num, name(e.leader),
        names(e.checkers));
  }
  void tell(const round_stopped& e) {
    say("round {} is stopped: {} and {} disagree", e.round_num, name(e.leader), name(e.challenger));
  }
  void tell(const verify_set& e) { say("{} sets verify {}", name(e.by), to_string(e.mode)); }
  void tell(const loss_reported& e) {
    say("{} has loss {} after round {}", name(e.peer), from_micro(e.loss_micro), e.round_num);
  }
  void tell(const training_complete& e) { say("complete with round {}", e.round_num); }
  void tell(const reset_asked& e) {
    say("{} asks for a reset of generation {}, for organisation {}", name(e.by), e.generation,
        e.organisation);
  }
  void tell(const reset_noted& e) { say("{} resets generation {}: {}", name(e.by), e.generation, e.note); }
  void tell(const organisation_invited& e) { say("{} invites organisation {}", name(e.by), e.organisation); }
  void tell(const training_reset& e) { say("reset by {}: generation {}", name(e.by), e.generation); }

  void show_head() {
    const auto h = probe_.head();
    say("generation {} round {} {} term {} leader {} minPeers {} {} waiting for {} in {} votes {} merged {}",
        h.generation, h.round_num, to_string(h.phase), h.term, h.leader.is_zero() ? "nobody" : name(h.leader),
        h.min_peers, h.merge_method, h.waited_for, h.checked_in, h.close_votes, h.merged_round);
  }
  void show_peers() {
    for (const auto& p : probe_.peers())
      say("{}{} {}{} last round {} loss round {}{}{} at {}", p.name,
          p.organisation == 0 ? "" : fmt::format(" of {}", p.organisation_name), to_string(p.state),
          p.state == peer_state::left || p.state == peer_state::odd
              ? fmt::format(" as {}", to_string(p.reason))
              : "",
          p.last_round, p.loss_round, p.can_lead ? "" : " cannot lead",
          p.barred_until == 0 ? "" : fmt::format(" barred until {}", p.barred_until), p.endpoint);
  }
  void show_order() {
    std::vector<address> in;
    for (const auto& one : probe_.check_ins())
      in.push_back(one.peer);
    say("{}", names(in));
  }
  void show_checks() {
    const auto now = probe_.checks();
    say("attempt {}: {} chunks, awaited {}", now.attempt, now.chunks, names(now.awaited));
    for (const auto& seat : now.seats)
      say("{}{}{}", name(seat.peer), seat.organisation == 0 ? "" : fmt::format(" of {}", seat.organisation),
          seat.attested ? " has attested" : "");
  }
  void show_deal() {
    const auto dealt = deal_of(probe_.checks(), probe_.proposal(), probe_.shards());
    const auto seats = probe_.checks().seats;
    for (std::uint64_t chunk = 0; chunk < probe_.checks().chunks; ++chunk) {
      std::vector<address> who;
      for (const auto place : dealt.places_of(chunk))
        who.push_back(seats[place].peer);
      say("chunk {} to {}", chunk, names(who));
    }
  }
  void show_shards() {
    const auto now = probe_.shards();
    if (now.shards.empty()) return say("no shards");
    say("{} bytes in units of {} chunks, {}", now.size, now.unit_chunks,
        now.open ? fmt::format("{} s more", now.until - std::min(now.until, world_.block_time()))
                 : "put together");
    for (std::uint32_t place = 0; place < now.shards.size(); ++place) {
      const auto& own = now.shards[place];
      say("shard {} of {} is {}: {} units", place, name(own.maker), to_string(own.state),
          plan_of(now.size, static_cast<std::uint32_t>(now.shards.size())).units_of(place).count);
    }
  }
  void show_measures() {
    const auto now = probe_.measures();
    if (now.sums == 0) return say("nothing is measured");
    if (now.open) return say("{} sums of each unit, being measured", now.sums);
    std::string totals;
    const auto sums = unpack_sums(now.totals, now.sums).value();
    for (const auto total : sums)
      totals += fmt::format(" {}", total);
    say("{} sums of {} units, in all{}", now.sums, now.units.size(), totals);
  }
  void show_merge(const merge_view& m) {
    say("round {} term {} by {}: {}; without {}", m.round_num, m.term,
        m.shards == 0 ? name(m.leader) : fmt::format("{} makers under {}", m.shards, name(m.leader)),
        names(m.contributors), names(m.excluded));
    for (const auto& reason : m.reasons)
      say("reason: {}", to_string(reason));
    if (!m.checkers.empty()) say("checked by {}", names(m.checkers));
  }

  static std::string layout_name(const hash32& layout) {
    for (const auto* name : {"0", "other", "third"})
      if (layout == digest(std::string("layout ") + name)) return std::string("layout ") + name;
    return layout.is_zero() ? "no layout" : "an unknown layout";
  }

  address where_;
  training_probe probe_;
};

} // namespace

TEST_CASE("the golden stories of rounds happen as written") {
  check_stories(
      "contracts/training/scenarios", [] { return std::make_unique<training_story>(); }, 7);
}

TEST_CASE("and so do those of organisations") {
  const auto founders = test_founders({{0, 1}, {2, 3}, {4, 5}, {6, 7}});
  check_stories(
      "contracts/training/scenarios/organisations",
      [&founders] { return std::make_unique<training_story>(founders); }, 1);
}

} // namespace training_scenario_test
