#include "contracts/testing/naive_nodes.hpp"

#include <algorithm>

namespace swarm::contracts {

naive_nodes::naive_nodes(const std::vector<address>& founding, const address& validator)
    : validator_(validator) {
  for (std::size_t i = 0; i < founding.size(); ++i) {
    const auto id = static_cast<organisation_id>(i + 1);
    organisations.insert(id);
    founders_[founding[i]] = id;
  }
}

bool naive_nodes::is_member(const entry& of) const {
  return of.joined && (of.last.expiry == 0 || time <= of.last.expiry)
         && organisations.contains(of.last.organisation);
}

organisation_id naive_nodes::acts_for(const address& caller, bool as_swci) const {
  const auto found = nodes_.find(caller);
  if (found == nodes_.end() || !is_member(found->second)) return 0;
  const auto& node = found->second.last;
  const bool fits = node.type == node_type::sn || (as_swci && node.type == node_type::swci);
  return fits ? node.organisation : organisation_id{0};
}

bool naive_nodes::is_live(organisation_id id) const {
  const auto found = accused_.find(id);
  if (found != accused_.end() && found->second.since != 0 && time > found->second.since + 10) return false;
  return organisations.contains(id) && std::any_of(nodes_.begin(), nodes_.end(), [id](const auto& one) {
           const auto& node = one.second;
           return node.joined && node.last.organisation == id && node.last.type == node_type::sn;
         });
}

std::size_t naive_nodes::voters_of(organisation_id id) const {
  return static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [id](const auto& one) {
    const auto& node = one.second;
    return node.joined && node.last.organisation == id
           && (node.last.type == node_type::sn || node.last.type == node_type::swci);
  }));
}

bool naive_nodes::is_vouched_for(const entry& of) const {
  std::size_t live = 0, vouches = 0;
  bool own_missing = false;
  for (const auto id : organisations) {
    if (!is_live(id)) continue;
    ++live;
    const bool vouched = std::count(of.waits->vouchers.begin(), of.waits->vouchers.end(), id) > 0;
    if (vouched) ++vouches;
    if (!vouched && id == of.waits->statement.organisation) own_missing = true;
  }
  return !own_missing && vouches * 2 > live;
}

bool naive_nodes::admit(const address& account) {
  auto& of = nodes_[account];
  const auto what = of.waits->statement;
  if (!organisations.contains(what.organisation) || (what.expiry != 0 && time > what.expiry)) return false;
  if (removed_.contains(what.identity)) return false;
  std::optional<address> silent;
  if (!has_room(of, what.organisation, what.role, silent)) return false;
  if (silent) {
    auto& gone = nodes_[*silent];
    events.emplace_back(seat_taken{*silent, gone.last.type, account});
    forget(*silent);
    gone.joined = false;
    gone.last.since_block = block_num;
    gone.against.clear();
  }
  if (of.joined && of.last.organisation != what.organisation) forget(account);
  of.last.account = account;
  of.last.type = what.role;
  of.last.since_block = block_num;
  of.last.organisation = what.organisation;
  of.last.identity = what.identity;
  of.last.expiry = what.expiry;
  of.last.sequence = what.sequence;
  of.joined = true;
  of.waits.reset();
  of.against.clear();
  events.emplace_back(node_admitted{account, statement_hash(what)});
  return true;
}

bool naive_nodes::end(const address& account) {
  if (account == validator_) return false;
  forget(account);
  auto& of = nodes_[account];
  of.joined = false;
  of.last.since_block = block_num;
  of.against.clear();
  return true;
}

