#include "contracts/testing/members_world.hpp"

#include "base/assert.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/organisations_probe.hpp"

#include <map>
#include <set>

namespace swarm::contracts {

namespace {
std::vector<ledger::founder> founders_of(std::uint16_t organisations) {
  std::vector<ledger::founder> out;
  for (std::uint16_t i = 1; i <= organisations; ++i)
    out.push_back({fmt::format("org{}", i), {test_anchor(static_cast<std::uint8_t>(i))}, {test_account(i)}});
  return out;
}
} // namespace

members_world::members_world(std::uint16_t organisations)
    : world(make_contracts(), {test_account(1)}, founders_of(organisations)) {
  for (organisation_id id = 1; id <= organisations; ++id) {
    auto args = claim(id, node_type::sn);
    args.identity = hash32(u256(id));
    SWARM_ASSERT(enter(sn(id), args).empty());
  }
}

register_node_args members_world::claim(organisation_id of, node_type type) {
  register_node_args out;
  out.type = type;
  out.organisation = of;
  out.identity.fill(static_cast<std::uint8_t>(0x80 + of));
  out.sequence = ++sequence_;
  out.name = "node";
  return out;
}

std::string members_world::reason(memory_world::outcome done) {
  gas = done.gas;
  if (!done.ok) return revert_text(done.output);
  events = std::move(done.events);
  return {};
}

std::string members_world::enter(const address& account, const register_node_args& args) {
  return send(account, args);
}

std::string members_world::vouch(const address& by, const address& account) {
  return send(by, vouch_args{account, pending(account).hash});
}

void members_world::admit(const address& account, const std::vector<organisation_id>& by) {
  for (const auto id : by)
    SWARM_ASSERT(vouch(sn(id), account).empty());
  SWARM_ASSERT(active(account));
}

std::string members_world::broken_invariant() const {
  std::map<organisation_id, standing_view> counted;
  std::set<address> seen;
  const auto count = node_count();
  for (std::uint64_t first = 0; first < count; first += page_entries_max)
    for (const auto& one : ask(nodes_args{first, page_entries_max})) {
      if (!seen.insert(one.account).second) return "a node is listed twice";
      if (one != node(one.account)) return "a node has two views";
      auto& of = counted[one.organisation];
      ++of.nodes;
      if (one.type == node_type::sn) ++of.sns;
      if (one.type == node_type::sn || one.type == node_type::swci) ++of.voters;
    }
  if (seen.size() != count) return "nodeCount is not the number of nodes";
  for (organisation_id id = 1; id <= world.founders().size(); ++id) {
    const auto now = standing(id);
    const auto& expected = counted[id];
    if (now.nodes != expected.nodes || now.sns != expected.sns || now.voters != expected.voters)
      return fmt::format("the counts of organisation {} are wrong", id);
    const auto waiting = ask(pending_nodes_args{id, 0, page_entries_max});
    if (waiting.size() != now.pending) return "pending is not the number of statements that wait";
    for (const auto& one : waiting) {
      if (one != pending(one.statement.account) || one.statement.organisation != id)
        return "a waiting statement has two views";
      if (one.hash != statement_hash(one.statement)) return "a waiting statement has another's hash";
    }
  }
  return {};
}

} // namespace swarm::contracts
