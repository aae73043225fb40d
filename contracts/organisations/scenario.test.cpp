#include "base/hash.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/organisations_probe.hpp"
#include "contracts/testing/story.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

namespace organisations_scenario_test {

using namespace swarm;
using namespace swarm::contracts;

// Golden stories of organisations are in organisations/scenarios/*.txt (testing/story.hpp). The founders are ada (id 1),
// bea (2) and cyd (3), with the validators ann, ben and cat, and dot (4), which has none; each has the anchor of its own
// name. Invariants are checked after each command. Commands:
//   nodes TYPE NAME...                      registers nodes
//   NAME offline                            leaves the NodeRegistry
//   NAME vouches NAME                       vouches for the registration of a node that founded nothing; such ones claim ada
//   NAME admit ORGANISATION ANCHOR...       '_' in the name of an organisation is a blank
//   NAME remove ID | NAME anchors ID ANCHOR... | NAME limits ID NODES
//   NAME back INDEX                         takes the vote on a motion of the list back
//   wait BLOCKS | list | motions

namespace {

std::vector<ledger::founder> founders() {
  std::vector<ledger::founder> out;
  for (const auto* name : {"ada", "bea", "cyd", "dot"})
    out.push_back({name, {keccak256(std::string_view(name))}, {}});
  for (std::uint16_t i = 0; i < 3; ++i)
    out[i].validators = {test_account(i)};
  return out;
}

class organisations_story final : public story {
public:
  organisations_story() : story(founders()), probe_(world_) {
    for (const auto* name : {"ann", "ben", "cat"})
      account(name);
    for (const auto* anchor : {"ada", "bea", "cyd", "dot"})
      anchors_[keccak256(std::string_view(anchor))] = anchor;
  }

private:
  void act(const story_command& cmd) override {
    if (cmd.word(0) == "wait") return world_.skip_blocks(cmd.number(1));
    if (cmd.word(0) == "list") return show_organisations();
    if (cmd.word(0) == "motions") return show_motions();
    if (cmd.word(1) == "vouches") return vouch(account(cmd.word(0)), account(cmd.word(2)));
    for (const auto& event : send(account(cmd.word(0)), organisation_registry_address(), input_of(cmd)))
      std::visit([this](const auto& one) { tell(one); },
                 decode_organisation_event(event.topics, event.data).value());
  }

  void vouch(const address& by, const address& whom) {
    const auto waits = world_.view({}, node_registry_address(), encode(pending_of_args{whom}));
    REQUIRE(
        world_.send(by, node_registry_address(), encode_vouch(whom, decode_pending_of(waits.output)->hash))
            .ok);
  }

  void check() override {
    const auto broken = probe_.broken_invariant();
    if (!broken.empty()) say("BROKEN INVARIANT: {}", broken);
  }

  bytes input_of(const story_command& cmd) {
    const auto verb = cmd.word(1);
    if (verb == "admit") {
      auto name = cmd.word(2);
      std::replace(name.begin(), name.end(), '_', ' ');
      return encode(admit_organisation_args{name, anchors_of(cmd)});
    }
    if (verb == "back") {
      const auto motions = probe_.motions();
      const auto index = cmd.number(2);
      return encode(take_back_vote_args{index < motions.size() ? motions[index].key : hash32{}});
    }
    const auto id = static_cast<organisation_id>(cmd.number(2));
    if (verb == "remove") return encode(remove_organisation_args{id});
    if (verb == "anchors") return encode(set_anchors_args{id, anchors_of(cmd)});
    REQUIRE(verb == "limits");
    organisation_limits limits;
    limits.nodes = static_cast<std::uint32_t>(cmd.number(3));
    return encode(set_limits_args{id, limits});
  }

  std::vector<hash32> anchors_of(const story_command& cmd) {
    std::vector<hash32> out;
    for (std::size_t i = 3; i < cmd.words.size(); ++i) {
      out.push_back(keccak256(cmd.word(i)));
      anchors_[out.back()] = cmd.word(i);
    }
    return out;
  }
  std::string names(const std::vector<hash32>& anchors) const {
    std::vector<std::string> all;
    for (const auto& one : anchors)
      all.push_back(anchors_.at(one));
    std::sort(all.begin(), all.end());
    return fmt::format("{}", fmt::join(all, " "));
  }

  void tell(const organisation_admitted& e) {
    say("{} is admitted as {}, with {}", e.name, e.organisation, names(e.anchors));
  }
  void tell(const organisation_removed& e) { say("{} ({}) is removed", e.name, e.organisation); }
  void tell(const anchors_changed& e) { say("{} has {}", e.organisation, names(e.anchors)); }
  void tell(const limits_changed& e) { say("{} may have {} nodes", e.organisation, e.limits.nodes); }
  void tell(const motion_begun& e) {
    say("to {} {}{}: until block {}", to_string(e.kind),
        e.kind == motion_kind::admit ? e.name : std::to_string(e.organisation),
        e.anchors.empty() ? "" : " with " + names(e.anchors), e.expires_block);
  }
  void tell(const organisation_voted& e) { say("{} votes for {}", name(e.account), e.voter); }
  void tell(const vote_taken_back& e) { say("{} takes the vote of {} back", name(e.account), e.voter); }

  void show_organisations() {
    for (const auto& one : probe_.organisations())
      say("{} {} since {}: {}; {} nodes; {} members", one.id, one.name, one.since_block, names(one.anchors),
          one.limits.nodes, one.members);
  }
  void show_motions() {
    for (const auto& one : probe_.motions())
      say("to {} {}{}: votes of {}; {} needed{}", to_string(one.kind),
          one.kind == motion_kind::admit ? one.name : std::to_string(one.organisation),
          one.anchors.empty() ? "" : " with " + names(one.anchors), fmt::join(one.voters, " "), one.needed,
          one.open ? "" : "; over");
  }

  organisations_probe probe_;
  std::map<hash32, std::string> anchors_;
};

} // namespace

TEST_CASE("the golden stories of organisations happen as written") {
  check_stories(
      "contracts/organisations/scenarios", [] { return std::make_unique<organisations_story>(); }, 4);
}

} // namespace organisations_scenario_test
