#include "base/hash.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/members_world.hpp"
#include "contracts/testing/story.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

namespace registry_scenario_test {

using namespace swarm;
using namespace swarm::contracts;

// Golden stories of memberships are in registry/scenarios/*.txt (testing/story.hpp). The founders are ada (id 1), bea (2)
// and cyd (3), with the validators ann, ben and cat. Commands:
//   nodes sn ann ben cat            begins
//   NAME joins ORGANISATION TYPE CERTIFICATE SEQUENCE [until=SECONDS]    registers; seconds from now
//   NAME vouches NAME | NAME removes NAME | NAME settles NAME | NAME accuses ORGANISATION | NAME answers
//   wait SECONDS | list | waiting ORGANISATION | standing

namespace {

constexpr std::array<std::string_view, 4> organisations{"nobody", "ada", "bea", "cyd"};

std::vector<ledger::founder> founders() {
  std::vector<ledger::founder> out;
  for (std::uint16_t i = 0; i < 3; ++i)
    out.push_back({std::string(organisations[i + 1]), {keccak256(organisations[i + 1])}, {test_account(i)}});
  return out;
}

class members_story final : public story {
public:
  members_story() : story(founders()) {
    for (const auto* name : {"ann", "ben", "cat"})
      account(name);
  }

private:
  void act(const story_command& cmd) override {
    if (cmd.word(0) == "wait") return world_.skip_seconds(cmd.number(1));
    if (cmd.word(0) == "list") return show_nodes();
    if (cmd.word(0) == "waiting") return show_waiting(organisation(cmd.word(1)));
    if (cmd.word(0) == "standing") return show_standing();
    for (const auto& event : send(account(cmd.word(0)), node_registry_address(), input_of(cmd)))
      std::visit([this](const auto& one) { tell(one); }, decode_node_event(event.topics, event.data).value());
  }

  bytes input_of(const story_command& cmd) {
    const auto verb = cmd.word(1);
    if (verb == "joins") return encode(claim_of(cmd));
    if (verb == "accuses") return encode(accuse_args{organisation(cmd.word(2))});
    if (verb == "answers") return encode(answer_args{});
    if (verb == "limits")
      return encode(limit_seats_args{static_cast<seat_kind>(types_.at(cmd.word(2))),
                                     static_cast<std::uint32_t>(cmd.number(3))});
    const auto whom = account(cmd.word(2));
    if (verb == "misses") return encode(accuse_node_args{whom, {}});
    if (verb == "removes") return encode(remove_node_args{whom});
    if (verb == "settles") return encode(settle_args{whom});
    REQUIRE(verb == "vouches");
    return encode(vouch_args{whom, ask(pending_of_args{whom}).hash});
  }

  register_node_args claim_of(const story_command& cmd) {
    register_node_args out;
    out.organisation = organisation(cmd.word(2));
    out.type = types_.at(cmd.word(3));
    out.identity = keccak256(cmd.word(4));
    certificates_[out.identity] = cmd.word(4);
    out.sequence = cmd.number(5);
    if (const auto seconds = cmd.number("until", 0); seconds != 0) out.expiry = world_.block_time() + seconds;
    out.name = cmd.word(0);
    return out;
  }

  static organisation_id organisation(const std::string& name) {
    const auto found = std::find(organisations.begin(), organisations.end(), name);
    return static_cast<organisation_id>(found - organisations.begin());
  }
  std::string certificate(const hash32& identity) const {
    const auto found = certificates_.find(identity);
    return found == certificates_.end() ? "its first certificate" : found->second;
  }
  static std::string names(const std::vector<organisation_id>& ids) {
    std::vector<std::string_view> out;
    for (const auto id : ids)
      out.push_back(organisations.at(id));
    return fmt::format("{}", fmt::join(out, " "));
  }

  void tell(const node_registered& e) {
    say("{} says: {} of {}, by {}", name(e.account), to_string(e.type), organisations.at(e.organisation),
        certificate(e.identity));
  }
  void tell(const node_vouched& e) {
    say("{} vouches for {}", organisations.at(e.organisation), name(e.account));
  }
  void tell(const node_admitted& e) { say("{} is a member", name(e.account)); }
  void tell(const removal_voted& e) {
    say("{} votes against {}", organisations.at(e.voter), name(e.account));
  }
  void tell(const node_removed& e) { say("{} is removed by {}", name(e.account), organisations.at(e.by)); }
  void tell(const node_expired& e) { say("{} is no member any more", name(e.account)); }
  void tell(const node_left& e) { say("{} leaves", name(e.account)); }
  void tell(const organisation_accused& e) {
    say("{} is accused by {}", organisations.at(e.organisation), name(e.by));
  }
  void tell(const accusation_answered& e) {
    say("{} answers for {}", name(e.by), organisations.at(e.organisation));
  }
  void tell(const validator_voted&) {}
  void tell(const validators_changed&) {}
  void tell(const double_vote_proved&) {}
  void tell(const seats_voted& e) {
    say("organisation {} votes for {} {} of organisation {}", e.voter, e.most, to_string(e.kind),
        e.organisation);
  }
  void tell(const seats_limited& e) {
    say("organisation {} has at most {} {} by {}", e.organisation, e.most, to_string(e.kind),
        e.by_network ? "the network" : "itself");
  }
  void tell(const node_accused& e) { say("{} says that {} is silent", name(e.by), name(e.account)); }
  void tell(const node_answered& e) { say("{} lives", name(e.account)); }
  void tell(const seat_taken& e) {
    say("{} gives up its seat of {} to {}", name(e.account), to_string(e.type), name(e.by));
  }
  void tell(const rules_voted&) {}
  void tell(const rules_scheduled&) {}

  void show_nodes() {
    for (const auto& one : ask(nodes_args{0, 256}))
      say("{} is {} of {} by {}{}{}", name(one.account), to_string(one.type),
          organisations.at(one.organisation), certificate(one.identity), one.active ? "" : ", over",
          one.pending ? ", something waits" : "");
  }
  void show_waiting(organisation_id of) {
    for (const auto& one : ask(pending_nodes_args{of, 0, 256}))
      say("{} by {}, vouched for by {}", name(one.statement.account), certificate(one.statement.identity),
          one.vouchers.empty() ? "nobody" : names(one.vouchers));
  }
  void show_standing() {
    for (organisation_id id = 1; id < organisations.size(); ++id) {
      const auto one = ask(standing_args{id});
      say("{}: {} nodes, {} SNs, {} voters, {} wait{}", organisations[id], one.nodes, one.sns, one.voters,
          one.pending, one.live ? "" : ", not live");
    }
  }

  template <class Args>
  abi::answer_of<Args> ask(const Args& args) const {
    return decode_answer<Args>(world_.view({}, node_registry_address(), encode(args)).output).value();
  }

  std::map<hash32, std::string> certificates_;
  const std::map<std::string, node_type> types_{
      {"sn", node_type::sn}, {"sl", node_type::sl}, {"swop", node_type::swop}, {"swci", node_type::swci}};
};

} // namespace

TEST_CASE("the golden stories of memberships happen as written") {
  check_stories(
      "contracts/registry/scenarios", [] { return std::make_unique<members_story>(); }, 5);
}

} // namespace registry_scenario_test
