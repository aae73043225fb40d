#include "actors/sn/membership/member_book.hpp"

#include "actors/sn/membership/registration_judge.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"

#include <algorithm>
#include <limits>

namespace swarm::membership {

namespace {

constexpr std::uint64_t follow_max = 64; ///< blocks; beyond, the registry is read anew
constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

using cause = ended_membership::cause;

const auto registry = contracts::node_registry_address();
const auto organisation_registry = contracts::organisation_registry_address();

/// An account whose record an event has changed, and what that may mean for its membership.
struct change {
  address account;
  cause how = cause::other;
};

std::optional<change> change_by(const contracts::node_event& event) {
  if (const auto* made = std::get_if<contracts::node_registered>(&event)) return change{made->account};
  if (const auto* made = std::get_if<contracts::node_admitted>(&event)) return change{made->account};
  if (const auto* ended = std::get_if<contracts::node_left>(&event))
    return change{ended->account, cause::left};
  if (const auto* ended = std::get_if<contracts::node_expired>(&event))
    return change{ended->account, cause::expired};
  if (const auto* ended = std::get_if<contracts::node_removed>(&event))
    return change{ended->account, cause::removed};
  if (const auto* silent = std::get_if<contracts::seat_taken>(&event)) return change{silent->account};
  return std::nullopt;
}

/// Adds the accounts that a block has changed; of several changes the last one counts.
void note_changes(const ledger::executed_block& block, std::map<address, cause>& out) {
  for (const auto& outcome : block.outcomes)
    for (const auto& log : outcome.consensus.logs) {
      if (log.emitter != registry) continue;
      const auto event = contracts::decode_node_event(log.topics, log.data);
      if (const auto what = event ? change_by(*event) : std::nullopt) out[what->account] = what->how;
    }
}

std::string_view words_of(cause how) {
  switch (how) {
  case cause::replaced:
    return "has registered another certificate";
  case cause::left:
    return "has left the network";
  case cause::removed:
    return "was removed from the network by a vote";
  case cause::expired:
    return "has an expired certificate";
  case cause::other:
    break;
  }
  return "is no member of this network any more";
}

/// Whether a vote has removed a member with this certificate.
bool is_removed(const ledger::chain_view& chain, const hash32& identity) {
  const auto in_block = ask(chain, registry, contracts::removal_of_args{identity});
  return in_block && *in_block != u256(0);
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "none" : out;
}

} // namespace

void member_book::watch(std::shared_ptr<const ledger::chain_window> chain) {
  const std::lock_guard lock(mutex_);
  if (chain_ == chain) return;
  chain_ = std::move(chain);
  looked_at_ = {};
  members_.clear();
  identities_.clear();
  waiting_.clear();
  former_anchors_.clear();
}

result<> member_book::may_read(const hash32& identity, const std::string& subject) {
  const std::lock_guard lock(mutex_);
  SWARM_CHECK(look());
  if (open_ || identities_.contains(identity)) return {};
  return fail(reader_errc::no_member, "{}", refusal(*chain_->view(), identity, subject));
}

std::vector<ended_membership> member_book::ended_since(std::uint64_t& seen) {
  const std::lock_guard lock(mutex_);
  std::ignore = look(); // who cannot read the chain sees no change in it
  const auto news = std::min<std::uint64_t>(ended_count_ - std::min(seen, ended_count_), ended_.size());
  seen = ended_count_;
  std::vector<ended_membership> out{ended_.end() - static_cast<std::ptrdiff_t>(news), ended_.end()};
  for (auto& each : out)
    each.block_num = block_num_;
  return out;
}

bool member_book::was_removed(const hash32& identity) {
  const std::lock_guard lock(mutex_);
  if (!look() || open_ || identities_.contains(identity)) return false;
  return is_removed(*chain_->view(), identity);
}

bool member_book::is_anchor(const hash32& fingerprint) {
  const std::lock_guard lock(mutex_);
  std::ignore = look();
  return open_ || anchors_.contains(fingerprint);
}

bool member_book::was_of_removed_organisation(const hash32& anchor, const hash32& identity) {
  const std::lock_guard lock(mutex_);
  std::ignore = look();
  if (open_ || anchors_.contains(anchor)) return false;
  return former_anchors_.contains(anchor) || homeless_.contains(identity);
}

// How it follows the chain

result<> member_book::look() {
  if (!chain_) return {};
  const auto view = chain_->view();
  const auto& head = *view->head();
  if (looked_at_ == head.hash) return {};
  open_ = view->genesis().founders.empty();
  if (!open_) {
    SWARM_TRY(const auto nodes, view->account_of(registry));
    SWARM_TRY(const auto organisations, view->account_of(organisation_registry));
    const bool same_nodes =
        nodes.storage_root == nodes_root_ && head.header.timestamp <= good_until_ && looked_at_ != hash32{};
    const bool same_organisations = organisations.storage_root == organisations_root_;
    if (!same_organisations) SWARM_CHECK(load_organisations(*view));
    if (!same_nodes || !same_organisations) {
      bool followed = false;
      if (same_organisations && looked_at_ != hash32{}) {
        SWARM_TRY(followed, follow(*view));
      }
      if (!followed) SWARM_CHECK(load(*view));
    }
    nodes_root_ = nodes.storage_root;
    organisations_root_ = organisations.storage_root;
    good_until_ = forever;
    for (const auto& [account, one] : members_)
      if (one.expiry != 0) good_until_ = std::min(good_until_, one.expiry);
  }
  looked_at_ = head.hash;
  block_num_ = head.header.block_num;
  return {};
}

/// What the blocks since the last look have changed; false when there are too many, or some are not here.
result<bool> member_book::follow(const ledger::chain_view& chain) {
  const auto& head = chain.head()->header;
  if (head.block_num < block_num_ || head.block_num - block_num_ > follow_max) return false;
  std::map<address, cause> changed;
  for (auto num = block_num_ + 1; num <= head.block_num; ++num) {
    const auto block = num == head.block_num ? chain.head() : chain.block_by_num(num).value_or(nullptr);
    if (!block) return false;
    note_changes(*block, changed);
  }
  for (const auto& [account, one] : members_)
    if (one.expiry != 0 && head.timestamp > one.expiry) changed.emplace(account, cause::expired);
  for (const auto& [account, how] : changed)
    SWARM_CHECK(touch(chain, account, how));
  return true;
}

result<> member_book::touch(const ledger::chain_view& chain, const address& account, cause how) {
  SWARM_TRY(const auto node, ask(chain, registry, contracts::node_args{account}));
  SWARM_TRY(const auto now, read(chain, node));
  const bool ended = how == cause::removed || how == cause::left || how == cause::expired;
  if (ended && !now && !members_.contains(account))
    end(account, node.identity, how); // it was one between two looks
  set(account, now, how);
  return {};
}

/// A node as a member; none when it is none. Who waits is remembered for a refusal's words.
result<std::optional<member_book::member>> member_book::read(const ledger::chain_view& chain,
                                                             const contracts::node_view& node) {
  hash32 next;
  std::uint64_t until = 0;
  if (node.pending) {
    SWARM_TRY(const auto waits, ask(chain, registry, contracts::pending_of_args{node.account}));
    if (waits.until >= chain.head()->header.timestamp) {
      next = waits.statement.identity;
      until = waits.until;
    }
  }
  if (node.active) {
    waiting_.erase(node.account);
    member out{node.identity, next == node.identity ? hash32{} : next, node.expiry};
    if (out.next != hash32{}) out.expiry = node.expiry == 0 ? until : std::min(node.expiry, until);
    return out;
  }
  if (next == hash32{})
    waiting_.erase(node.account);
  else
    waiting_[node.account] = next;
  return std::optional<member>{};
}

void member_book::add(const member& one) {
  ++identities_[one.identity];
  if (one.next != hash32{}) ++identities_[one.next];
}

void member_book::take_out(const member& one) {
  for (const auto& identity : {one.identity, one.next}) {
    const auto found = identities_.find(identity);
    if (found != identities_.end() && --found->second == 0) identities_.erase(found);
  }
}

void member_book::set(const address& account, const std::optional<member>& now, cause how) {
  const auto old = members_.extract(account);
  if (now) {
    add(*now);
    members_[account] = *now;
  }
  if (old.empty()) return;
  const auto& was = old.mapped();
  take_out(was);
  for (const auto& identity : {was.identity, was.next})
    if (identity != hash32{} && (!now || (identity != now->identity && identity != now->next)))
      end(account, identity, now ? cause::replaced : how);
}

void member_book::end(const address& account, const hash32& identity, cause how) {
  if (ended_.size() >= ended_max) ended_.pop_front();
  ended_.push_back({account, identity, identities_.contains(identity), how,
                    fmt::format("the node {} {}", to_hex(account.view()), words_of(how)), 0});
  ++ended_count_;
}

// The whole registry

result<> member_book::load(const ledger::chain_view& chain) {
  std::unordered_map<address, member> found;
  waiting_.clear();
  homeless_.clear();
  for (std::uint64_t seen = 0;;) {
    SWARM_TRY(const auto page,
              ask(chain, registry, contracts::nodes_args{seen, contracts::page_entries_max}));
    for (const auto& node : page) {
      SWARM_TRY(const auto one, read(chain, node));
      if (one)
        found[node.account] = *one;
      else if (node.organisation != 0 && !organisations_.contains(node.organisation))
        homeless_.insert(node.identity);
    }
    seen += page.size();
    if (page.size() < contracts::page_entries_max) break;
  }
  for (const auto& [id, name] : organisations_)
    for (std::uint64_t seen = 0;;) {
      SWARM_TRY(const auto page,
                ask(chain, registry, contracts::pending_nodes_args{id, seen, contracts::page_entries_max}));
      for (const auto& waits : page)
        if (!found.contains(waits.statement.account))
          waiting_[waits.statement.account] = waits.statement.identity;
      seen += page.size();
      if (page.size() < contracts::page_entries_max) break;
    }
  std::vector<address> gone;
  for (const auto& [account, one] : members_)
    if (!found.contains(account)) gone.push_back(account);
  for (const auto& [account, one] : found)
    set(account, one, cause::other);
  for (const auto& account : gone)
    set(account, std::nullopt, cause::other);
  return {};
}

result<> member_book::load_organisations(const ledger::chain_view& chain) {
  std::map<contracts::organisation_id, std::string> names;
  std::unordered_set<hash32> anchors;
  for (std::uint64_t seen = 0;;) {
    SWARM_TRY(const auto page, ask(chain, organisation_registry,
                                   contracts::organisations_args{seen, contracts::organisations_page_max}));
    for (const auto& one : page) {
      names[one.id] = one.name;
      anchors.insert(one.anchors.begin(), one.anchors.end());
    }
    seen += page.size();
    if (page.size() < contracts::organisations_page_max) break;
  }
  for (const auto& before : anchors_)
    if (!anchors.contains(before)) former_anchors_.insert(before);
  organisations_ = std::move(names);
  anchors_ = std::move(anchors);
  return {};
}

// What is said to those who are no members

std::string member_book::refusal(const ledger::chain_view& chain, const hash32& identity,
                                 const std::string& subject) const {
  const auto waits = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const auto& each) { return each.second == identity; });
  if (waits == waiting_.end())
    return fmt::format(
        "only members read this chain, and the certificate {} is none of a member's: {}", subject,
        is_removed(chain, identity)
            ? "its node was removed by a vote; ask your organisation for another certificate"
            : "register a node with it first (swarmd --role sl, swop, swci or sn), or use the certificate of "
              "one that is registered");
  std::vector<std::string> given, missing;
  const auto pending = ask(chain, registry, contracts::pending_of_args{waits->first});
  for (const auto& [id, name] : organisations_) {
    const bool has =
        pending
        && std::find(pending->vouchers.begin(), pending->vouchers.end(), id) != pending->vouchers.end();
    const auto standing = ask(chain, registry, contracts::standing_args{id});
    if (has)
      given.push_back(name);
    else if (standing && standing->live)
      missing.push_back(name);
  }
  return fmt::format(
      "only members read this chain, and the node {} with the certificate {} is not vouched for by "
      "enough organisations yet: by {}, not by {}; the logs of the latter's SNs say why",
      to_hex(waits->first.view()), subject, listed(given), listed(missing));
}

} // namespace swarm::membership
