// Organisations: who belongs to the network, and votes on it.
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/host_files.hpp"
#include "actors/swci/commands/reads.hpp"
#include "actors/swci/commands/votes.hpp"
#include "base/clock.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training_registry/client.hpp"
#include "transport/tls/trust_anchors.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

const auto registry = contracts::organisation_registry_address();

result<std::vector<hash32>> anchors_in(const command_world& world, const std::string& file) {
  constexpr std::string_view what = "the organisation's CA";
  if (transport::names_trust_domain(file)) return transport::anchors_named(file, what);
  SWARM_TRY(const auto path, existing_inside(world.folder, file));
  return transport::anchors_named(path, what);
}

result<std::vector<contracts::organisation_view>> read_organisations(network& sns) {
  constexpr auto page = contracts::organisations_page_max;
  return read_pages(sns, registry, page, [](std::size_t first) {
    return contracts::organisations_args{first, page};
  });
}

/// Who waits for vouches has no seat yet, and whose certificate has expired has none any more.
void take_seat(answers::seats::row& row, const contracts::node_view& node,
               const std::vector<address>& silent) {
  if (!node.active) return;
  ++row.taken;
  if (std::ranges::find(silent, node.account) != silent.end()) ++row.silent;
  using enum contracts::node_type;
  switch (node.type) {
  case sn:
    ++row.sns;
    break;
  case sl:
    ++row.sls;
    break;
  case swop:
    ++row.swops;
    break;
  case swci:
    ++row.swcis;
    break;
  }
}

constexpr std::array<std::string_view, contracts::seat_kinds> seat_words{"SN", "SL", "SWOP", "SWCI",
                                                                         "TRAININGS"};

std::string_view word_of(contracts::seat_kind kind) {
  return seat_words.at(static_cast<std::size_t>(kind) - 1);
}

/// "SL 3 by the network, TRAININGS 2 by itself".
std::string limits_text(const std::vector<contracts::seat_limit_view>& limits) {
  std::string out;
  const auto add = [&out](contracts::seat_kind kind, std::uint32_t most, std::string_view by) {
    if (most > 0) out += fmt::format("{}{} {} by {}", out.empty() ? "" : ", ", word_of(kind), most, by);
  };
  for (const auto& one : limits) {
    add(one.kind, one.by_network, "the network");
    add(one.kind, one.by_itself, "itself");
  }
  return out;
}

result<std::vector<contracts::motion_view>> read_motions(network& sns) {
  constexpr auto page = contracts::organisations_page_max;
  return read_pages(sns, registry, page, [](std::size_t first) {
    return contracts::motions_args{first, page};
  });
}

result<std::vector<contracts::chain_use_view>> read_uses(network& sns) {
  constexpr auto page = contracts::organisations_page_max;
  return read_pages(sns, registry, page, [](std::size_t first) {
    return contracts::chain_uses_args{first, page};
  });
}

std::uint64_t bytes_today(const std::vector<contracts::chain_use_view>& uses, contracts::organisation_id of) {
  const auto found =
      std::find_if(uses.begin(), uses.end(), [of](const auto& one) { return one.organisation == of; });
  return found == uses.end() || unix_seconds() >= found->day_begins + contracts::day_seconds ? 0
                                                                                             : found->bytes;
}

/// Votes, and says what came of it.
template <class Call>
outcome vote(network& sns, const Call& call, std::string what, const std::string& organisation) {
  SWARM_CHECK(sns.submit(registry, contracts::encode(call), "vote on an organisation"));
  SWARM_TRY(const auto motions, read_motions(sns));
  answers::organisation_vote out{std::move(what), organisation, {}, {}, {}};
  for (const auto& one : motions)
    if (one.key == contracts::motion_key(call)) {
      out.motion = to_hex(one.key.view());
      out.votes = one.voters.size();
      out.needed = one.needed;
    }
  return out;
}

std::vector<std::string> texts_of(const std::vector<hash32>& anchors) {
  std::vector<std::string> out;
  for (const auto& one : anchors)
    out.push_back(to_hex(one.view()));
  return out;
}

answers::organisations::limits shown(const contracts::organisation_limits& from) {
  return {from.nodes,      from.trainings,  from.peers_per_training, from.chain_bytes_per_day,
          from.p2p_places, from.model_bytes};
}

} // namespace

outcome vote_for(network& sns, const hash32& motion) {
  SWARM_TRY(const auto motions, read_motions(sns));
  const auto found =
      std::ranges::find_if(motions, [&](const auto& one) { return one.open && one.key == motion; });
  if (found == motions.end())
    return fail(errc::not_found, "there is no such vote any more: it has been decided, or is over");
  const auto& what = *found;
  const auto cast = [&](const auto& call, std::string kind) {
    const auto of = what.name.empty() ? fmt::format("organisation {}", what.organisation) : what.name;
    return vote(sns, call, std::move(kind), of);
  };
  using enum contracts::motion_kind;
  switch (what.kind) {
  case admit:
    return cast(contracts::admit_organisation_args{what.name, what.anchors}, "ADMIT");
  case remove:
    return cast(contracts::remove_organisation_args{what.organisation}, "REMOVE");
  case set_anchors:
    return cast(contracts::set_anchors_args{what.organisation, what.anchors}, "REPLACE CA");
  case set_limits:
    return cast(contracts::set_limits_args{what.organisation, what.limits}, "SET LIMITS");
  case none:
    break;
  }
  return fail(errc::not_found, "this vote is of a kind that is not known here");
}