bool naive_nodes::call(const address& caller, const register_node_args& args) {
  auto of = nodes_.contains(caller) ? nodes_[caller] : entry{};
  if (of.last.type != node_type{} && of.last.type != args.type) return false;
  if (caller == validator_ && of.last.type != node_type{} && args.organisation != of.last.organisation)
    return false;
  if (auto& said = silent_[{of.last.organisation, of.last.type}]; of.joined && said.account == caller) {
    said = {{}, 0, time + 60};
    events.emplace_back(node_answered{caller});
  }
  const auto claim = statement_of(caller, args);
  const auto& l = of.last;
  const bool in_force =
      of.joined && claim == node_statement{caller, l.organisation, l.type, l.identity, l.expiry, l.sequence};
  const bool is_new = !in_force && !(of.waits && of.waits->statement == claim);
  if (is_new) {
    if (!organisations.contains(args.organisation) || (args.expiry != 0 && time > args.expiry)) return false;
    const bool known = of.last.type != node_type{} || of.waits;
    if (known && args.sequence <= std::max(of.last.sequence, of.waits ? of.waits->statement.sequence : 0))
      return false;
    if (removed_.contains(args.identity)) return false;
    if (std::optional<address> silent; !has_room(of, args.organisation, args.type, silent)) return false;
    if (of.last.type == node_type{}) of.against.clear(); // nothing of a stranger outlives his statement
    of.waits = pending_view{claim, statement_hash(claim), block_num, time + 3600, {}};
    nodes_[caller] = of;
  }
  auto& last = nodes_[caller].last;
  last.account = caller;
  last.parent = args.parent;
  last.name = args.name;
  last.endpoint = args.endpoint;
  events.emplace_back(node_registered{caller, args.type, args.organisation, args.identity, args.expiry,
                                      args.sequence, args.parent, args.name, args.endpoint, args.proof});
  const auto founder = founders_.find(caller);
  if (args.type == node_type::sn && founder != founders_.end() && founder->second == args.organisation
      && is_new)
    return admit(caller);
  return true;
}

bool naive_nodes::call(const address& caller, const vouch_args& args) {
  const auto by = acts_for(caller, false);
  const auto found = nodes_.find(args.account);
  if (by == 0 || found == nodes_.end() || !found->second.waits) return false;
  auto& waits = *found->second.waits;
  if (time > waits.until || waits.hash != args.statement
      || std::count(waits.vouchers.begin(), waits.vouchers.end(), by) > 0)
    return false;
  waits.vouchers.push_back(by);
  events.emplace_back(node_vouched{args.account, by, args.statement});
  return !is_vouched_for(found->second) || admit(args.account);
}

bool naive_nodes::call(const address& caller, const leave_node_args&) {
  const auto found = nodes_.find(caller);
  if (found == nodes_.end()) return false;
  auto& of = found->second;
  const bool waited = of.waits.has_value();
  of.waits.reset();
  if (of.joined) {
    events.emplace_back(node_left{caller, of.last.type});
    return end(caller);
  }
  if (of.last.type == node_type{}) nodes_.erase(found);
  return waited;
}

bool naive_nodes::call(const address& caller, const remove_node_args& args) {
  const auto by = acts_for(caller, true);
  const auto found = nodes_.find(args.account);
  if (by == 0 || found == nodes_.end()) return false;
  auto& of = found->second;
  if (!of.joined && !of.waits && args.account != validator_) return false;
  const auto own = of.joined || !of.waits ? of.last.organisation : of.waits->statement.organisation;
  if (by != own) {
    const bool repeated = !of.against.insert(by).second;
    if (!repeated) events.emplace_back(removal_voted{args.account, by});
    std::size_t all = 0, votes = 0;
    for (const auto id : organisations)
      if (voters_of(id) > 0) {
        ++all;
        if (of.against.contains(id)) ++votes;
      }
    if (votes * 2 <= all) return !repeated;
  }
  events.emplace_back(node_removed{args.account, by});
  if (of.last.type == node_type{}) {
    of.last.type = of.waits->statement.role;
    of.last.organisation = of.waits->statement.organisation;
    of.last.since_block = block_num;
  }
  const bool joined = of.joined;
  if (joined) removed_.insert(of.last.identity);
  if (of.waits) of.last.sequence = std::max(of.last.sequence, of.waits->statement.sequence);
  of.waits.reset();
  of.against.clear();
  founders_.erase(args.account);
  return (!joined && args.account != validator_) || end(args.account);
}

bool naive_nodes::call(const address& caller, const accuse_args& args) {
  const auto by = acts_for(caller, false);
  if (by == 0 || by == args.organisation || !organisations.contains(args.organisation)) return false;
  auto& accused = accused_[args.organisation];
  if (standing(args.organisation).sns == 0 || accused.since != 0 || time < accused.rest) return false;
  accused.since = time;
  events.emplace_back(organisation_accused{args.organisation, caller});
  return true;
}

bool naive_nodes::call(const address& caller, const answer_args&) {
  const auto by = acts_for(caller, false);
  if (by == 0 || accused_[by].since == 0) return false;
  accused_[by] = {0, time + 60};
  events.emplace_back(accusation_answered{by, caller});
  return true;
}

