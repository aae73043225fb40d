// Training contracts.
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/reads.hpp"
#include "actors/swci/language/words.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training_registry/client.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::swci {

namespace {

using contracts::head_view;
using contracts::peer_view;

struct training {
  address at;
  head_view head;
  std::vector<peer_view> peers;
};

result<training> read_training(network& sns, const std::string& name) {
  training out;
  SWARM_TRY(out.at, find_training(sns, name));
  SWARM_TRY(out.head, read(sns, out.at, contracts::head_args{}));
  SWARM_TRY(out.peers, read_pages(sns, out.at, contracts::page_entries_max, [](std::size_t first) {
              return contracts::peers_args{first, contracts::page_entries_max};
            }));
  return out;
}

std::optional<double> shown(std::int64_t micro, bool reported) {
  const auto value = contracts::from_micro(micro);
  if (!reported || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Whom a peer waits for, or what for: those that are there and have not checked in.
std::string wait_of(const peer_view& peer, const training& in, const std::vector<address>& silent) {
  using enum contracts::round_phase;
  if (peer.state == contracts::peer_state::odd)
    return fmt::format("most organisations to want the same: {}{}{}", contracts::to_string(peer.reason),
                       peer.organisation_name.empty() ? "" : ", of ", peer.organisation_name);
  if (peer.state != contracts::peer_state::active) return {};
  if (in.head.phase == merging) return "the merge of round " + std::to_string(in.head.round_num);
  if (in.head.phase == revealing)
    return "the models of round " + std::to_string(in.head.round_num) + " to be revealed";
  if (in.head.phase != collecting || peer.last_round < in.head.round_num) return {};
  std::string out;
  std::size_t missing = 0;
  for (const auto& other : in.peers) {
    if (other.state != contracts::peer_state::active || other.last_round >= in.head.round_num) continue;
    if (++missing > 3) continue;
    const bool is_silent = std::ranges::find(silent, other.account) != silent.end();
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", other.name, is_silent ? " (silent)" : "");
  }
  if (missing > 3) out += fmt::format(" and {} more", missing - 3);
  if (missing == 0 && in.head.checked_in < in.head.min_peers)
    out = fmt::format("{} more peers", in.head.min_peers - in.head.checked_in);
  return out;
}

} // namespace

result<std::optional<answer>> run(const commands::create_contract& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_CHECK(sns->submit(contracts::training_registry_address(),
                          contracts::encode(contracts::create_training_args{what.contract}),
                          "create contract"));
  return answers::done{"CONTRACT CREATED", what.contract};
}

result<std::optional<answer>> run(const commands::reset_contract& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_training(*sns, what.contract));
  if (!what.note.empty()) SWARM_CHECK(require_rules(*sns, 3, "a note"));
  SWARM_CHECK(sns->submit(at,
                          what.note.empty() ? contracts::encode(contracts::reset_args{})
                                            : contracts::encode(contracts::reset_with_note_args{what.note}),
                          "reset contract"));
  SWARM_TRY(const auto votes, read(*sns, at, contracts::reset_votes_args{}));
  if (votes.empty()) return answers::done{"CONTRACT RESET", what.contract};
  std::string names;
  for (const auto& each : votes)
    names += (names.empty() ? "" : ", ") + each.name;
  return answers::done{
      "RESET ASKED FOR",
      fmt::format("{}, by {}; more than half of the organisations in it have to", what.contract, names)};
}

result<std::optional<answer>> run(const commands::invite& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_training(*sns, what.contract));
  SWARM_TRY(const auto id, find_organisation(*sns, what.organisation));
  SWARM_CHECK(sns->submit(at, contracts::encode(contracts::invite_args{id}), "invite an organisation"));
  return answers::done{"ORGANISATION INVITED", fmt::format("{}, to {}", what.organisation, what.contract)};
}

result<std::optional<answer>> run(const commands::verify_merges& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_training(*sns, what.contract));
  using enum commands::when_verified;
  const auto mode = what.when == before   ? contracts::verify_mode::before
                    : what.when == behind ? contracts::verify_mode::behind
                                          : contracts::verify_mode::off;
  SWARM_CHECK(sns->submit(at, contracts::encode(contracts::set_verify_args{mode}),
                          "say whether merges are verified"));
  return answers::done{what.when == before   ? "MERGES ARE VERIFIED"
                       : what.when == behind ? "MERGES ARE VERIFIED BEHIND"
                                             : "MERGES ARE NOT VERIFIED",
                       what.contract};
}

