#pragma once

#include "actors/sl/rounds/types.hpp"

#include <optional>
#include <set>

/// The training contract as this node sees it, and what follows from it alone.
namespace swarm::rounds {

/// The contract as read at one block.
struct contract_view {
  std::uint64_t block_num = 0;
  contracts::head_view head;
  std::vector<contracts::check_in_view> check_ins; ///< of the current round
  std::vector<contracts::peer_view> peers;
  std::set<address> silent;            ///< peers whose node gives no sign of life, by this node's SN
  contracts::merge_view proposal;      ///< of the closed round's leader; of round 0 while there is none
  contracts::checks_view checks;       ///< of that
  contracts::shards_view shards;       ///< the runs in which the merge is made, or was
  contracts::measures_view measures{}; ///< what the models of these are measured to
  contracts::merge_view
      brought_to; ///< the merge of `peer_machine::brought_to`; of round 0 while there is none
  /// Of a view that does not change any more, see `index`: positions of peers and check-ins in the order of their accounts,
  /// of each peer's check-in, and of each check-in's peer; behind the last one where there is none.
  std::vector<std::uint32_t> peers_by_account{}, check_ins_by_account{}, check_in_of_peer{},
      peer_of_check_in{};

  /// From now on its peers and check-ins are found without looking at all of them.
  void index();
};

using peer_list = std::vector<const contracts::peer_view*>; ///< points into a view

/// The peer with this account, or null.
const contracts::peer_view* find_peer(const contract_view& view, const address& who);
/// The check-in of this account for the current round, or null.
const contracts::check_in_view* find_check_in(const contract_view& view, const address& who);
/// The same of a peer, or of a check-in, of the view itself.
const contracts::check_in_view* check_in_of(const contract_view& view, const contracts::peer_view& peer);
const contracts::peer_view* peer_of(const contract_view& view, const contracts::check_in_view& in);
/// Whether it is a peer that has not left.
bool is_member(const contract_view& view, const address& who);
/// Whether the contract has it in the current round.
bool is_listed(const contract_view& view, const address& who);
/// Whether no peer that checked in for the current round gives a sign of life.
bool is_hopeless(const contract_view& view);

/// Everybody who was in the first merge, or is about to be, will bring nothing once its training has ended,
/// and nobody else is there: no merge would have anybody's last model.
bool has_no_final_model(const contract_view& view);

/// Whether somebody else in the closed round, who is here, could lead it.
bool another_may_lead(const contract_view& view, const address& self);

/// Why the contract refuses these parameters; none when they are those in force.
std::optional<contracts::leave_reason> refusal_of(const contract_view& view, const session_params& params);

/// Active and finished peers that are not in the current round.
peer_list missing_peers(const contract_view& view);
/// The peers that wait for a merge that `self` has, perhaps as the only one.
peer_list peers_that_miss_the_merge(const contract_view& view, const address& self);

/// Whom to ask for the last merge, in this order: the node that merged, then those that reported a loss for
/// it and so have it, then the others; those of a kind in an order of this node's own.
std::vector<holder> holders_of_merge(const contract_view& view, const address& self);
/// Whom to ask for the proposal: its leader, then some of those who contributed and so fetch it as well.
std::vector<holder> holders_of_proposal(const contract_view& view, const address& self);
inline constexpr std::size_t others_with_parts_max = 8;
/// How large the models of the closed round are, as all of one layout have the same size: as `self` knows by
/// its own, else as most of their peers say, and of two such numbers the smaller. 0: nobody brought a model.
std::uint64_t model_size_of(const contract_view& view, const address& self);
/// The models of the closed round for its leader to merge: those that are said to have `size` bytes.
std::vector<merge_input> merge_inputs(const contract_view& view, std::uint64_t size);
/// The others, which cannot have the training's layout.
std::vector<left_out> wrong_sizes(const contract_view& view, std::uint64_t size);

/// Whether the leader's proposal is being checked, or judged.
bool is_checked_now(const contract_view& view);
/// The proposal, for `self` to make `chunks` of it again. Whom it leaves out for a claim that anybody sees to be wrong is
/// not in it, nor, unless `tries_unheard`, those who are said not to have given their models.
check_task check_of(const contract_view& view, const address& self, std::vector<std::uint64_t> chunks,
                    bool tries_unheard);

// Texts for status, logs and the program's user.

std::string name_of(const contract_view& view, const address& who);
std::string names_of(const contract_view& view, const peer_list& peers);
/// Name, endpoint and organisation.
std::string address_of(const contracts::peer_view& peer);
/// Whether its program was refused, before it was a peer or later, or is about to be.
bool was_refused(const contracts::peer_view& peer);
/// That and why a peer has left, or is odd.
std::string departure_text(const contracts::peer_view& peer);
/// The same of all that have, the refused first; empty when there are none.
std::string departures_text(const contract_view& view);
/// Why the model of `who` was left out of the merge in `view.brought_to`; empty when it was not. `self` is
/// this node.
std::string left_out_text(const contract_view& view, const address& who, const address& self);
/// That the merge in `view.brought_to` had fewer models than Krum wants; empty when it had enough.
std::string lowered_krum_text(const contract_view& view);
/// The peers that were in this training and have not got its final model; empty when there are none.
std::string lost_peers(const contract_view& view);

} // namespace swarm::rounds
