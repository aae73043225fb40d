#include "actors/ui/views/waits.hpp"

#include "actors/ui/views/words.hpp"

#include <algorithm>

namespace swarm::ui {

namespace json = boost::json;
using contracts::peer_state;
using contracts::round_phase;

namespace {

/// Collects who is waited for.
class wait_list {
public:
  wait_list(const training_picture& in, const silence& silent) : in_(in), silent_(silent) {}

  void add(const address& whom, std::string why) {
    const auto found = silent_.find(whom);
    json::object one{{"name", name_of(whom)}, {"why", std::move(why)}, {"silent", found != silent_.end()}};
    if (found != silent_.end()) one["since_ms"] = found->second;
    all_[shown(whom)] = std::move(one);
  }
  void add_peers(std::string why) {
    all_["peers"] = json::object{{"name", ""}, {"why", std::move(why)}, {"silent", false}};
  }
  json::object take() { return std::move(all_); }

private:
  std::string name_of(const address& who) const {
    const auto found = std::ranges::find(in_.peers, who, &contracts::peer_view::account);
    return found == in_.peers.end() ? shown(who) : found->name;
  }

  const training_picture& in_;
  const silence& silent_;
  json::object all_;
};

void add_missing(wait_list& to, const training_picture& in) {
  std::uint32_t here = 0;
  for (const auto& peer : in.peers) {
    here += peer.state == peer_state::active || peer.state == peer_state::finished;
    if (peer.state == peer_state::active && peer.last_round < in.head.round_num)
      to.add(peer.account, "has not checked in for round " + std::to_string(in.head.round_num));
  }
  if (in.head.min_peers > here)
    to.add_peers(fmt::format("{} more peers have to register; {} take part at least",
                             in.head.min_peers - here, in.head.min_peers));
}

void add_unrevealed(wait_list& to, const training_picture& in) {
  for (const auto& each : in.check_ins)
    if (!each.commitment.is_zero() && each.digest.is_zero()) to.add(each.peer, "has not revealed its model");
}

void add_makers(wait_list& to, const training_picture& in) {
  if (!in.shards.open) return to.add(in.head.leader, "leads and makes the merge");
  for (const auto& each : in.shards.shards)
    if (each.state == contracts::shard_state::awaited) to.add(each.maker, "makes its shard of the merge");
}

} // namespace

json::object waits_of(const training_picture& from, const silence& silent) {
  wait_list out(from, silent);
  switch (from.head.phase) {
  case round_phase::collecting:
    add_missing(out, from);
    break;
  case round_phase::revealing:
    add_unrevealed(out, from);
    break;
  case round_phase::merging:
    add_makers(out, from);
    break;
  case round_phase::verifying:
  case round_phase::disputed:
    for (const auto& each : from.checks.awaited)
      out.add(each, from.head.phase == round_phase::disputed ? "has not said who is right"
                    : from.checks.attempt == 0               ? "has not revealed its seed"
                                                             : "checks the merge");
    break;
  case round_phase::stopped:
    out.add_peers("its peers do not agree on a merge: only a reset goes on");
    break;
  case round_phase::complete:
    break;
  }
  return out.take();
}

std::string wait_of(const contracts::peer_view& peer, const training_picture& in) {
  if (peer.state == peer_state::odd) return "most organisations want something else";
  if (peer.state != peer_state::active && peer.state != peer_state::finished) return {};
  const auto round = std::to_string(in.head.round_num);
  switch (in.head.phase) {
  case round_phase::collecting:
    return peer.last_round < in.head.round_num ? std::string{} : "the others of round " + round;
  case round_phase::revealing:
    return "the models of round " + round + " to be revealed";
  case round_phase::merging:
    return "the merge of round " + round;
  case round_phase::verifying:
  case round_phase::disputed:
    return "the merge of round " + round + " to be checked";
  case round_phase::stopped:
    return "a reset";
  case round_phase::complete:
    return {};
  }
  return {};
}

} // namespace swarm::ui
