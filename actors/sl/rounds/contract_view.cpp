#include "actors/sl/rounds/contract_view.hpp"

#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/events.hpp"
#include "actors/sl/rounds/shard_view.hpp"
#include "base/merge_method.hpp"
#include "contracts/training/dealing.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace swarm::rounds {

using contracts::peer_state;
using contracts::round_phase;

namespace {
constexpr std::size_t shown_max = 5; ///< peers in one text
}

namespace {

template <class Entry>
std::vector<std::uint32_t> sorted(const std::vector<Entry>& entries, address Entry::*account) {
  std::vector<std::uint32_t> out(entries.size());
  std::iota(out.begin(), out.end(), 0u);
  std::ranges::sort(out, {}, [&](std::uint32_t at) { return entries[at].*account; });
  return out;
}

template <class Entry>
const Entry* find(const std::vector<Entry>& entries, const std::vector<std::uint32_t>& by_account,
                  address Entry::*account, const address& who) {
  if (by_account.size() != entries.size()) {
    const auto found = std::ranges::find(entries, who, account);
    return found == entries.end() ? nullptr : &*found;
  }
  const auto account_of = [&](std::uint32_t at) -> const address& { return entries[at].*account; };
  const auto found = std::ranges::lower_bound(by_account, who, {}, account_of);
  return found == by_account.end() || account_of(*found) != who ? nullptr : &entries[*found];
}

} // namespace

void contract_view::index() {
  peers_by_account = sorted(peers, &contracts::peer_view::account);
  check_ins_by_account = sorted(check_ins, &contracts::check_in_view::peer);
  check_in_of_peer.assign(peers.size(), static_cast<std::uint32_t>(check_ins.size()));
  peer_of_check_in.assign(check_ins.size(), static_cast<std::uint32_t>(peers.size()));
  // Both are in the same order, so one walk finds all pairs.
  auto peer = peers_by_account.begin();
  for (const auto in : check_ins_by_account) {
    while (peer != peers_by_account.end() && peers[*peer].account < check_ins[in].peer)
      ++peer;
    if (peer == peers_by_account.end()) break;
    if (peers[*peer].account != check_ins[in].peer) continue;
    check_in_of_peer[*peer] = in;
    peer_of_check_in[in] = *peer;
  }
}

const contracts::peer_view* find_peer(const contract_view& view, const address& who) {
  return find(view.peers, view.peers_by_account, &contracts::peer_view::account, who);
}

const contracts::check_in_view* find_check_in(const contract_view& view, const address& who) {
  return find(view.check_ins, view.check_ins_by_account, &contracts::check_in_view::peer, who);
}

const contracts::check_in_view* check_in_of(const contract_view& view, const contracts::peer_view& peer) {
  if (view.check_in_of_peer.size() != view.peers.size()) return find_check_in(view, peer.account);
  const auto at = view.check_in_of_peer[static_cast<std::size_t>(&peer - view.peers.data())];
  return at < view.check_ins.size() ? &view.check_ins[at] : nullptr;
}

const contracts::peer_view* peer_of(const contract_view& view, const contracts::check_in_view& in) {
  if (view.peer_of_check_in.size() != view.check_ins.size()) return find_peer(view, in.peer);
  const auto at = view.peer_of_check_in[static_cast<std::size_t>(&in - view.check_ins.data())];
  return at < view.peers.size() ? &view.peers[at] : nullptr;
}

event::view_read::view_read(contract_view read) {
  read.index();
  view = std::make_shared<const contract_view>(std::move(read));
}

bool is_member(const contract_view& view, const address& who) {
  const auto* peer = find_peer(view, who);
  return peer != nullptr && peer->state != peer_state::left;
}

bool is_listed(const contract_view& view, const address& who) {
  return find_check_in(view, who) != nullptr;
}

bool is_hopeless(const contract_view& view) {
  return std::all_of(view.check_ins.begin(), view.check_ins.end(),
                     [&](const auto& in) { return view.silent.contains(in.peer); });
}

