#include "actors/sl/rounds/testing/round_checker.hpp"

#include "base/hash.hpp"
#include "base/hash_tree.hpp"
#include "contracts/training/dealing.hpp"

#include <algorithm>
#include <bit>

namespace swarm::rounds::testing {

hash32 model::digest() const {
  return model_digest(chunks_per_model * contracts::model_chunk_bytes, contracts::model_chunk_bytes,
                      tree_root(chunk_hashes()));
}

std::vector<hash32> model::chunk_hashes() const {
  std::vector<hash32> out;
  for (std::uint64_t i = 0; i < chunks_per_model; ++i)
    out.push_back(
        sha256(as_bytes(fmt::format("chunk {} of model {:x} {} {}", i, std::bit_cast<std::uint64_t>(value),
                                    finite, to_hex(layout.view())))));
  return out;
}

model mean_of(std::vector<weighted_model> from) {
  std::sort(from.begin(), from.end(), [](const auto& a, const auto& b) { return a.peer < b.peer; });
  model out{0, true, from.front().of->layout};
  double all = 0;
  for (const auto& one : from) {
    out.value += one.weight * one.of->value;
    all += one.weight;
  }
  out.value /= all;
  return out;
}

std::string round_checker::take(const contracts::training_event& event,
                                const std::map<hash32, model>& models) {
  if (const auto* in = std::get_if<contracts::checked_in>(&event)) {
    const round_key key{in->generation, in->round_num};
    if (phases_[key] != doing::collecting)
      return fmt::format("a check-in for round {}, which is closed", in->round_num);
    check_ins_[key][in->peer] = {in->weightage, in->base_round, in->finished, {}};
    came_back_.erase(in->peer);
    return {};
  }
  if (const auto* opened = std::get_if<contracts::reveals_opened>(&event)) {
    phases_[{opened->generation, opened->round_num}] = doing::revealing;
    return {};
  }
  if (const auto* shown = std::get_if<contracts::revealed>(&event)) {
    auto& ins = check_ins_[{shown->generation, shown->round_num}];
    const auto in = ins.find(shown->peer);
    if (in == ins.end())
      return fmt::format("a model is revealed that was not checked in for round {}", shown->round_num);
    in->second.weightage = shown->weightage;
    in->second.digest = shown->digest;
    return {};
  }
  if (const auto* kept = std::get_if<contracts::withheld>(&event)) {
    check_ins_[{kept->generation, kept->round_num}].erase(kept->peer);
    return {};
  }
  if (const auto* closed = std::get_if<contracts::round_closed>(&event)) {
    const round_key key{closed->generation, closed->round_num};
    phases_[key] = doing::merging;
    std::erase_if(check_ins_[key],
                  [](const auto& in) { return in.second.weightage > 0 && !in.second.digest; });
    return {};
  }
  if (const auto* reopened = std::get_if<contracts::round_reopened>(&event)) {
    const round_key key{reopened->generation, reopened->round_num};
    phases_[key] = doing::collecting;
    for (const auto& peer : left_)
      check_ins_[key].erase(peer);
    return {};
  }
  // A peer that leaves or registers anew before the round is closed takes its check-in back.
  const auto withdraw = [this](std::uint64_t generation, const address& peer) {
    for (auto& [key, ins] : check_ins_)
      if (key.first == generation && phases_[key] != doing::merging && !merges_.contains(key))
        ins.erase(peer);
  };
  if (const auto* left = std::get_if<contracts::peer_left>(&event)) {
    withdraw(left->generation, left->peer);
    left_.insert(left->peer);
  }
  if (const auto* came = std::get_if<contracts::peer_registered>(&event)) {
    withdraw(came->generation, came->peer);
    left_.erase(came->peer);
    came_back_.insert(came->peer);
  }
  if (std::holds_alternative<contracts::training_reset>(event)) left_.clear();
  if (const auto* merge = std::get_if<contracts::merge_committed>(&event))
    proposed_[{merge->generation, merge->round_num}] = *merge;
  if (const auto* merge = std::get_if<contracts::merge_accepted>(&event)) {
    const auto& proposal = proposed_[{merge->generation, merge->round_num}];
    if (proposal.digest != merge->digest || proposal.leader != merge->leader)
      return fmt::format("the merge of round {} was not proposed", merge->round_num);
    return take_merge(proposal, models);
  }
  return {};
}

std::string round_checker::take_merge(const contracts::merge_committed& merge,
                                      const std::map<hash32, model>& models) {
  const round_key key{merge.generation, merge.round_num};
  if (!merges_.emplace(key, merge.digest).second)
    return fmt::format("a second merge of round {}", merge.round_num);
  if (merge.round_num > 1 && !merges_.contains({merge.generation, merge.round_num - 1}))
    return fmt::format("round {} is merged before the one before it", merge.round_num);
  if (phases_[key] != doing::merging)
    return fmt::format("round {} is merged without having been closed", merge.round_num);
  const auto& ins = check_ins_[key];
  std::vector<weighted_model> from, anew;
  for (const auto& peer : merge.contributors) {
    const auto in = ins.find(peer);
    if (in == ins.end() || in->second.weightage == 0)
      return fmt::format("{} contributes to round {} without a check-in", to_hex(peer.view()),
                         merge.round_num);
    const auto& brought = models.at(*in->second.digest);
    if (!brought.finite) return fmt::format("{} contributes a model that is not finite", to_hex(peer.view()));
    const auto age = merge.round_num - 1 - std::min(merge.round_num - 1, in->second.base_round);
    const auto weight = [&](std::uint64_t missed) {
      return in->second.weightage / static_cast<double>(1 + missed);
    };
    from.push_back({peer, weight(in->second.finished ? 0 : age), &brought});
    anew.push_back({peer, weight(in->second.finished && !came_back_.contains(peer) ? 0 : age), &brought});
  }
  const auto brought = static_cast<std::size_t>(
      std::count_if(ins.begin(), ins.end(), [](const auto& in) { return in.second.weightage > 0; }));
  if (merge.contributors.size() + merge.excluded.size() != brought)
    return fmt::format("{} contributors and {} excluded of {} models in round {}", merge.contributors.size(),
                       merge.excluded.size(), brought, merge.round_num);
  // A peer that registers anew after the close is no longer finished, which the leader may or may
  // not have seen.
  if (from.empty() || (mean_of(from).digest() != merge.digest && mean_of(anew).digest() != merge.digest))
    return fmt::format("the merge of round {} is not the mean of its contributors", merge.round_num);
  return {};
}

std::optional<hash32> round_checker::merge_of(std::uint64_t generation, std::uint64_t round_num) const {
  const auto found = merges_.find({generation, round_num});
  if (found == merges_.end()) return std::nullopt;
  return found->second;
}

bool round_checker::was_merged(std::uint64_t round_num, const hash32& digest) const {
  return std::any_of(merges_.begin(), merges_.end(), [&](const auto& merge) {
    return merge.first.second == round_num && merge.second == digest;
  });
}

} // namespace swarm::rounds::testing
