#include "contracts/training/training_call.hpp"

#include <algorithm>

// Calls on a closed round: its leader proposes the merge, or others suspect the leader.
namespace swarm::contracts {

result<> training_call::on(const suspect_leader_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::merging));
  SWARM_CHECK(check_term(args.term));
  SWARM_TRY(const auto caller, calling_participant());
  const bool yields = caller.index == state_.counts.leader;
  auto check_in = state_.check_in(caller.index);
  if (check_in.suspected_term == args.term + std::uint64_t{1})
    return refuse("{} suspects the leader of term {} already", to_hex(caller.slot.account.view()), args.term);
  check_in.suspected_term = args.term + std::uint64_t{1};
  state_.set_check_in(caller.index, check_in);
  if (!yields) ++state_.counts.suspects;
  rounds_.emit(leader_suspected{args.round_num, args.generation, args.term, caller.slot.account,
                                state_.peer(state_.counts.leader).account});
  yields ? rounds_.advance_leader() : rounds_.settle();
  return done();
}

namespace {

/// A check-in with weightage, and what became of it in the merge.
struct candidate {
  participant who;
  bool named = false;
};

/// Marks the candidate `account` as named in the merge; `role` is for the message.
result<std::uint16_t> name_candidate(std::vector<candidate>& candidates, const address& account,
                                     std::string_view role, std::uint64_t round_num) {
  const auto found =
      std::lower_bound(candidates.begin(), candidates.end(), account,
                       [](const candidate& a, const address& b) { return a.who.peer.account < b; });
  if (found == candidates.end() || found->who.peer.account != account)
    return refuse("{} {} did not check in for round {} with a model", role, to_hex(account.view()),
                  round_num);
  if (found->named) return refuse("{} {} is named twice", role, to_hex(account.view()));
  found->named = true;
  return found->who.index;
}

} // namespace

result<merge_record> training_call::check_partition(const commit_merge_args& args) const {
  if (args.contributors.empty()) return refuse("a merge has at least one contributor");
  if (args.reasons.size() != args.excluded.size())
    return refuse("{} peers are excluded with {} reasons", args.excluded.size(), args.reasons.size());
  const auto named = args.contributors.size() + args.excluded.size();
  if (named != state_.counts.contributors)
    return refuse("{} contributors and {} excluded peers are named, {} models were checked in for round {}",
                  args.contributors.size(), args.excluded.size(), state_.counts.contributors, args.round_num);
  std::vector<candidate> candidates;
  for (auto& one : rounds_.participants())
    if (one.peer.in_weightage > 0) candidates.push_back({one});
  std::sort(candidates.begin(), candidates.end(),
            [](const candidate& a, const candidate& b) { return a.who.peer.account < b.who.peer.account; });

  merge_record out;
  for (const auto& account : args.contributors) {
    SWARM_TRY(const auto index, name_candidate(candidates, account, "contributor", args.round_num));
    out.contributors.push_back(index);
  }
  for (std::size_t i = 0; i < args.excluded.size(); ++i) {
    SWARM_TRY(const auto index,
              name_candidate(candidates, args.excluded[i], "excluded peer", args.round_num));
    out.excluded.push_back({index, args.reasons[i]});
  }
  return out;
}

result<> training_call::on(const commit_merge_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::merging));
  SWARM_CHECK(check_term(args.term));
  SWARM_TRY(const auto caller, calling_participant());
  if (caller.index != state_.counts.leader)
    return refuse("{} leads term {}, not {}", to_hex(state_.peer(state_.counts.leader).account.view()),
                  args.term, to_hex(caller.slot.account.view()));
  if (args.digest.is_zero()) return refuse("digest of the merge is zero");
  if (args.size == 0) return refuse("size of the merge is 0");
  if (args.size > model_bytes_max)
    return refuse("size of the merge is {}, a model has at most {} bytes", args.size, model_bytes_max);
  SWARM_TRY(auto record, check_partition(args));
  if (state_.rules >= rules_with_measures && state_.shards().makers > 0) bar_silent_makers();

  record.digest = args.digest;
  record.head = {context_.block_num,
                 args.size,
                 args.term,
                 caller.index,
                 static_cast<std::uint16_t>(record.contributors.size()),
                 static_cast<std::uint16_t>(record.excluded.size()),
                 0};
  state_.set_merge(args.round_num, record);
  rounds_.emit(merge_committed{args.round_num, args.generation, args.term, caller.slot.account, args.digest,
                               args.size, args.contributors, args.excluded, args.reasons});
  verification_.open();
  return done();
}

} // namespace swarm::contracts
