#include "contracts/testing/training_probe.hpp"

#include "base/assert.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/organisations_probe.hpp"
#include "contracts/training/dealt.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace swarm::contracts {

namespace {

using peers_by_account = std::map<address, const peer_view*>;

bool is_there(const peer_view& peer) {
  return peer.state == peer_state::active || peer.state == peer_state::finished;
}

std::string broken_while_collecting(const training_reading& now, const peers_by_account& peers) {
  std::size_t active = 0;
  for (const auto& peer : now.peers)
    active += peer.state == peer_state::active ? 1 : 0;
  const auto& in = now.check_ins;
  for (const auto& one : in)
    if (const auto found = peers.find(one.peer); found == peers.end() || !is_there(*found->second))
      return "a peer that is in is not waited for";
  const std::size_t enough = active == 0 ? 1 : now.head.min_peers;
  const bool enough_in = !in.empty() && in.size() >= enough;
  const bool model = std::any_of(in.begin(), in.end(), [](const auto& one) { return one.weightage > 0; });
  if (enough_in && model && (in.size() == now.head.waited_for || 2 * now.head.close_votes > in.size()))
    return "a round that is due stays open";
  return {};
}

/// Only who is there, and may, makes a shard, and something is missing.
std::string broken_while_made(const training_reading& now, const peers_by_account& peers) {
  const auto& shards = now.shards;
  if (shards.shards.empty()) return {};
  if (!shards.open) return "shards that are not made, of a round that is merging";
  for (const auto& one : now.check_ins)
    if (one.weightage > 0 && one.size != shards.size) return "shards of models that differ in size";
  for (const auto& shard : shards.shards) {
    if (is_made(shard.state) == shard.made_by.is_zero()) return "a shard that is made by nobody";
    if (shard.state == shard_state::awaited && !is_there(*peers.at(shard.maker)))
      return "a shard of a peer that is not there is awaited";
  }
  if (std::ranges::all_of(shards.shards, [](const auto& one) { return is_made(one.state); }))
    return "all shards are made, and nothing is proposed";
  return {};
}

/// Nobody whom nothing could come from is awaited, and every chunk is checked by those that the rules want.
std::string broken_while_checked(const training_reading& now, const peers_by_account& peers) {
  const auto& [checks, leader] = std::tie(now.checks, now.head.leader);
  const bool by_leader = now.proposal.shards == 0;
  if (by_leader == !now.shards.shards.empty()) return "shards of a proposal that was not put together of any";
  if (checks.awaited.empty()) return "a proposal waits for nobody";
  const std::set<address> awaited(checks.awaited.begin(), checks.awaited.end());
  for (const auto& who : awaited) {
    if (!is_there(*peers.at(who))) return "a peer that is not there is awaited";
    if (by_leader && who == leader) return "the leader is awaited";
  }
  const auto dealt = deal_of(checks, now.proposal, now.shards);
  for (std::size_t place = 0; place < checks.seats.size(); ++place) {
    const auto& seat = checks.seats[place];
    if (by_leader && seat.peer == leader) return "the leader checks its own proposal";
    if (now.head.phase != round_phase::verifying) continue;
    const bool has_chunks = checks.attempt > 0 && place < dealt.places() && dealt.count_of(place) > 0;
    if (has_chunks != (awaited.contains(seat.peer) || seat.attested))
      return "who has something to check, and nobody else, is awaited or has attested it";
  }
  return {};
}

std::string broken_numbers(const training_reading& reading) {
  const auto& [now, in] = std::tie(reading.head, reading.check_ins);
  if (now.waited_for != std::ranges::count_if(reading.peers, is_there))
    return "waitedFor is not the number of peers Active or Finished";
  if (now.checked_in != in.size()) return "checkedIn is not the number of check-ins";
  if (now.close_votes > now.checked_in) return "more votes than check-ins";
  if (now.round_num != now.merged_round + 1) return "roundNum is not mergedRound + 1";
  if (is_closed(now.phase) == now.leader.is_zero()) return "a leader if and only if the round is closed";
  if (now.phase == round_phase::complete && !in.empty()) return "check-ins after the end";
  const auto hidden =
      std::ranges::count_if(in, [](const auto& one) { return one.weightage > 0 && one.digest.is_zero(); });
  if (now.hidden != hidden) return "hidden is not the number of models that nobody knows";
  if (now.phase == round_phase::revealing && hidden == 0) return "a round with nothing to reveal stays open";
  if (is_closed(now.phase) && hidden > 0) return "a model that nobody knows is to be merged";
  if ((now.phase == round_phase::revealing) == (now.reveals_end == 0))
    return "an end if and only if Revealing";
  return {};
}

} // namespace