result<std::optional<answer>> run(const commands::list_contracts&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(auto all, read_pages(*sns, contracts::training_registry_address(), contracts::page_entries_max,
                                 [](std::size_t first) {
                                   return contracts::training_names_args{first, contracts::page_entries_max};
                                 }));
  return answers::names{"contracts", std::move(all)};
}

result<std::optional<answer>> run(const commands::get_contract_info& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_training(*sns, what.contract));
  SWARM_TRY(const auto made, creation_of(*sns, contracts::training_registry_address(),
                                         contracts::event_topic<contracts::training_created>(), at));
  answers::contract_info out{what.contract, to_hex(at.view()), {}, {}, {}, {}};
  SWARM_TRY(const auto owner, read(*sns, at, contracts::owner_args{}));
  SWARM_TRY(const auto invited, read(*sns, at, contracts::invited_args{}));
  out.organisation = owner.name;
  for (const auto& each : invited)
    out.invited.push_back(each.name);
  SWARM_TRY(const auto head, read(*sns, at, contracts::head_args{}));
  if (head.verify != contracts::verify_mode::before) out.verified = upper(contracts::to_string(head.verify));
  if (made) {
    out.created_by = uid_of(made->by);
    SWARM_TRY(const auto when, moments_of(*sns, {made->block_num}));
    out.created = when.at(made->block_num);
  }
  return out;
}

result<std::optional<answer>> run(const commands::get_contract_status& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto now, read_training(*sns, what.contract));
  SWARM_TRY(const auto silent, silent_nodes(*sns));
  const auto& head = now.head;
  answers::contract_status out;
  out.name = what.contract;
  out.state = contracts::to_string(head.phase);
  out.generation = head.generation;
  out.round_num = head.round_num;
  out.merged_round = head.merged_round;
  out.merge_method = head.merge_method;
  if (head.merged_round > 0) out.merged_digest = to_hex(head.merged_digest.view());
  out.min_peers = head.min_peers;
  out.checked_in = head.checked_in;
  out.waited_for = head.waited_for;
  SWARM_TRY(const auto at, find_training(*sns, what.contract));
  // An SN of release 0.2 does not know this question.
  if (const auto last = read(*sns, at, contracts::last_reset_args{}); last && last->block_num > 0) {
    SWARM_TRY(const auto when, moments_of(*sns, {last->block_num}));
    out.reset = {uid_of(last->by), when.at(last->block_num), last->note};
  }
  for (const auto& peer : now.peers) {
    const bool leads = !head.leader.is_zero() && peer.account == head.leader;
    if (leads) out.leader = peer.name;
    out.peers.push_back({uid_of(peer.account), peer.name, std::string(contracts::to_string(peer.state)),
                         leads, peer.last_round, shown(peer.loss_micro, peer.loss_round > 0),
                         shown(peer.metric_micro, peer.loss_round > 0), peer.epochs_done, peer.epochs_total,
                         wait_of(peer, now, silent)});
  }
  return out;
}

result<std::optional<answer>> run(const commands::perfdata& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto now, read_training(*sns, what.contract));
  answers::perfdata out{what.contract, {}};
  for (const auto& peer : now.peers) {
    const bool reported = peer.loss_round > 0;
    out.all.push_back({uid_of(peer.account),
                       peer.account == now.head.leader || peer.account == now.head.merged_by,
                       shown(peer.loss_micro, reported), shown(peer.metric_micro, reported),
                       peer.epochs_total, peer.epochs_done});
  }
  return out;
}

/// Shows the contract whenever anything of it has changed, until it is cancelled or the training is complete.
result<std::optional<answer>> run(const commands::watch_contract& what, command_world& world) {
  std::optional<answers::contract_status> seen;
  while (true) {
    SWARM_TRY(auto now, run(commands::get_contract_status{what.contract}, world));
    const auto& status = std::get<answers::contract_status>(*now);
    if (seen != status) world.show_anew(status);
    seen = status;
    if (status.state == contracts::to_string(contracts::round_phase::complete))
      return std::optional<answer>{};
    if (!world.pause(std::chrono::seconds(1))) return fail(errc::cancelled, "the watch was ended");
  }
}

} // namespace swarm::swci
