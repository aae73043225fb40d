#include "actors/sn/membership/pool_rule.hpp"

#include "contracts/registry/client.hpp"
#include "ledger/formats/transaction.hpp"

namespace swarm::membership {

namespace {
/// In either cache; more than a pool holds.
constexpr std::size_t cached_max = 32'768;
} // namespace

result<> pool_rule::judge(const ledger::chain_view& at, const ledger::transaction& txn,
                          const address& sender) {
  if (at.genesis().founders.empty() || is_member(at, sender)) return {};
  const auto& fields = txn.fields();
  const auto registration = contracts::decode_registration(fields.to, fields.data);
  if (!registration)
    return fail(
        ledger::pool_errc::no_member,
        "{} is no member of this network: it may register, and send nothing else before it is admitted",
        to_hex(sender.view()));
  if (checked_.contains(txn.hash())) return {};
  if (check_) SWARM_CHECK(check_(*registration, sender));
  if (checked_.size() >= cached_max) checked_.clear();
  checked_.insert(txn.hash());
  return {};
}

bool pool_rule::is_member(const ledger::chain_view& at, const address& sender) {
  if (looked_at_ != at.head()->hash || members_.size() >= cached_max) {
    members_.clear();
    looked_at_ = at.head()->hash;
  }
  const auto known = members_.find(sender);
  if (known != members_.end()) return known->second;
  const auto answer =
      at.call({.to = contracts::node_registry_address(), .input = contracts::encode_node(sender)});
  const auto node = answer ? contracts::decode_node(answer->output) : tl::unexpected(answer.error());
  return members_[sender] = node && node->active;
}

} // namespace swarm::membership
