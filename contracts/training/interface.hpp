#pragma once

#include "contracts/abi/function.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "contracts/training/client.hpp"

/// interfaces/ITraining.sol in C++ types. The solc check compares the two.
namespace swarm::contracts {

struct reset_args {};
struct training_name_args {};
struct head_args {};
struct peers_args {
  u256 first;
  u256 count;
};
struct peer_count_args {};
struct check_ins_args {};
struct merge_of_args {
  std::uint64_t round_num = 0;
};

using training_functions =
    function_list<register_peer_args, leave_peer_args, check_in_args, vote_close_args, commit_merge_args,
                  suspect_leader_args, report_loss_args, reset_args, training_name_args, head_args,
                  peers_args, peer_count_args, check_ins_args, merge_of_args>;

namespace abi {

template <>
struct enum_values<round_phase> {
  static constexpr auto last = round_phase::complete;
};
template <>
struct enum_values<peer_state> {
  static constexpr auto last = peer_state::left;
};
template <>
struct enum_values<on_train_end> {
  static constexpr auto last = on_train_end::active;
};

template <>
struct layout<head_view> {
  using t = head_view;
  static constexpr auto members =
      std::tuple{&t::generation,  &t::round_num,    &t::phase,         &t::term,        &t::leader,
                 &t::min_peers,   &t::merge_method, &t::layout_digest, &t::waited_for,  &t::checked_in,
                 &t::close_votes, &t::merged_round, &t::merged_digest, &t::merged_size, &t::merged_by};
};
template <>
struct layout<peer_view> {
  using t = peer_view;
  static constexpr auto members =
      std::tuple{&t::account,      &t::state,      &t::train_end,   &t::can_lead,     &t::weightage,
                 &t::last_round,   &t::loss_round, &t::epochs_done, &t::epochs_total, &t::loss_micro,
                 &t::metric_micro, &t::name,       &t::endpoint};
};
template <>
struct layout<check_in_view> {
  using t = check_in_view;
  static constexpr auto members =
      std::tuple{&t::peer, &t::digest, &t::size, &t::weightage, &t::base_round, &t::finished, &t::endpoint};
};
template <>
struct layout<merge_view> {
  using t = merge_view;
  static constexpr auto members =
      std::tuple{&t::round_num, &t::block_num,    &t::term,     &t::leader, &t::digest,
                 &t::size,      &t::contributors, &t::excluded, &t::reasons};
};

template <>
struct layout<register_peer_args> {
  using t = register_peer_args;
  static constexpr std::string_view name = "registerPeer";
  static constexpr auto members = std::tuple{&t::min_peers, &t::merge_method, &t::weightage,
                                             &t::train_end, &t::epochs_total, &t::can_lead};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<leave_peer_args> {
  static constexpr std::string_view name = "leavePeer";
  static constexpr auto members = std::tuple{&leave_peer_args::reason};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<check_in_args> {
  using t = check_in_args;
  static constexpr std::string_view name = "checkIn";
  static constexpr auto members = std::tuple{&t::generation,    &t::round_num, &t::digest,     &t::size,
                                             &t::layout_digest, &t::weightage, &t::base_round, &t::finished};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<vote_close_args> {
  static constexpr std::string_view name = "voteClose";
  static constexpr auto members = std::tuple{&vote_close_args::generation, &vote_close_args::round_num};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<commit_merge_args> {
  using t = commit_merge_args;
  static constexpr std::string_view name = "commitMerge";
  static constexpr auto members = std::tuple{&t::generation, &t::round_num,    &t::term,     &t::digest,
                                             &t::size,       &t::contributors, &t::excluded, &t::reasons};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<suspect_leader_args> {
  using t = suspect_leader_args;
  static constexpr std::string_view name = "suspectLeader";
  static constexpr auto members = std::tuple{&t::generation, &t::round_num, &t::term};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<report_loss_args> {
  using t = report_loss_args;
  static constexpr std::string_view name = "reportLoss";
  static constexpr auto members = std::tuple{&t::generation,   &t::round_num,   &t::loss_micro,
                                             &t::metric_micro, &t::epochs_done, &t::epochs_total};
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<reset_args> {
  static constexpr std::string_view name = "reset";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = false;
  using answer = void;
};
template <>
struct layout<training_name_args> {
  static constexpr std::string_view name = "name";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = std::string;
};
template <>
struct layout<head_args> {
  static constexpr std::string_view name = "head";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = head_view;
};
template <>
struct layout<peers_args> {
  static constexpr std::string_view name = "peers";
  static constexpr auto members = std::tuple{&peers_args::first, &peers_args::count};
  static constexpr bool view = true;
  using answer = std::vector<peer_view>;
};
template <>
struct layout<peer_count_args> {
  static constexpr std::string_view name = "peerCount";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = u256;
};
template <>
struct layout<check_ins_args> {
  static constexpr std::string_view name = "checkIns";
  static constexpr auto members = std::make_tuple();
  static constexpr bool view = true;
  using answer = std::vector<check_in_view>;
};
template <>
struct layout<merge_of_args> {
  static constexpr std::string_view name = "mergeOf";
  static constexpr auto members = std::tuple{&merge_of_args::round_num};
  static constexpr bool view = true;
  using answer = merge_view;
};

template <>
struct layout<peer_registered> {
  using t = peer_registered;
  static constexpr std::string_view name = "PeerRegistered";
  static constexpr auto members =
      std::tuple{&t::peer, &t::generation, &t::min_peers, &t::merge_method, &t::weightage};
  static constexpr std::array indexed{true, false, false, false, false};
};
template <>
struct layout<peer_left> {
  using t = peer_left;
  static constexpr std::string_view name = "PeerLeft";
  static constexpr auto members = std::tuple{&t::peer, &t::generation, &t::reason};
  static constexpr std::array indexed{true, false, false};
};
template <>
struct layout<peer_absent> {
  using t = peer_absent;
  static constexpr std::string_view name = "PeerAbsent";
  static constexpr auto members = std::tuple{&t::peer, &t::generation, &t::round_num};
  static constexpr std::array indexed{true, false, false};
};
template <>
struct layout<checked_in> {
  using t = checked_in;
  static constexpr std::string_view name = "CheckedIn";
  static constexpr auto members = std::tuple{&t::peer, &t::round_num, &t::generation, &t::digest,
                                             &t::size, &t::weightage, &t::base_round, &t::finished};
  static constexpr std::array indexed{true, true, false, false, false, false, false, false};
};
template <>
struct layout<round_closed> {
  using t = round_closed;
  static constexpr std::string_view name = "RoundClosed";
  static constexpr auto members =
      std::tuple{&t::round_num, &t::generation, &t::leader, &t::participants, &t::contributors};
  static constexpr std::array indexed{true, false, true, false, false};
};
template <>
struct layout<round_reopened> {
  static constexpr std::string_view name = "RoundReopened";
  static constexpr auto members = std::tuple{&round_reopened::round_num, &round_reopened::generation};
  static constexpr std::array indexed{true, false};
};
template <>
struct layout<leader_suspected> {
  using t = leader_suspected;
  static constexpr std::string_view name = "LeaderSuspected";
  static constexpr auto members = std::tuple{&t::round_num, &t::generation, &t::term, &t::by, &t::leader};
  static constexpr std::array indexed{true, false, false, true, false};
};
template <>
struct layout<leader_changed> {
  using t = leader_changed;
  static constexpr std::string_view name = "LeaderChanged";
  static constexpr auto members = std::tuple{&t::round_num, &t::generation, &t::term, &t::leader};
  static constexpr std::array indexed{true, false, false, true};
};
template <>
struct layout<merge_committed> {
  using t = merge_committed;
  static constexpr std::string_view name = "MergeCommitted";
  static constexpr auto members =
      std::tuple{&t::round_num, &t::generation,   &t::term,     &t::leader, &t::digest,
                 &t::size,      &t::contributors, &t::excluded, &t::reasons};
  static constexpr std::array indexed{true, false, false, true, false, false, false, false, false};
};
template <>
struct layout<loss_reported> {
  using t = loss_reported;
  static constexpr std::string_view name = "LossReported";
  static constexpr auto members =
      std::tuple{&t::peer,         &t::round_num,   &t::generation,  &t::loss_micro,
                 &t::metric_micro, &t::epochs_done, &t::epochs_total};
  static constexpr std::array indexed{true, true, false, false, false, false, false};
};
template <>
struct layout<training_complete> {
  using t = training_complete;
  static constexpr std::string_view name = "TrainingComplete";
  static constexpr auto members = std::tuple{&t::round_num, &t::generation, &t::digest};
  static constexpr std::array indexed{true, false, false};
};
template <>
struct layout<training_reset> {
  static constexpr std::string_view name = "TrainingReset";
  static constexpr auto members = std::tuple{&training_reset::generation, &training_reset::by};
  static constexpr std::array indexed{false, true};
};

} // namespace abi
} // namespace swarm::contracts