std::string training_probe::broken_invariant(const training_reading& reading) const {
  if (auto broken = broken_numbers(reading); !broken.empty()) return broken;
  const auto& now = reading.head;
  if (now.merged_round > 0) {
    const auto merge = merge_of(now.merged_round);
    if (merge.digest != now.merged_digest || merge.leader != now.merged_by || merge.size != now.merged_size)
      return "the head tells another merge than mergeOf";
  }
  if (merge_of(now.round_num).round_num != 0) return "a merge of a round that is not merged";
  peers_by_account peers;
  for (const auto& peer : reading.peers)
    peers[peer.account] = &peer;
  const auto leader = peers.find(now.leader);
  if (leader != peers.end() && leader->second->state == peer_state::left && now.phase != round_phase::stopped)
    return "the leader has left";
  if (is_closed(now.phase)
      && std::ranges::none_of(reading.check_ins, [&now](const auto& one) { return one.peer == now.leader; }))
    return "the leader is not in the round";
  if (now.phase == round_phase::verifying || now.phase == round_phase::disputed)
    return broken_while_checked(reading, peers);
  if (now.phase == round_phase::merging) return broken_while_made(reading, peers);
  return now.phase == round_phase::collecting ? broken_while_collecting(reading, peers) : std::string{};
}

address test_voucher(std::size_t number) {
  return test_account(static_cast<std::uint16_t>(0xf000 + number));
}

namespace {

register_node_args claim_for(const memory_world& world, organisation_id organisation, node_type type,
                             std::string_view name) {
  register_node_args args;
  args.type = type;
  args.organisation = organisation;
  args.sequence = world.block_num() + 1;
  args.identity.fill(7);
  args.name = name;
  args.endpoint = fmt::format("{}.example:30305", name);
  return args;
}

bool is_active(const memory_world& world, const address& account) {
  const auto answer = world.view({}, node_registry_address(), encode_node(account));
  return decode_node(answer.output).value().active;
}

/// Of a world of `test_founders`: all organisations vouch for what waits of the account.
void vouch_for(memory_world& world, const address& account) {
  const auto count = world.founders().size();
  for (std::size_t of = 1; of <= count; ++of)
    if (!is_active(world, test_voucher(of))) {
      const auto own = claim_for(world, static_cast<organisation_id>(of), node_type::sn, "voucher");
      SWARM_ASSERT(world.send(test_voucher(of), node_registry_address(), encode_register_node(own)).ok);
    }
  for (std::size_t of = 1; of <= count && !is_active(world, account); ++of) {
    const auto waits = world.view({}, node_registry_address(), encode(pending_of_args{account}));
    const auto hash = decode_pending_of(waits.output).value().hash;
    SWARM_ASSERT(world.send(test_voucher(of), node_registry_address(), encode_vouch(account, hash)).ok);
  }
}

bool has_vouchers(const memory_world& world) {
  if (world.founders().empty()) return false;
  const auto& first = world.founders().front().validators;
  return std::find(first.begin(), first.end(), test_voucher(1)) != first.end();
}

} // namespace

std::vector<ledger::founder> test_founders(const std::vector<std::vector<std::uint16_t>>& accounts) {
  std::vector<ledger::founder> out;
  for (const auto& own : accounts) {
    const auto number = static_cast<std::uint8_t>(out.size() + 1);
    out.push_back({fmt::format("Org {}", number), {test_anchor(number)}, {}});
    for (const auto account : own)
      out.back().validators.push_back(test_account(account));
    out.back().validators.push_back(test_voucher(number));
  }
  return out;
}

namespace {
organisation_id organisation_for(const memory_world& world, const address& account) {
  const auto& all = world.founders();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::find(all[i].validators.begin(), all[i].validators.end(), account) != all[i].validators.end())
      return static_cast<organisation_id>(i + 1);
  return all.empty() ? 0 : 1;
}
} // namespace

void move_node(memory_world& world, const address& account, organisation_id to) {
  const auto args = claim_for(world, to, node_type::sl, "node");
  SWARM_ASSERT(world.send(account, node_registry_address(), encode_register_node(args)).ok);
  for (std::size_t of = 1; of <= world.founders().size(); ++of) {
    const auto waits = world.view({}, node_registry_address(), encode(pending_of_args{account}));
    const auto hash = decode_pending_of(waits.output).value().hash;
    if (hash.is_zero()) break;
    SWARM_ASSERT(world.send(test_voucher(of), node_registry_address(), encode_vouch(account, hash)).ok);
  }
  const auto now = world.view({}, node_registry_address(), encode_node(account));
  SWARM_ASSERT(decode_node(now.output).value().organisation == to);
}

memory_world::outcome register_node(memory_world& world, const address& account, node_type type,
                                    std::string_view name) {
  const auto args = claim_for(world, organisation_for(world, account), type, name);
  auto out = world.send(account, node_registry_address(), encode_register_node(args));
  if (out.ok && has_vouchers(world) && !is_active(world, account)) vouch_for(world, account);
  return out;
}

} // namespace swarm::contracts
