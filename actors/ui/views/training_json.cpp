#include "actors/ui/views/waits.hpp"
#include "actors/ui/views/words.hpp"
#include "contracts/training/client.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::ui {

namespace json = boost::json;
using contracts::peer_state;
using contracts::peer_view;

namespace {

constexpr std::string_view state_word(peer_state state) {
  switch (state) {
  case peer_state::active:
    return "active";
  case peer_state::absent:
    return "absent";
  case peer_state::finished:
    return "finished";
  case peer_state::odd:
    return "odd";
  case peer_state::none:
  case peer_state::left:
    break;
  }
  return "left";
}

bool takes_part(const peer_view& peer) {
  return peer.state == peer_state::active || peer.state == peer_state::absent
         || peer.state == peer_state::finished;
}

std::optional<double> reported(std::int64_t micro, const peer_view& peer) {
  const auto value = contracts::from_micro(micro);
  if (peer.loss_round == 0 || !std::isfinite(value)) return std::nullopt;
  return value;
}

json::object peer_counts(const training_picture& from) {
  json::object out{{"active", 0}, {"absent", 0}, {"finished", 0}, {"left", 0}, {"odd", 0}};
  for (const auto& each : from.peers) {
    auto& count = out[state_word(each.state)];
    count = count.to_number<std::uint64_t>() + 1;
  }
  return out;
}

/// Means of what was reported for the newest round of which anything was.
void add_means(json::object& to, const training_picture& from) {
  std::uint64_t round_num = 0;
  for (const auto& each : from.peers)
    round_num = std::max(round_num, each.loss_round);
  if (round_num == 0) return;
  const auto mean = [&](auto value) -> std::optional<double> {
    double sum = 0;
    std::size_t count = 0;
    for (const auto& each : from.peers) {
      if (each.loss_round != round_num) continue;
      if (const auto one = reported(value(each), each)) sum += *one, ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / static_cast<double>(count);
  };
  to["loss_round"] = round_num;
  add(to, "loss", mean([](const peer_view& peer) { return peer.loss_micro; }));
  add(to, "metric", mean([](const peer_view& peer) { return peer.metric_micro; }));
}

void add_progress(json::object& to, const training_picture& from) {
  std::uint64_t done = 0, total = 0;
  const peer_view* last = nullptr;
  for (const auto& each : from.peers) {
    if (!takes_part(each) || each.epochs_total == 0) continue;
    const auto own = each.state == peer_state::finished ? each.epochs_total
                                                        : std::min(each.epochs_done, each.epochs_total);
    done += own;
    total += each.epochs_total;
    if (each.state == peer_state::finished && last != nullptr) continue;
    if (last == nullptr || last->state == peer_state::finished || own < last->epochs_done) last = &each;
  }
  const bool is_over = from.head.phase == contracts::round_phase::complete;
  const bool is_finished = last != nullptr && last->state == peer_state::finished;
  const auto epochs_done = last == nullptr          ? 0u
                           : is_finished || is_over ? last->epochs_total
                                                    : std::min(last->epochs_done, last->epochs_total);
  to["epochs_done"] = epochs_done;
  to["epochs_total"] = last == nullptr ? 0u : last->epochs_total;
  if (is_over)
    to["progress"] = 1.0;
  else if (total > 0)
    to["progress"] = static_cast<double>(done) / static_cast<double>(total);
  if (is_over || last == nullptr) return;
  if (from.goes.epochs_per_ms && *from.goes.epochs_per_ms > 0)
    to["eta_ms"] = static_cast<std::uint64_t>((last->epochs_total - epochs_done) / *from.goes.epochs_per_ms);
}

/// Rounds that were merged without it. Of the one that is collected others may be ahead, as it is awaited in it.
std::uint64_t lag_of(const peer_view& peer, const contracts::head_view& head) {
  const auto next = peer.last_round + 1;
  return takes_part(peer) && head.round_num > next ? head.round_num - next : 0;
}

json::object peer_json(const peer_view& from, const training_picture& in, const silence& silent) {
  json::object out{{"name", from.name},
                   {"state", state_word(from.state)},
                   {"organisation", from.organisation},
                   {"endpoint", from.endpoint},
                   {"weightage", from.weightage},
                   {"train_end", contracts::to_string(from.train_end)},
                   {"can_lead", from.can_lead},
                   {"last_round", from.last_round},
                   {"lag", lag_of(from, in.head)},
                   {"loss_round", from.loss_round},
                   {"epochs_done", from.epochs_done},
                   {"epochs_total", from.epochs_total}};
  if (from.state == peer_state::left || from.state == peer_state::odd)
    out["reason"] = contracts::to_string(from.reason);
  add(out, "loss", reported(from.loss_micro, from));
  add(out, "metric", reported(from.metric_micro, from));
  add_life(out, from.account, silent);
  if (from.accused_since > 0) out["accused_since_ms"] = from.accused_since * 1000;
  if (from.barred_until > in.head.round_num) out["barred_until"] = from.barred_until;
  if (auto wait = wait_of(from, in); !wait.empty()) out["waits_for"] = std::move(wait);
  return out;
}

json::object check_in_json(const contracts::check_in_view& from) {
  json::object out{{"size", from.size},
                   {"weightage", from.weightage},
                   {"base_round", from.base_round},
                   {"finished", from.finished},
                   {"revealed", !from.digest.is_zero()}};
  if (!from.digest.is_zero()) out["digest"] = shown(from.digest);
  return out;
}

auto uid = [](const address& each) { return shown(each); };

json::object proposal_json(const training_picture& in) {
  const auto& from = in.proposal;
  json::object excluded;
  for (std::size_t i = 0; i < from.excluded.size() && i < from.reasons.size(); ++i)
    excluded[shown(from.excluded[i])] = contracts::to_string(from.reasons[i]);
  std::vector<address> attested;
  for (const auto& each : in.checks.seats)
    if (each.attested) attested.push_back(each.peer);
  return {{"round_num", from.round_num},
          {"term", from.term},
          {"leader", shown(from.leader)},
          {"digest", shown(from.digest)},
          {"size", from.size},
          {"contributors", set_of(from.contributors, uid)},
          {"excluded", excluded},
          {"attested", set_of(attested, uid)}};
}

std::string challenge_text(const training_picture& in) {
  const auto& checks = in.checks;
  if (checks.kind == contracts::challenge_kind::chunk) return fmt::format("chunk {}", checks.number);
  if (checks.kind == contracts::challenge_kind::unserved) return "what it takes to check is not served";
  if (checks.number >= in.proposal.excluded.size()) return "an exclusion";
  const auto& whom = in.proposal.excluded[checks.number];
  const auto peer = std::ranges::find(in.peers, whom, &peer_view::account);
  return "the exclusion of " + (peer == in.peers.end() ? shown(whom) : peer->name);
}

json::object checks_json(const training_picture& in) {
  const auto& from = in.checks;
  json::object out{{"attempt", from.attempt},
                   {"until_ms", from.until * 1000},
                   {"chunks", from.chunks},
                   {"awaited", set_of(from.awaited, uid)}};
  if (from.challenger.is_zero()) return out;
  out["challenger"] = shown(from.challenger);
  out["challenge"] = challenge_text(in);
  return out;
}

constexpr std::string_view shard_word(contracts::shard_state state) {
  using enum contracts::shard_state;
  return state == awaited    ? "awaited"
         : state == made     ? "made"
         : state == declined ? "declined"
                             : "made_by_leader";
}

json::object shards_json(const contracts::shards_view& from) {
  json::object makers;
  for (const auto& each : from.shards) {
    json::object one{{"state", shard_word(each.state)}};
    if (!each.made_by.is_zero()) one["made_by"] = shown(each.made_by);
    makers[shown(each.maker)] = std::move(one);
  }
  return {{"open", from.open}, {"size", from.size}, {"until_ms", from.until * 1000}, {"makers", makers}};
}

json::object merged_json(const training_picture& in) {
  json::object out{{"round_num", in.head.merged_round},
                   {"digest", shown(in.head.merged_digest)},
                   {"size", in.head.merged_size},
                   {"by", shown(in.head.merged_by)}};
  if (in.merged.round_num == in.head.merged_round) out["block_num"] = in.merged.block_num;
  return out;
}

json::object owners_json(const std::vector<contracts::owner_view>& from) {
  return set_of(from, [](const auto& each) { return std::to_string(each.organisation); });
}

} // namespace

json::object training_summary_json(const training_picture& from, const silence& silent) {
  const auto& head = from.head;
  json::object out{{"uid", shown(from.at)},
                   {"phase", contracts::to_string(head.phase)},
                   {"generation", head.generation},
                   {"round_num", head.round_num},
                   {"merged_round", head.merged_round},
                   {"min_peers", head.min_peers},
                   {"merge_method", head.merge_method},
                   {"peers", peer_counts(from)},
                   {"checked_in", head.checked_in},
                   {"waited_for", head.waited_for},
                   {"waits", waits_of(from, silent)},
                   {"changed_ms", from.changed_ms}};
  if (!head.leader.is_zero()) {
    out["leader"] = shown(head.leader);
    const auto leader = std::ranges::find(from.peers, head.leader, &peer_view::account);
    if (leader != from.peers.end()) out["leader_name"] = leader->name;
  }
  add_means(out, from);
  add_progress(out, from);
  add(out, "round_ms", from.goes.round_ms);
  return out;
}

json::object training_json(const training_picture& from, const silence& silent) {
  auto out = training_summary_json(from, silent);
  const auto& head = from.head;
  json::object members, check_ins;
  for (const auto& each : from.peers)
    members[shown(each.account)] = peer_json(each, from, silent);
  for (const auto& each : from.check_ins)
    check_ins[shown(each.peer)] = check_in_json(each);
  out["owner"] = from.owner.organisation;
  out["invited"] = owners_json(from.invited);
  out["reset_votes"] = owners_json(from.reset_votes);
  if (const auto& last = from.last_reset; last.block_num > 0)
    out["last_reset"] = {{"by", shown(last.by)}, {"note", last.note}, {"block_num", last.block_num}};
  out["verify"] = contracts::to_string(head.verify);
  out["layout_digest"] = head.layout_digest.is_zero() ? std::string{} : shown(head.layout_digest);
  out["term"] = head.term;
  if (head.reveals_end > 0) out["reveals_end_ms"] = head.reveals_end * 1000;
  if (head.merged_round > 0) out["merged"] = merged_json(from);
  out["members"] = std::move(members);
  out["check_ins"] = std::move(check_ins);
  if (from.proposal.round_num > 0) {
    out["proposal"] = proposal_json(from);
    out["checks"] = checks_json(from);
  }
  if (!from.shards.shards.empty()) out["shards"] = shards_json(from.shards);
  return out;
}

} // namespace swarm::ui