bool has_no_final_model(const contract_view& view) {
  const auto first = std::max<std::uint64_t>(1, view.head.merged_round);
  bool anybody = false;
  for (const auto& peer : view.peers) {
    if (peer.state == peer_state::left && peer.last_round < first) continue;
    if (peer.state == peer_state::odd) continue;
    if (peer.train_end != contracts::on_train_end::inactive) return false;
    anybody = true;
  }
  return anybody;
}

bool another_may_lead(const contract_view& view, const address& self) {
  const auto& in = view.check_ins;
  const bool somebody_can = std::any_of(in.begin(), in.end(), [&](const auto& one) {
    const auto* peer = peer_of(view, one);
    return peer != nullptr && peer->can_lead;
  });
  return std::any_of(in.begin(), in.end(), [&](const auto& one) {
    const auto* peer = peer_of(view, one);
    const bool leads = peer != nullptr && (somebody_can ? peer->can_lead : one.weightage > 0);
    return leads && one.peer != self && peer->state != peer_state::left && !view.silent.contains(one.peer);
  });
}

std::optional<contracts::leave_reason> refusal_of(const contract_view& view, const session_params& params) {
  using contracts::leave_reason;
  if (view.head.min_peers != params.min_peers) return leave_reason::other_min_peers;
  if (view.head.merge_method != params.merge_method) return leave_reason::other_merge_method;
  return std::nullopt;
}

peer_list missing_peers(const contract_view& view) {
  peer_list out;
  for (const auto& peer : view.peers) {
    const bool waited_for = peer.state == peer_state::active || peer.state == peer_state::finished;
    if (waited_for && check_in_of(view, peer) == nullptr) out.push_back(&peer);
  }
  return out;
}

peer_list peers_that_miss_the_merge(const contract_view& view, const address& self) {
  const auto& head = view.head;
  const bool complete = head.phase == round_phase::complete;
  peer_list out;
  if (!complete && head.merged_by != self) return out;
  for (const auto& peer : view.peers) {
    const bool waits = peer.state == peer_state::active || (complete && peer.state == peer_state::finished);
    const bool took_part = complete || peer.last_round >= head.merged_round;
    if (peer.account != self && waits && took_part && peer.loss_round < head.merged_round
        && !view.silent.contains(peer.account))
      out.push_back(&peer);
  }
  return out;
}

namespace {

/// Peers in an order that each node has for itself, so that not all of them ask the same one first.
class in_own_order {
public:
  explicit in_own_order(const address& self) : self_(self) {}

  bool operator()(const holder& one, const holder& other) const {
    return distance(one.peer) < distance(other.peer);
  }

private:
  address distance(const address& peer) const {
    auto out = peer;
    for (std::size_t i = 0; i < out.view().size(); ++i)
      out[i] ^= self_[i];
    return out;
  }

  address self_;
};

} // namespace

std::vector<holder> holders_of_merge(const contract_view& view, const address& self) {
  const auto& head = view.head;
  std::vector<holder> out;
  const auto add = [&](auto&& belongs) {
    const auto before = static_cast<std::ptrdiff_t>(out.size());
    for (const auto& peer : view.peers)
      if (peer.account != self && !peer.endpoint.empty() && belongs(peer))
        out.push_back({peer.account, peer.endpoint});
    std::sort(out.begin() + before, out.end(), in_own_order(self));
  };
  const auto merged_it = [&](const auto& peer) { return peer.account == head.merged_by; };
  const auto loaded_it = [&](const auto& peer) { return peer.loss_round >= head.merged_round; };
  add(merged_it);
  add([&](const auto& peer) { return !merged_it(peer) && loaded_it(peer); });
  add([&](const auto& peer) { return !merged_it(peer) && !loaded_it(peer); });
  return out;
}