outcome run(const commands::admit_organisation& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(auto anchors, anchors_in(world, what.file));
  return vote(*sns, contracts::admit_organisation_args{what.organisation, std::move(anchors)}, "ADMIT",
              what.organisation);
}

outcome run(const commands::remove_organisation& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto id, find_organisation(*sns, what.organisation));
  return vote(*sns, contracts::remove_organisation_args{id}, "REMOVE", what.organisation);
}

outcome run(const commands::replace_ca& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(auto anchors, anchors_in(world, what.file));
  SWARM_TRY(const auto id, find_organisation(*sns, what.organisation));
  return vote(*sns, contracts::set_anchors_args{id, std::move(anchors)}, "REPLACE CA", what.organisation);
}

outcome run(const commands::remove_node& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto account, account_of(what.node));
  const auto nodes = contracts::node_registry_address();
  SWARM_CHECK(sns->submit(nodes, contracts::encode_remove_node(account), "vote on a node"));
  SWARM_TRY(const auto now, read(*sns, nodes, contracts::node_args{account}));
  const auto shown = now.name.empty() ? uid_of(account) : fmt::format("{} ({})", uid_of(account), now.name);
  if (!now.active && !now.pending) return answers::done{"NODE REMOVED", shown};
  return answers::done{"REMOVAL VOTED FOR",
                       fmt::format("{}; more than half of the organisations have to", shown)};
}

outcome run(const commands::list_seats&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto all, read_organisations(*sns));
  SWARM_TRY(const auto nodes, read_pages(*sns, contracts::node_registry_address(),
                                         contracts::page_entries_max, [](std::size_t first) {
                                           return contracts::nodes_args{first, contracts::page_entries_max};
                                         }));
  SWARM_TRY(const auto silent, silent_nodes(*sns));
  answers::seats out;
  for (const auto& one : all) {
    answers::seats::row row{.organisation = one.name, .limit = one.limits.nodes};
    for (const auto& node : nodes)
      if (node.organisation == one.id) take_seat(row, node, silent);
    // An SN of release 0.2 knows neither question.
    const auto limits = read(*sns, contracts::node_registry_address(), contracts::seat_limits_args{one.id});
    if (limits) row.limits = limits_text(*limits);
    const auto under_way =
        read(*sns, contracts::training_registry_address(), contracts::trainings_under_way_args{one.id});
    if (under_way) row.trainings = under_way->to_u64();
    out.all.push_back(std::move(row));
  }
  return out;
}

outcome run(const commands::limit_seats& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_CHECK(require_rules(*sns, 3, "a limit of seats"));
  const auto nodes = contracts::node_registry_address();
  const auto at = std::find(seat_words.begin(), seat_words.end(), what.kind) - seat_words.begin();
  const auto kind = static_cast<contracts::seat_kind>(at + 1);
  const auto most = static_cast<std::uint32_t>(what.most);
  const auto shown =
      most == 0 ? fmt::format("no limit of {}", what.kind) : fmt::format("at most {} {}", most, what.kind);
  if (what.organisation.empty()) {
    SWARM_CHECK(
        sns->submit(nodes, contracts::encode(contracts::limit_seats_args{kind, most}), "limit seats"));
    return answers::done{"SEATS LIMITED", fmt::format("{}, by this organisation for itself", shown)};
  }
  SWARM_TRY(const auto id, find_organisation(*sns, what.organisation));
  SWARM_CHECK(
      sns->submit(nodes, contracts::encode(contracts::vote_seats_args{id, kind, most}), "vote on seats"));
  SWARM_TRY(const auto votes, read(*sns, nodes, contracts::seat_votes_args{id, kind}));
  const auto agreeing = std::ranges::count(votes, most, &contracts::seat_vote_view::most);
  if (agreeing == 0)
    return answers::done{"SEATS LIMITED", fmt::format("{}, of {}", shown, what.organisation)};
  return answers::done{"LIMIT VOTED FOR",
                       fmt::format("{}, of {}: {} vote{}; more than half of the organisations have to", shown,
                                   what.organisation, agreeing, agreeing == 1 ? "" : "s")};
}

outcome run(const commands::list_organisations&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto all, read_organisations(*sns));
  SWARM_TRY(const auto uses, read_uses(*sns));
  SWARM_TRY(const auto motions, read_motions(*sns));
  std::vector<std::uint64_t> blocks;
  std::map<contracts::organisation_id, std::string> names;
  for (const auto& one : all) {
    blocks.push_back(one.since_block);
    names[one.id] = one.name;
  }
  SWARM_TRY(const auto when, moments_of(*sns, blocks));
  const auto name_of = [&names](contracts::organisation_id id) {
    const auto found = names.find(id);
    return found == names.end() ? fmt::format("number {}, removed", id) : found->second;
  };
  answers::organisations out;
  for (const auto& one : all)
    out.all.push_back({one.id, one.name, when.at(one.since_block), one.members, shown(one.limits),
                       texts_of(one.anchors), bytes_today(uses, one.id)});
  for (const auto& one : motions) {
    if (!one.open) continue;
    const bool is_new = one.kind == contracts::motion_kind::admit;
    answers::organisations::motion row{std::string(contracts::to_string(one.kind)),
                                       is_new ? one.name : name_of(one.organisation),
                                       one.needed,
                                       {},
                                       one.expires_block,
                                       to_hex(one.key.view()),
                                       {},
                                       texts_of(one.anchors)};
    for (const auto voter : one.voters)
      row.voters.push_back(name_of(voter));
    if (one.kind == contracts::motion_kind::set_limits) row.wanted = shown(one.limits);
    out.motions.push_back(std::move(row));
  }
  return out;
}

} // namespace swarm::swci
