#include "actors/sn/proofs/shown_witnesses.hpp"

namespace swarm::proofs {

std::shared_ptr<const ledger::witness_set> shown_witnesses::find(const hash32& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void shown_witnesses::keep(ledger::witness_set shown) {
  const auto id = shown.id;
  if (by_id_.contains(id)) return;
  nodes_ += shown.sizes.size();
  by_id_.emplace(id, std::make_shared<const ledger::witness_set>(std::move(shown)));
  ids_.push_back(id);
  while (nodes_ > nodes_max || ids_.size() > witnesses_max) {
    const auto oldest = by_id_.extract(ids_.front());
    nodes_ -= oldest.mapped()->sizes.size();
    ids_.pop_front();
  }
}

} // namespace swarm::proofs