std::vector<holder> holders_of_proposal(const contract_view& view, const address& self) {
  const auto& leader = view.head.leader;
  std::vector<holder> out;
  for (const auto& peer : view.peers) {
    const auto* in = check_in_of(view, peer);
    const bool fetches = in != nullptr && in->weightage > 0 && peer.account != self && peer.account != leader;
    if (fetches && !peer.endpoint.empty()) out.push_back({peer.account, peer.endpoint});
  }
  std::ranges::sort(out, in_own_order(self));
  if (out.size() > others_with_parts_max) out.resize(others_with_parts_max);
  const auto* peer = find_peer(view, leader);
  out.insert(out.begin(), {leader, peer != nullptr ? peer->endpoint : ""});
  return out;
}

std::uint64_t model_size_of(const contract_view& view, const address& self) {
  std::map<std::uint64_t, std::size_t> peers_by_size;
  for (const auto& in : view.check_ins) {
    if (in.weightage == 0) continue;
    if (in.peer == self) return in.size;
    ++peers_by_size[in.size];
  }
  const auto most = std::ranges::max_element(peers_by_size, {}, [](const auto& each) { return each.second; });
  return most == peers_by_size.end() ? 0 : most->first;
}

std::vector<left_out> wrong_sizes(const contract_view& view, std::uint64_t size) {
  std::vector<left_out> out;
  for (const auto& in : view.check_ins)
    if (in.weightage > 0 && in.size != size)
      out.push_back(
          {in.peer, contracts::exclusion_reason::other_parameters,
           fmt::format("{} ({}) claims a model of {} bytes, but models of this training's layout have {}",
                       name_of(view, in.peer), in.endpoint, in.size, size)});
  return out;
}

namespace {

merge_input input_of(const contract_view& view, const contracts::check_in_view& in) {
  const auto* peer = peer_of(view, in);
  return {in.peer,     peer != nullptr ? peer->name : to_hex(in.peer.view()),
          in.endpoint, in.digest,
          in.size,     merge_weight(in, view.head.round_num)};
}

} // namespace

std::vector<merge_input> merge_inputs(const contract_view& view, std::uint64_t size) {
  std::vector<merge_input> out;
  for (const auto& in : view.check_ins) {
    if (in.weightage == 0 || in.size != size) continue;
    out.push_back(input_of(view, in));
  }
  return out;
}

bool is_checked_now(const contract_view& view) {
  const auto phase = view.head.phase;
  const bool is_known = view.checks.round_num == view.head.round_num && view.checks.term == view.head.term
                        && view.proposal.round_num == view.head.round_num
                        && view.proposal.term == view.head.term;
  return is_known
         && (phase == contracts::round_phase::verifying || phase == contracts::round_phase::disputed);
}

check_task check_of(const contract_view& view, const address& self, std::vector<std::uint64_t> chunks,
                    bool tries_unheard) {
  const auto& [head, proposal] = std::tie(view.head, view.proposal);
  check_task out{.round_num = head.round_num,
                 .term = head.term,
                 .attempt = view.checks.attempt,
                 .method = head.merge_method,
                 .digest = proposal.digest,
                 .size = proposal.size,
                 .leader = {head.leader, {}},
                 .chunks = std::move(chunks)};
  out.patience = std::clamp<std::uint64_t>(view.checks.lasts / 4, out.patience, 60);
  if (const auto* leader = find_peer(view, head.leader)) out.leader.endpoint = leader->endpoint;
  for (const auto& who : proposal.contributors)
    if (const auto* in = find_check_in(view, who)) out.inputs.push_back(input_of(view, *in));
  const auto size = model_size_of(view, self);
  for (std::size_t i = 0; i < std::min(proposal.excluded.size(), proposal.reasons.size()); ++i) {
    const auto* in = find_check_in(view, proposal.excluded[i]);
    if (in == nullptr || in->size != size) continue;
    if (proposal.reasons[i] != contracts::exclusion_reason::not_available)
      out.defective.push_back(input_of(view, *in));
    else if (tries_unheard)
      out.unheard.push_back(input_of(view, *in));
  }
  const auto method = parse_merge_method(head.merge_method);
  if (was_made_in_shards(view)) out.measured = measures_of(view);
  const bool by_chunks = method && (contracts::is_elementwise(*method) || out.measured.sums > 0);
  out.whole = !out.defective.empty() || !by_chunks;
  return out;
}

