#include "contracts/organisations/members.hpp"
#include "contracts/organisations/records.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/training/training_call.hpp"

#include <algorithm>

// Whose the training is, who may take part, and who starts it over.
namespace swarm::contracts {

namespace {

std::vector<owner_view> named(ledger::contract_host& host, const id_list& list) {
  std::vector<owner_view> out;
  for (const auto id : list.load())
    out.push_back(owner_of(host, id));
  return out;
}

} // namespace

/// Everybody may, until somebody is invited.
result<> training_call::check_invited(organisation_id organisation) const {
  const auto owner = state_.owner();
  if (owner == 0 || owner == organisation) return {};
  const auto invited = state_.invited().load();
  if (invited.empty() || std::find(invited.begin(), invited.end(), organisation) != invited.end()) return {};
  return refuse(
      "the training is of the organisation '{}', which has not invited '{}': its SWCIs can, by INVITE",
      owner_of(host_, owner).name, owner_of(host_, organisation).name);
}

result<> training_call::check_owner(std::string_view right) const {
  const auto owner = state_.owner();
  if (organisation_members(host_).organisation_of(context_.caller) == owner) return {};
  return refuse("the training is of the organisation '{}', which alone {}", owner_of(host_, owner).name,
                right);
}

result<> training_call::on(const set_verify_args& args) {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
  if (state_.owner() == 0) return refuse("the training is nobody's: its merges are always verified");
  SWARM_CHECK(check_owner("says how its merges are verified"));
  if (state_.verify() == args.mode) return refuse("verify is '{}' already", to_string(args.mode));
  state_.set_verify(args.mode);
  rounds_.emit(verify_set{args.mode, context_.caller});
  return done();
}

result<> training_call::on(const invite_args& args) {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
  const auto owner = state_.owner();
  if (owner == 0) return refuse("the training is nobody's and open to all");
  SWARM_CHECK(check_owner("invites"));
  if (!organisation_records(host_).exists(args.organisation))
    return refuse("there is no organisation {}", args.organisation);
  auto invited = state_.invited().load();
  if (args.organisation == owner
      || std::find(invited.begin(), invited.end(), args.organisation) != invited.end())
    return refuse("'{}' is invited already", owner_of(host_, args.organisation).name);
  // An organisation that was removed makes room.
  std::erase_if(invited, [this](auto id) { return !organisation_records(host_).exists(id); });
  invited.push_back(args.organisation);
  state_.invited().store(invited);
  rounds_.emit(organisation_invited{args.organisation, context_.caller});
  return done();
}

std::set<organisation_id> training_call::organisations_at_work() const {
  std::set<organisation_id> out;
  for (std::uint16_t i = 0; i < state_.counts.peers; ++i)
    if (const auto peer = state_.peer(i);
        peer.state == peer_state::active || peer.state == peer_state::finished)
      out.insert(state_.check_in(i).organisation);
  return out;
}

void training_call::start_anew(const std::string& note) {
  if (context_.has_rules(3))
    state_.last_reset().store({context_.block_num, state_.round.generation, context_.caller, note});
  rounds_.start_over();
  state_.round.min_peers = 0;
  state_.round.method = method_slot::none;
  state_.set_layout_digest({});
  if (state_.reset_votes().size() > 0) state_.reset_votes().store({});
  rounds_.emit(training_reset{state_.round.generation, context_.caller});
}

/// What is complete, or has nobody at work in it, hinders nobody who starts it over. Otherwise it is for its owner, or for
/// most of the organisations whose work would be lost.
result<> training_call::reset(const std::string& note) {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
  if (state_.is_retired())
    return refuse("the training is over for good: its organisation needed the place for another; create one");
  const auto organisation = organisation_members(host_).organisation_of(context_.caller);
  const auto owner = state_.owner();
  const auto at_work = organisations_at_work();
  const bool is_free = organisation == 0 || organisation == owner || at_work.empty() || at_work.contains(0)
                       || state_.round.phase == round_phase::complete;
  const auto say_why = [&] {
    if (!note.empty()) rounds_.emit(reset_noted{state_.round.generation, context_.caller, note});
  };
  if (is_free) {
    say_why();
    start_anew(note);
    return done();
  }
  if (!at_work.contains(organisation))
    return refuse(
        "the training is under way and the organisation '{}' has no peer in it: those that have reset it",
        owner_of(host_, organisation).name);
  auto votes = state_.reset_votes().load();
  std::erase_if(votes, [&](auto id) { return !at_work.contains(id); });
  if (std::find(votes.begin(), votes.end(), organisation) == votes.end()) votes.push_back(organisation);
  say_why();
  rounds_.emit(reset_asked{state_.round.generation, organisation, context_.caller});
  if (is_majority(static_cast<std::uint32_t>(votes.size()), static_cast<std::uint32_t>(at_work.size()))) {
    start_anew(note);
  } else {
    state_.reset_votes().store(votes);
  }
  return done();
}

result<> training_call::on(const reset_args&) {
  return reset({});
}
result<> training_call::on(const reset_with_note_args& args) {
  SWARM_CHECK(check_reset_note(args.note));
  return reset(args.note);
}
result<reset_view> training_call::on(const last_reset_args&) const {
  return state_.last_reset().load();
}

result<owner_view> training_call::on(const owner_args&) const {
  return owner_of(host_, state_.owner());
}
result<std::vector<owner_view>> training_call::on(const invited_args&) const {
  return named(host_, state_.invited());
}
result<std::vector<owner_view>> training_call::on(const reset_votes_args&) const {
  return named(host_, state_.reset_votes());
}

} // namespace swarm::contracts
