#include "actors/sl/follower/contract_json.hpp"

#include "actors/sl/rounds/shard_view.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

namespace {

/// How far the check of a proposal is; null when none is checked.
json::value checks_json(const rounds::contract_view& view) {
  if (!rounds::is_checked_now(view)) return nullptr;
  const auto& [proposal, checks] = std::tie(view.proposal, view.checks);
  json::array awaited;
  for (const auto& who : checks.awaited)
    awaited.emplace_back(rounds::name_of(view, who));
  json::object out{{"digest", to_hex(proposal.digest.view())},
                   {"attempt", checks.attempt},
                   {"chunks", checks.chunks},
                   {"checkers", checks.seats.size()},
                   {"until", checks.until},
                   {"awaited", std::move(awaited)}};
  if (!checks.challenger.is_zero()) {
    out["challenged_by"] = rounds::name_of(view, checks.challenger);
    out["challenge"] = contracts::to_string(checks.kind);
    out["number"] = checks.number;
  }
  return out;
}

/// Who makes which part of the merge; null when it is not made in shards.
json::value shards_json(const rounds::contract_view& view) {
  if (!rounds::is_made_in_shards(view) && !rounds::was_made_in_shards(view)) return nullptr;
  json::array out;
  for (const auto& shard : view.shards.shards)
    out.push_back(json::object{{"maker", rounds::name_of(view, shard.maker)},
                               {"state", contracts::to_string(shard.state)}});
  return out;
}

} // namespace

json::object contract_json(const rounds::contract_view& view) {
  const auto& head = view.head;
  json::array peers;
  for (const auto& peer : view.peers) {
    json::object shown{{"name", peer.name},
                       {"account", to_hex(peer.account.view())},
                       {"state", contracts::to_string(peer.state)},
                       {"last_round", peer.last_round},
                       {"loss_round", peer.loss_round},
                       {"loss", contracts::from_micro(peer.loss_micro)},
                       {"metric", contracts::from_micro(peer.metric_micro)},
                       {"epochs_done", peer.epochs_done},
                       {"epochs_total", peer.epochs_total},
                       {"weightage", peer.weightage},
                       {"endpoint", peer.endpoint},
                       {"silent", view.silent.contains(peer.account)}};
    if (peer.trusted_from > 0) shown["trusted_from"] = peer.trusted_from;
    if (peer.barred_until > 0) shown["barred_until"] = peer.barred_until;
    if (peer.organisation != 0) shown["organisation"] = peer.organisation_name;
    if (rounds::was_refused(peer) || peer.state == contracts::peer_state::left)
      shown["reason"] = contracts::to_string(peer.reason);
    peers.push_back(std::move(shown));
  }
  return {{"block_num", view.block_num},
          {"generation", head.generation},
          {"round", head.round_num},
          {"phase", contracts::to_string(head.phase)},
          {"term", head.term},
          {"leader", to_hex(head.leader.view())},
          {"min_peers", head.min_peers},
          {"merge_method", head.merge_method},
          {"waited_for", head.waited_for},
          {"checked_in", head.checked_in},
          {"hidden", head.hidden},
          {"shards", shards_json(view)},
          {"checks", checks_json(view)},
          {"merged_round", head.merged_round},
          {"merged_digest", to_hex(head.merged_digest.view())},
          {"merged_size", head.merged_size},
          {"peers", std::move(peers)}};
}

} // namespace swarm::actors