std::string name_of(const contract_view& view, const address& who) {
  const auto* peer = find_peer(view, who);
  if (peer == nullptr) return to_hex(who.view());
  return view.silent.contains(who) ? peer->name + " (no sign of life)" : peer->name;
}

std::string names_of(const contract_view& view, const peer_list& peers) {
  std::string out;
  for (std::size_t i = 0; i < peers.size() && i < shown_max; ++i)
    out += (i == 0 ? "" : ", ") + name_of(view, peers[i]->account);
  if (peers.size() > shown_max) out += fmt::format(" and {} more", peers.size() - shown_max);
  return out.empty() ? "nobody" : out;
}

bool was_refused(const contracts::peer_view& peer) {
  return peer.state == peer_state::odd || (peer.state == peer_state::left && is_refusal(peer.reason));
}

std::string address_of(const contracts::peer_view& peer) {
  return fmt::format("{} ({}{}{})", peer.name, peer.endpoint, peer.organisation == 0 ? "" : ", ",
                     peer.organisation_name);
}

std::string departure_text(const contracts::peer_view& peer) {
  const auto* what = peer.state == peer_state::odd ? "wants something else"
                     : is_refusal(peer.reason)     ? "was refused"
                                                   : "left";
  return fmt::format("{} {}: {}", address_of(peer), what, to_string(peer.reason));
}

std::string departures_text(const contract_view& view) {
  std::vector<const contracts::peer_view*> left;
  for (const auto& peer : view.peers)
    if (peer.state == peer_state::left || peer.state == peer_state::odd) left.push_back(&peer);
  std::stable_partition(left.begin(), left.end(), [](const auto* peer) { return is_refusal(peer->reason); });
  std::string out;
  for (std::size_t i = 0; i < left.size() && i < shown_max; ++i)
    out += (i == 0 ? "" : "; ") + departure_text(*left[i]);
  if (left.size() > shown_max) out += fmt::format("; {} more left", left.size() - shown_max);
  return out;
}

std::string left_out_text(const contract_view& view, const address& who, const address& self) {
  const auto& merge = view.brought_to;
  const auto found = std::find(merge.excluded.begin(), merge.excluded.end(), who);
  if (found == merge.excluded.end()) return {};
  const auto at = static_cast<std::size_t>(found - merge.excluded.begin());
  const auto* peer = find_peer(view, who);
  const auto whose = who == self       ? std::string("this node's model")
                     : peer == nullptr ? "the model of " + to_hex(who.view())
                                       : fmt::format("the model of {} ({})", peer->name, peer->endpoint);
  return fmt::format("{} was left out of the merge of round {}: {}", whose, merge.round_num,
                     at < merge.reasons.size() ? to_string(merge.reasons[at]) : "no reason is given");
}

std::string lowered_krum_text(const contract_view& view) {
  const auto method = parse_merge_method(view.head.merge_method);
  const auto models = view.brought_to.contributors.size();
  if (!method || hostile_borne(method->hostile, models) == method->hostile) return {};
  return fmt::format(
      "the merge of round {} had {} models, and '{}' wants {}: it was made as if at most {} of them were "
      "hostile",
      view.brought_to.round_num, models, text_of(*method), 2 * method->hostile + 3,
      hostile_borne(method->hostile, models));
}

std::string lost_peers(const contract_view& view) {
  std::vector<std::string> lost;
  for (const auto& peer : view.peers) {
    if (peer.loss_round >= view.head.merged_round) continue;
    if (peer.state == peer_state::left)
      lost.push_back(peer.name + (is_refusal(peer.reason) ? " (refused)" : " (left)"));
    else if (view.silent.contains(peer.account))
      lost.push_back(peer.name + " (no sign of life)");
    else if (peer.state == peer_state::absent)
      lost.push_back(peer.name + " (absent)");
  }
  return fmt::format("{}", fmt::join(lost, ", "));
}

} // namespace swarm::rounds
