#include "actors/sn/membership/machine/membership_machine.hpp"

#include "contracts/training_registry/client.hpp"
#include "ledger/chain/chain_rules.hpp"
#include "ledger/consensus/quorum.hpp"

#include <algorithm>

namespace swarm::membership {

using namespace std::chrono_literals;

namespace {

constexpr auto look_interval = 1s;
constexpr auto entry_pause_first = 25ms; ///< between two looks while this SN becomes a member
constexpr auto chain_patience = 10s;     ///< then a question to the chain counts as lost
constexpr auto sentinel_patience = 60s;  ///< same, to the sentinel
constexpr auto pause_first = 200ms;      ///< between two questions to a sentinel that cannot be reached
constexpr auto pause_longest = 10s;
constexpr std::uint64_t tries_per_line = 10;

/// Nothing when all validators are of one organisation: then there is nobody else to be told.
std::string in_words(const std::vector<contracts::seat_power>& powers, std::size_t validators) {
  std::string out;
  for (const auto& each : powers)
    if (each.seats < validators)
      out += fmt::format("; the organisation {} alone could {} the chain", each.organisation,
                         each.forks ? "stop or fork" : "stop");
  return out;
}

std::string in_words(const vote& what) {
  return fmt::format("{} {} {} {} the validators", what.discard ? "no longer voting to" : "voting to",
                     what.add ? "add" : "remove", to_hex(what.account.view()), what.add ? "to" : "from");
}

} // namespace

membership_machine::membership_machine(machine_options options)
    : options_(std::move(options)), entry_pause_(entry_pause_first), leaving_(options_.leaving) {}

bool membership_machine::registered() const {
  const auto* at = std::get_if<running>(&phase_);
  return at != nullptr && at->registered;
}

std::string membership_machine::status() const {
  if (const auto* at = std::get_if<joining>(&phase_))
    return fmt::format("asking the SN {} for the network, {} times without an answer", options_.sentinel,
                       at->pause.attempts());
  const auto* at = std::get_if<running>(&phase_);
  if (at == nullptr) return "waiting for the chain";
  const auto needed = at->kept_absent == 0 ? std::string{}
                                           : fmt::format(" of which {} {} needed and away", at->kept_absent,
                                                         at->kept_absent == 1 ? "is" : "are");
  return fmt::format("{}, {} validators{}, {} SNs connected{}",
                     leaving_         ? "leaving"
                     : at->registered ? "registered"
                                      : "registering",
                     at->validators, needed, connected_.size(), in_words(at->powers, at->validators));
}

// What is looked at regularly

void membership_machine::step(const start&, time_point now) {
  look_at_chain(now);
}

void membership_machine::step(const timer_fired&, time_point now) {
  if (std::holds_alternative<joining>(phase_)) return ask_sentinel();
  look_at_chain(now);
}

void membership_machine::look_at_chain(time_point now) {
  actions_.emplace_back(action::set_timer{look_interval});
  if (asked_ && now - *asked_ < chain_patience) return;
  asked_ = now;
  asked_with_ = connected_;
  action::read_facts out{++serial_, {}, options_.trainings};
  for (const auto& node : asked_with_)
    out.connected.push_back(node.account);
  actions_.emplace_back(std::move(out));
}

void membership_machine::step(const neighbors_seen& event, time_point) {
  connected_ = event.nodes;
}

void membership_machine::step(const facts_read& event, time_point now) {
  if (!asked_ || event.serial != serial_) return; // read before what was sent since
  asked_.reset();
  if (std::holds_alternative<joining>(phase_)) return;
  if (event.facts) return look_after(*event.facts, now);
  actions_.emplace_back(
      action::say{"cannot read the members of the chain: " + event.facts.error().message, true});
  answer_leave(tl::unexpected(event.facts.error()));
}

void membership_machine::look_after(const chain_facts& facts, time_point now) {
  block_num_ = facts.block_num;
  const network_view view{.self = options_.self,
                          .validators = facts.validators,
                          .members = facts.members,
                          .nodes = facts.nodes,
                          .connected = asked_with_,
                          .absent = absent_members(facts, now),
                          .voted_on = facts.voted_on,
                          .barred = facts.barred,
                          .homeless = facts.homeless};
  phase_ = running{facts.validators.size(), kept_absent(view).size(), facts.self && facts.self->active,
                   facts.powers};
  dial_nodes(facts);
  tell_of_kept(view);
  if (!leaving_ && waits_for_vouches(facts)) {
    actions_.emplace_back(action::set_timer{entry_pause_});
    entry_pause_ = std::min<duration>(2 * entry_pause_, look_interval);
  }
  if (leave(facts)) return;
  const bool is_member = facts.self && facts.self->active;
  // Whoever is reported or voted out may see to it that something of this node always waits.
  if (is_member && report_liar(facts)) return;
  if (!facts.pending && introduce_self(facts)) return;
  if (is_member || !facts.pending) vote(view, facts);
}

void membership_machine::dial_nodes(const chain_facts& facts) {
  action::dial out{{}, action::dial::chain_knows{{}, facts.anchors}};
  for (const auto& node : facts.nodes) {
    if (node.type != contracts::node_type::sn || !node.active) continue;
    out.known->sns.push_back({node.account, node.identity, node.endpoint});
    if (!node.endpoint.empty()) out.endpoints.push_back(node.endpoint);
  }
  actions_.emplace_back(std::move(out));
}

bool membership_machine::waits_for_vouches(const chain_facts& facts) {
  return facts.organisation != 0 && !(facts.self && facts.self->active);
}

/// Whether the chain knows this node as it is now, or will once it was vouched for.
bool membership_machine::is_introduced(const chain_facts& facts) const {
  const auto& known = facts.self;
  const auto as_now = [&](const hash32& identity, std::uint64_t until) {
    return identity == facts.identity && !transport::is_renewal_due(until, facts.expiry, facts.unix_now);
  };
  const auto& waiting = facts.waits.statement;
  const bool waits = !waiting.account.is_zero() && waiting.organisation == facts.organisation
                     && as_now(waiting.identity, waiting.expiry);
  if (!known || (!known->active && !waits)) return false;
  return (waits || as_now(known->identity, known->expiry)) && known->endpoint == options_.endpoint
         && known->name == options_.node_name;
}

namespace {

/// Of a registration that ends then. What was claimed before is claimed in the same words, so that vouches stay.
std::uint64_t sequence_for(const chain_facts& facts, std::uint64_t expiry) {
  const auto& waiting = facts.waits.statement;
  const auto claimed = [&](contracts::organisation_id organisation, const hash32& identity,
                           std::uint64_t until) {
    return organisation == facts.organisation && identity == facts.identity
           && (until == 0 || until == expiry);
  };
  const auto known = facts.self.value_or(contracts::node_view{});
  if (known.active && claimed(known.organisation, known.identity, known.expiry)) return known.sequence;
  if (!waiting.account.is_zero() && claimed(waiting.organisation, waiting.identity, waiting.expiry))
    return waiting.sequence;
  return std::max(known.sequence, waiting.sequence) + 1;
}

} // namespace

void membership_machine::register_self(const chain_facts& facts) {
  const auto prove = [&](std::uint64_t sequence) {
    return options_.prove(facts.chain,
                          {options_.self, facts.organisation,
                           static_cast<std::uint8_t>(contracts::node_type::sn), facts.identity, 0, sequence});
  };
  auto sequence = sequence_for(facts, facts.expiry);
  auto proved = prove(sequence);
  if (proved && sequence_for(facts, proved->claim.expiry) != sequence) { // replaced since the facts were read
    sequence = sequence_for(facts, proved->claim.expiry);
    proved = prove(sequence);
  }
  if (!proved) {
    actions_.emplace_back(action::say{"this SN cannot register: " + proved.error().message, true});
    return;
  }
  const auto& claim = proved->claim;
  actions_.emplace_back(action::submit{purpose::registration, contracts::node_registry_address(),
                                       contracts::encode_register_node({contracts::node_type::sn,
                                                                        claim.organisation,
                                                                        claim.identity,
                                                                        claim.expiry,
                                                                        sequence,
                                                                        {},
                                                                        options_.node_name,
                                                                        options_.endpoint,
                                                                        std::move(proved->proof)})});
}

bool membership_machine::is_removed(const chain_facts& facts) {
  if (facts.removed == 0 || facts.self->identity != facts.identity) {
    told_removed_ = false;
    return false;
  }
  if (!std::exchange(told_removed_, true))
    actions_.emplace_back(action::say{
        fmt::format(
            "a node with this SN's certificate, {}, was removed by vote in block {}: it needs another "
            "certificate, and registers itself when that has taken the place of this one",
            to_hex(facts.identity.view()), facts.removed),
        true});
  return true;
}

bool membership_machine::introduce_self(const chain_facts& facts) {
  if (leaving_) return false;
  if (is_removed(facts)) return true;
  const auto before = actions_.size();
  if (!is_introduced(facts)) register_self(facts);
  if (waits_for_vouches(facts)) return true; // nobody takes anything else from it yet
  for (const auto& name : facts.trainings_wanted) {
    actions_.emplace_back(action::say{fmt::format("making the training contract '{}'", name)});
    actions_.emplace_back(action::submit{purpose::training, contracts::training_registry_address(),
                                         contracts::encode_create_training(name)});
  }
  return actions_.size() > before;
}

// Validators that sign two different things

void membership_machine::step(const double_vote_seen& event, time_point) {
  if (offences_.size() < ledger::validators_max) offences_.try_emplace(event.author, offence{event.proof});
}

bool membership_machine::may_wait(std::optional<std::uint64_t> sent_at, const chain_facts& facts) const {
  return facts.pending && sent_at && facts.block_num < *sent_at + again_after_blocks;
}

/// Whoever else has the proof reports it too; the first report takes the seat, and no other is sent after that.
bool membership_machine::report_liar(const chain_facts& facts) {
  std::erase_if(offences_, [&](const auto& one) { return !holds(facts.members, one.first); });
  for (auto& [author, seen] : offences_) {
    if (author == options_.self || may_wait(seen.sent_at, facts)) continue;
    seen.sent_at = facts.block_num;
    actions_.emplace_back(
        action::say{fmt::format("reporting to the chain that the validator {} signed two different votes",
                                to_hex(author.view())),
                    true});
    actions_.emplace_back(action::submit{purpose::evidence, contracts::node_registry_address(),
                                         contracts::encode_report_double_vote(seen.proof), true});
    return true;
  }
  return false;
}

// Votes

std::map<address, duration> membership_machine::absent_members(const chain_facts& facts, time_point now) {
  for (const auto& node : asked_with_)
    last_seen_[node.account] = now;
  std::erase_if(last_seen_, [&](const auto& one) { return !holds(facts.members, one.first); });
  std::map<address, duration> out;
  for (const auto& member : facts.members)
    out[member] = now - last_seen_.try_emplace(member, now).first->second;
  return out;
}

void membership_machine::tell_of_kept(const network_view& view) {
  const auto kept = kept_absent(view);
  std::erase_if(told_kept_, [&](const address& account) { return !holds(kept, account); });
  for (const auto& account : kept) {
    if (!told_kept_.insert(account).second) continue;
    const auto all = view.validators.size();
    const auto name = to_hex(account.view());
    actions_.emplace_back(action::say{
        fmt::format(
            "the validator {} is away for two minutes and stays one: without it the chain survives {} lying "
            "validators, with it {}; if it does not come back, its organisation or most organisations may "
            "remove it: REMOVE NODE {}",
            name, consensus::faults_tolerated(all - 1), consensus::faults_tolerated(all), name),
        true});
  }
}

void membership_machine::vote(const network_view& view, const chain_facts& facts) {
  const auto next = next_vote(view);
  if (!next || (next == last_vote_ && may_wait(voted_at_, facts))) return;
  last_vote_ = next;
  voted_at_ = facts.block_num;
  actions_.emplace_back(action::say{in_words(*next)});
  actions_.emplace_back(
      action::submit{purpose::vote, contracts::node_registry_address(),
                     next->discard ? contracts::encode_discard_validator_vote(next->account)
                                   : contracts::encode_propose_validator_vote(next->account, next->add)});
}

// Leaving

void membership_machine::step(const leave_wanted&, time_point now) {
  leave_wanted_ = true;
  if (std::holds_alternative<joining>(phase_))
    return answer_leave(fail(errc::unavailable, "this SN has no chain yet, it is asking the sentinel"));
  if (!asked_) look_at_chain(now);
}

bool membership_machine::leave(const chain_facts& facts) {
  if (!leave_wanted_) return false;
  const bool active = facts.self && facts.self->active;
  if (active && !facts.pending) {
    actions_.emplace_back(action::submit{purpose::leave, contracts::node_registry_address(),
                                         contracts::encode_leave_node(), true});
    leaving_ = true;
    return true;
  }
  const bool left = leaving_ && !active && !facts.pending && !holds(facts.validators, options_.self);
  leaving_ = true;
  answer_leave(
      action::answer_leave::progress{left, left && facts.self ? facts.self->since_block : facts.block_num});
  return false;
}

void membership_machine::step(const submitted& event, time_point) {
  if (event.what != purpose::leave) {
    if (!event.outcome) actions_.emplace_back(action::say{event.outcome.error().message, true});
    return;
  }
  leaving_ = event.outcome.has_value();
  if (!event.outcome && event.outcome.error().is(errc::denied))
    return answer_leave(fail(errc::denied, "this SN cannot leave: {}", event.outcome.error().message));
  if (!event.outcome) return answer_leave(tl::unexpected(event.outcome.error()));
  actions_.emplace_back(action::say{"leaving the network, as the operator wishes"});
  answer_leave(action::answer_leave::progress{false, block_num_});
}

void membership_machine::answer_leave(result<action::answer_leave::progress> outcome) {
  if (std::exchange(leave_wanted_, false)) actions_.emplace_back(action::answer_leave{std::move(outcome)});
}

// Joining

void membership_machine::step(const no_chain&, time_point) {
  asked_.reset();
  if (!std::holds_alternative<starting>(phase_)) return;
  phase_ = joining{back_off(pause_first, pause_longest, options_.seed)};
  answer_leave(fail(errc::unavailable, "this SN has no chain yet, it is asking the sentinel"));
  ask_sentinel();
}

void membership_machine::ask_sentinel() {
  actions_.emplace_back(action::set_timer{sentinel_patience});
  actions_.emplace_back(action::ask_sentinel{});
}

/// What a newcomer says of a network that it joins on the word of SNs.
bool membership_machine::believes(const network_entry& entry) {
  const auto genesis = to_hex(entry.genesis_hash.view());
  if (!entry.contradicted_by.empty()) {
    actions_.emplace_back(
        action::give_up{fmt::format("the SN {} shows a network whose genesis block is {}, and {}, an SN of "
                                    "another organisation, another one: one "
                                    "of them lies, and --genesis-hash says which is right",
                                    options_.sentinel, genesis, entry.contradicted_by)});
    return false;
  }
  actions_.emplace_back(
      action::say{fmt::format("this SN joins the network whose genesis block is {}, because the SN {} says "
                              "so{}; --genesis-hash says "
                              "it beforehand",
                              genesis, options_.sentinel,
                              entry.confirmed_by.empty()
                                  ? " alone (no SN of another organisation has answered)"
                                  : fmt::format(", and {} of another organisation", entry.confirmed_by)),
                  true});
  return true;
}

void membership_machine::step(const entry_found& event, time_point now) {
  auto* at = std::get_if<joining>(&phase_);
  if (at == nullptr) return;
  if (!event.entry && event.entry.error().is(ledger::chain_errc::other_version)) {
    actions_.emplace_back(action::give_up{fmt::format("the SN {}: {}; run the same version on both",
                                                      options_.sentinel, event.entry.error().message)});
    return;
  }
  if (!event.entry) {
    if (at->pause.attempts() % tries_per_line == 0)
      actions_.emplace_back(
          action::say{fmt::format("Unable to contact API-Server {}: {}; trying again until it answers",
                                  options_.sentinel, event.entry.error().message),
                      true});
    actions_.emplace_back(action::set_timer{at->pause.next()});
    return;
  }
  const auto& entry = *event.entry;
  if (entry.genesis_hash != entry.own_genesis_hash) {
    actions_.emplace_back(action::give_up{fmt::format(
        "the SN {} has a chain with genesis {}, this swarmd makes "
        "{} of its parameters: the contracts differ; run "
        "the same version on both",
        options_.sentinel, to_hex(entry.genesis_hash.view()), to_hex(entry.own_genesis_hash.view()))});
    return;
  }
  if (options_.genesis_hash && *options_.genesis_hash != entry.genesis_hash) {
    actions_.emplace_back(action::give_up{fmt::format(
        "the SN {} belongs to another network: its genesis block is {}, --genesis-hash says {}",
        options_.sentinel, to_hex(entry.genesis_hash.view()), to_hex(options_.genesis_hash->view()))});
    return;
  }
  if (!options_.genesis_hash && !believes(entry)) return;
  phase_ = starting{};
  actions_.emplace_back(action::open_chain{entry.genesis});
  actions_.emplace_back(action::dial{entry.p2p_endpoints});
  look_at_chain(now);
}

} // namespace swarm::membership