bool naive_nodes::call(const address&, const settle_args& args) {
  const auto found = nodes_.find(args.account);
  if (found == nodes_.end()) return false;
  auto& of = found->second;
  if (of.joined && !is_member(of)) {
    forget(args.account);
    of.joined = false;
    of.last.since_block = block_num;
    of.against.clear();
    events.emplace_back(node_expired{args.account, of.last.type});
    return true;
  }
  if (!of.waits) return false;
  if (time > of.waits->until) {
    of.waits.reset();
    if (of.last.type == node_type{}) nodes_.erase(found);
    return true;
  }
  return is_vouched_for(of) && admit(args.account);
}

bool naive_nodes::call(const address& caller, const limit_seats_args& args) {
  const auto own = acts_for(caller, true);
  if (own == 0 || args.kind == seat_kind{}) return false;
  auto& limit = limits_[{own, static_cast<node_type>(args.kind)}];
  if (limit == args.most) return false;
  limit = args.most;
  events.emplace_back(seats_limited{own, args.kind, args.most, caller, false});
  return true;
}

bool naive_nodes::call(const address& caller, const accuse_node_args& args) {
  const auto found = nodes_.find(args.account);
  if (found == nodes_.end() || !found->second.joined) return false;
  const auto& of = found->second.last;
  const bool own = nodes_.contains(caller) && nodes_.at(caller).last.organisation == of.organisation;
  if (!organisations.contains(of.organisation)) return false;
  if (acts_for(caller, own) == 0 || (!own && is_live(of.organisation))) return false;
  const seats_of which{of.organisation, of.type};
  auto& said = silent_[which];
  if (!is_full(which) || !said.account.is_zero() || time < said.rest) return false;
  said = {args.account, time, 0};
  events.emplace_back(node_accused{args.account, caller, 0});
  return true;
}

std::uint32_t naive_nodes::taken(const seats_of& which) const {
  return static_cast<std::uint32_t>(std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& one) {
    const auto& node = one.second;
    return node.joined && node.last.organisation == which.first && node.last.type == which.second;
  }));
}

bool naive_nodes::is_full(const seats_of& which) const {
  const auto limit = limits_.find(which);
  return limit != limits_.end() && limit->second != 0 && taken(which) >= limit->second;
}

bool naive_nodes::has_room(const entry& of, organisation_id organisation, node_type type,
                           std::optional<address>& silent) const {
  const seats_of which{organisation, type};
  if ((of.joined && of.last.organisation == organisation) || !is_full(which)) return true;
  const auto said = silent_.find(which);
  if (said == silent_.end() || said->second.account.is_zero() || time <= said->second.since + 10)
    return false;
  silent = said->second.account;
  return taken(which) == limits_.at(which);
}

void naive_nodes::forget(const address& account) {
  const auto& last = nodes_[account].last;
  if (auto& said = silent_[{last.organisation, last.type}]; said.account == account) said = {};
}

std::vector<seat_lease_view> naive_nodes::leases(organisation_id id) const {
  std::vector<seat_lease_view> out;
  if (!organisations.contains(id)) return out;
  for (const auto role : {node_type::sn, node_type::sl, node_type::swop, node_type::swci}) {
    const auto said = silent_.find({id, role});
    const auto is = said == silent_.end() ? seat_accusation() : said->second;
    out.push_back({role, taken({id, role}), is.account, is.since, 0, is.rest});
  }
  return out;
}

node_view naive_nodes::node(const address& account) const {
  const auto found = nodes_.find(account);
  if (found == nodes_.end()) return {};
  const auto& of = found->second;
  auto out = of.last;
  out.active = is_member(of);
  out.pending = of.waits.has_value();
  if (of.last.type != node_type{}) return out;
  const auto& what = of.waits->statement;
  out.type = what.role;
  out.since_block = of.waits->block_num;
  out.organisation = what.organisation;
  out.identity = what.identity;
  out.expiry = what.expiry;
  out.sequence = what.sequence;
  return out;
}

pending_view naive_nodes::pending(const address& account) const {
  const auto found = nodes_.find(account);
  return found == nodes_.end() || !found->second.waits ? pending_view{} : *found->second.waits;
}

standing_view naive_nodes::standing(organisation_id id) const {
  standing_view out;
  for (const auto& [account, of] : nodes_) {
    if (of.waits && of.waits->statement.organisation == id) ++out.pending;
    if (!of.joined || of.last.organisation != id) continue;
    ++out.nodes;
    if (of.last.type == node_type::sn) ++out.sns;
  }
  out.voters = static_cast<std::uint32_t>(voters_of(id));
  const auto accused = accused_.find(id);
  if (accused != accused_.end()) out.accused_at = accused->second.since;
  out.live = is_live(id);
  return out;
}

} // namespace swarm::contracts
