#include "actors/sn/membership/vouch_desk.hpp"

#include "contracts/organisations/client.hpp"

#include <algorithm>

namespace swarm::membership {

using namespace std::chrono_literals;

namespace {

constexpr auto members_interval =
    60s; ///< between two looks at all members, whose certificates may have been revoked
constexpr auto unproved_interval =
    2s; ///< the same while proofs of some are looked for, or some are to be removed
constexpr auto liveness_interval = 1s; ///< while somebody waits
constexpr auto look_through_interval = 60s;
constexpr std::size_t proofs_at_once = 4; ///< that are looked for in the chain

const auto registry = contracts::node_registry_address();

contracts::node_statement statement_in(const contracts::node_registered& what) {
  return {what.account, what.organisation, what.type, what.identity, what.expiry, what.sequence};
}

hash32 word_of(const address& account) {
  hash32 out;
  std::copy(account.begin(), account.end(), out.begin() + 12);
  return out;
}

} // namespace

contracts::organisation_id vouch_desk::own_organisation() const {
  const auto found =
      std::find_if(council_.begin(), council_.end(), [&](const auto& sn) { return sn.account == self_; });
  return found == council_.end() ? contracts::organisation_id{0} : found->organisation;
}

namespace {

/// The call that carries out what the machine wants.
struct call_for {
  bytes operator()(const vouching::action::vouch& what) const {
    return contracts::encode_vouch(what.account, what.statement);
  }
  bytes operator()(const vouching::action::accuse& what) const {
    return contracts::encode(contracts::accuse_args{what.organisation});
  }
  bytes operator()(const vouching::action::answer&) const {
    return contracts::encode(contracts::answer_args{});
  }
  bytes operator()(const vouching::action::settle& what) const {
    return contracts::encode(contracts::settle_args{what.account});
  }
  bytes operator()(const vouching::action::remove& what) const {
    return contracts::encode_remove_node(what.account);
  }
  bytes operator()(const vouching::action::say&) const { return {}; }
};

} // namespace

template <class Event>
void vouch_desk::step(const Event& event, time_point now) {
  machine_.step(event, now);
  for (auto& action : machine_.take_actions()) {
    if (auto* line = std::get_if<vouching::action::say>(&action))
      lines_.push_back(std::move(*line));
    else
      calls_.push_back(
          {std::visit(call_for{}, action), !std::holds_alternative<vouching::action::settle>(action)});
  }
}

// The whole registry

result<> vouch_desk::look_through(const view_ptr& chain, time_point now) {
  looked_through_ = now;
  council_.clear();
  std::vector<contracts::node_view> nodes;
  for (;;) {
    SWARM_TRY(auto page,
              ask(*chain, registry, contracts::nodes_args{nodes.size(), contracts::page_entries_max}));
    if (page.empty()) break;
    for (auto& node : page) {
      if (node.type == contracts::node_type::sn && node.active)
        council_.push_back({node.account, node.organisation, true});
      nodes.push_back(std::move(node));
    }
  }
  for (const auto& node : nodes)
    if (node.active && node.organisation == own_organisation() && !members_.contains(node.account))
      unproved_.insert(node.account);
  tell_council(now);
  for (const auto& account : machine_.accounts()) {
    SWARM_TRY(const auto waits, ask(*chain, registry, contracts::pending_of_args{account}));
    if (waits.statement.account.is_zero()) step(vouching::event::closed{account}, now);
  }
  const auto organisations = contracts::organisation_registry_address();
  for (std::uint64_t first = 0;; first += contracts::organisations_page_max) {
    SWARM_TRY(const auto page, ask(*chain, organisations,
                                   contracts::organisations_args{first, contracts::organisations_page_max}));
    for (const auto& one : page)
      SWARM_CHECK(look_at_waiting(chain, one.id, now));
    if (page.size() < contracts::organisations_page_max) return {};
  }
}

result<> vouch_desk::look_at_waiting(const view_ptr& chain, contracts::organisation_id organisation,
                                     time_point now) {
  for (std::uint64_t first = 0;;) {
    SWARM_TRY(const auto page,
              ask(*chain, registry,
                  contracts::pending_nodes_args{organisation, first, contracts::page_entries_max}));
    for (const auto& one : page) {
      if (const auto found = find_registration(chain, one.statement)) judge(chain, *found, now);
      for (const auto by : one.vouchers)
        step(vouching::event::vouched{one.statement.account, one.hash, by}, now);
    }
    first += page.size();
    if (page.empty()) return {};
  }
}

/// The event of a registration, which has its proof. None when this SN has no such history.
std::optional<contracts::node_registered>
vouch_desk::find_registration(const view_ptr& chain, const contracts::node_statement& claimed) const {
  ledger::log_filter filter;
  filter.to_block = chain->head()->header.block_num;
  filter.addresses = {registry};
  filter.topics = {{contracts::event_topic<contracts::node_registered>()}, {word_of(claimed.account)}};
  const auto hits = chain->logs(filter);
  if (!hits) return std::nullopt;
  for (auto hit = hits->rbegin(); hit != hits->rend(); ++hit) {
    const auto event = contracts::decode_node_event(hit->entry.topics, hit->entry.data);
    const auto* found = event ? std::get_if<contracts::node_registered>(&*event) : nullptr;
    if (found != nullptr && statement_in(*found) == claimed && !found->proof.empty()) return *found;
  }
  return std::nullopt;
}

// What happens

result<> vouch_desk::take_block(const view_ptr& chain, const ledger::executed_block& block, time_point now) {
  bool many = false;
  for (const auto& outcome : block.outcomes)
    for (const auto& log : outcome.consensus.logs) {
      if (log.emitter == contracts::organisation_registry_address()) many = true;
      if (log.emitter != registry) continue;
      const auto event = contracts::decode_node_event(log.topics, log.data);
      if (event) SWARM_CHECK(take(chain, *event, now));
    }
  return many ? look_through(chain, now) : result<>{};
}

result<> vouch_desk::take(const view_ptr& chain, const contracts::node_event& event, time_point now) {
  if (const auto* what = std::get_if<contracts::node_registered>(&event)) {
    SWARM_TRY(const auto waits, ask(*chain, registry, contracts::pending_of_args{what->account}));
    if (waits.hash == contracts::statement_hash(statement_in(*what))) judge(chain, *what, now);
  } else if (const auto* vouch = std::get_if<contracts::node_vouched>(&event)) {
    step(vouching::event::vouched{vouch->account, vouch->statement, vouch->organisation}, now);
  } else if (const auto* admitted = std::get_if<contracts::node_admitted>(&event)) {
    admit(chain, admitted->account, now);
  } else if (const auto* left = std::get_if<contracts::node_left>(&event)) {
    forget(left->account, now);
  } else if (const auto* removed = std::get_if<contracts::node_removed>(&event)) {
    forget(removed->account, now);
  } else if (const auto* expired = std::get_if<contracts::node_expired>(&event)) {
    forget(expired->account, now);
  } else if (const auto* silent = std::get_if<contracts::seat_taken>(&event)) {
    forget(silent->account, now);
  } else if (const auto* accused = std::get_if<contracts::organisation_accused>(&event)) {
    step(vouching::event::accused{accused->organisation}, now);
  } else if (const auto* answered = std::get_if<contracts::accusation_answered>(&event)) {
    step(vouching::event::answered{answered->organisation}, now);
  }
  return {};
}

void vouch_desk::judge(const view_ptr& chain, const contracts::node_registered& what, time_point now) {
  const auto statement = statement_in(what);
  const auto known = judge_.check(*chain, statement, what.proof);
  if (statement.organisation == own_organisation()) waiting_[what.account] = {statement, what.proof};
  auto who = known ? known->who
                   : fmt::format("the {} {} of the organisation {}", contracts::to_string(what.type),
                                 to_hex(what.account.view()), name_of(*chain, what.organisation));
  step(vouching::event::applied{what.account, contracts::statement_hash(statement), what.organisation,
                                what.parent, std::move(who), known ? std::string() : known.error().message},
       now);
}

void vouch_desk::admit(const view_ptr& chain, const address& account, time_point now) {
  step(vouching::event::closed{account}, now);
  const auto node = ask(*chain, registry, contracts::node_args{account});
  if (!node || !node->active) return;
  const bool in_council =
      std::any_of(council_.begin(), council_.end(), [&](const auto& sn) { return sn.account == account; });
  if (node->type == contracts::node_type::sn && !in_council) {
    council_.push_back({account, node->organisation, true});
    tell_council(now);
  }
  auto waited = waiting_.extract(account);
  if (node->organisation != own_organisation()) return;
  if (!waited.empty() && waited.mapped().statement.sequence == node->sequence)
    members_[account] = std::move(waited.mapped());
  else
    unproved_.insert(account);
}

void vouch_desk::forget(const address& account, time_point now) {
  step(vouching::event::closed{account}, now);
  waiting_.erase(account);
  members_.erase(account);
  unproved_.erase(account);
  if (std::erase_if(council_, [&](const auto& sn) { return sn.account == account; }) > 0) tell_council(now);
}

// What time brings

result<> vouch_desk::tick(const view_ptr& chain, time_point now, std::uint64_t unix_s) {
  if (!looked_through_ || (now >= *looked_through_ + look_through_interval && machine_.applicants() > 0))
    SWARM_CHECK(look_through(chain, now));
  const bool somebody_waits = machine_.applicants() > 0;
  if (somebody_waits && (!looked_at_liveness_ || now >= *looked_at_liveness_ + liveness_interval)) {
    looked_at_liveness_ = now;
    SWARM_CHECK(look_at_liveness(chain));
    tell_council(now);
  } else {
    step(vouching::event::tick{}, now);
  }
  if (std::exchange(trusted_, identity_->internals()) != identity_->internals()) {
    looked_at_members_.reset();
    if (somebody_waits) SWARM_CHECK(look_through(chain, now)); // what was refused may be trusted now
  }
  // Changed files are looked at at once, above.
  const duration interval = unproved_.empty() && !some_lost_ ? members_interval : unproved_interval;
  if (!looked_at_members_ || now >= *looked_at_members_ + interval) {
    looked_at_members_ = now;
    look_at_members(chain, now, unix_s);
  }
  return {};
}

result<> vouch_desk::look_at_liveness(const view_ptr& chain) {
  std::map<contracts::organisation_id, bool> live;
  for (auto& sn : council_) {
    const auto [at, is_new] = live.try_emplace(sn.organisation, false);
    if (is_new) {
      SWARM_TRY(const auto standing, ask(*chain, registry, contracts::standing_args{sn.organisation}));
      at->second = standing.live;
    }
    sn.live = at->second;
  }
  return {};
}

/// A member whose certificate was revoked, or whose authority is not trusted any more, is removed.
void vouch_desk::look_at_members(const view_ptr& chain, time_point now, std::uint64_t unix_s) {
  for (std::size_t i = 0; i < proofs_at_once && !unproved_.empty(); ++i) {
    const auto account = *unproved_.begin();
    unproved_.erase(unproved_.begin());
    const auto node = ask(*chain, registry, contracts::node_args{account});
    if (!node || !node->active) continue;
    const contracts::node_statement claimed{account,        node->organisation, node->type,
                                            node->identity, node->expiry,       node->sequence};
    if (auto found = find_registration(chain, claimed))
      members_[account] = {claimed, std::move(found->proof)};
  }
  some_lost_ = false;
  for (const auto& [account, one] : members_) {
    if (one.statement.expiry != 0 && one.statement.expiry < unix_s) continue; // no member any more anyway
    const auto checked = judge_.check(*chain, one.statement, one.proof);
    if (checked || !checked.error().is(registration_errc::not_proved)) continue;
    some_lost_ = true;
    step(vouching::event::lost{account,
                               fmt::format("the {} {}", contracts::to_string(one.statement.role),
                                           to_hex(account.view())),
                               checked.error().message},
         now);
  }
}

} // namespace swarm::membership
