#include "actors/sl/rounds/peer_machine.hpp"
#include "contracts/training/dealt.hpp"

#include <algorithm>
#include <map>

// Where everybody checks all of a merge, each contributor makes it while the leader does. What is proposed is compared with
// that; only when they differ, or this node's comes too late, it is checked as others are.
namespace swarm::rounds {

using contracts::round_phase;

namespace {

bool is_made_by_all(const contract_view& view, const address& self) {
  const auto* own = find_check_in(view, self);
  return own != nullptr && own->weightage > 0
         && contracts::is_merged_by_all(view.head, view.check_ins, own->size);
}

/// The same model, of the same contributions, with the others left out for the same reasons.
bool is_same(const merge_outcome& made, const contracts::merge_view& proposed) {
  if (made.digest != proposed.digest || made.size != proposed.size
      || proposed.excluded.size() != proposed.reasons.size())
    return false;
  std::map<address, contracts::exclusion_reason> left_out, says_left_out;
  for (const auto& out : made.excluded)
    left_out[out.peer] = out.reason;
  for (std::size_t i = 0; i < proposed.excluded.size(); ++i)
    says_left_out[proposed.excluded[i]] = proposed.reasons[i];
  return left_out == says_left_out && std::ranges::is_permutation(made.contributors, proposed.contributors);
}

} // namespace

void peer_machine::merge_beside_leader(session& s) {
  const auto& head = view_->head;
  auto& beside = s.training.beside;
  if (!is_made_by_all(*view_, options_.self)) return;
  const auto size = model_size_of(*view_, options_.self);
  auto inputs = merge_inputs(*view_, size);
  const round_and_term key{head.round_num, head.term};
  // Another term has the same models, unless the round was collected anew.
  const bool stands = beside && beside->of.first == head.round_num && beside->inputs == inputs;
  if (stands && (!beside->given_up || beside->of == key)) return;
  drop_merge_beside(s);
  beside = merge_beside{.of = key, .inputs = inputs};
  act(action::start_merge{head.round_num, head.term, head.merge_method, std::move(inputs),
                          wrong_sizes(*view_, size), false});
}

/// Its merge of just these models, of which it could have all, while others led.
const merge_outcome* peer_machine::made_beside(const session& s,
                                               const std::vector<merge_input>& inputs) const {
  const auto& beside = s.training.beside;
  if (!beside || !beside->outcome || beside->of.first != view_->head.round_num || beside->inputs != inputs)
    return nullptr;
  const bool has_all = std::ranges::none_of(beside->outcome->excluded, [](const auto& out) {
    return out.reason == contracts::exclusion_reason::not_available;
  });
  return has_all ? &*beside->outcome : nullptr;
}

void peer_machine::take_merge_beside(merge_beside& beside, const event::merge_done& done, time_point now) {
  if (done.outcome && !done.outcome->contributors.empty()) {
    beside.outcome = *done.outcome;
    models_.local.insert(done.outcome->digest);
    models_.durable.reset();
  } else {
    beside.given_up = true;
  }
  reconcile(now);
}

/// Whether this node has made itself what is proposed.
bool peer_machine::has_made(const session& s) const {
  const auto& beside = s.training.beside;
  return is_checked_now(*view_) && beside && beside->outcome && beside->of.first == view_->head.round_num
         && is_same(*beside->outcome, view_->proposal);
}

/// True while its own merge may come in time to be compared.
bool peer_machine::waits_for_own(session& s, checking& phase, time_point now) {
  auto& beside = s.training.beside;
  if (!beside || !beside->is_under_way()) return false;
  if (!phase.own_until) phase.own_until = now + check_time() / 2;
  if (now < *phase.own_until) {
    wait_for(fmt::format("round {}: making the merge, to compare it with that of {}", view_->head.round_num,
                         name_of(*view_, view_->head.leader)),
             now);
    return true;
  }
  act(action::cancel_merge{});
  beside->given_up = true;
  return false;
}

/// Once its round is not merged or checked any more.
void peer_machine::drop_stale_merge_beside(session& s) {
  const auto& head = view_->head;
  const auto& beside = s.training.beside;
  const bool is_closed = head.phase == round_phase::merging || head.phase == round_phase::verifying
                         || head.phase == round_phase::disputed;
  if (beside && (!is_closed || beside->of.first != head.round_num)) drop_merge_beside(s);
}

void peer_machine::drop_merge_beside(session& s) {
  auto& beside = s.training.beside;
  if (beside && beside->is_under_way()) act(action::cancel_merge{});
  beside.reset();
}

} // namespace swarm::rounds
