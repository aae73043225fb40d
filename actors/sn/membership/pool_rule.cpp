#include "actors/sn/membership/pool_rule.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/formats/transaction.hpp"

namespace swarm::membership {

namespace {

/// In any of the caches; more than a pool holds.
constexpr std::size_t cached_max = 32'768;
/// Blocks that came at once, as with a snapshot, are counted so far back.
constexpr std::uint64_t counted_blocks_max = 1'000;

template <class Call>
auto ask(const ledger::chain_view& at, const address& to, const Call& call) {
  const auto answer = at.call({.to = to, .input = contracts::encode(call)});
  return answer ? contracts::decode_answer<Call>(answer->output) : tl::unexpected(answer.error());
}

} // namespace

result<> pool_rule::judge(const ledger::chain_view& at, const ledger::transaction& txn, const address& sender,
                          std::uint64_t now) {
  if (at.genesis().founders.empty()) return {};
  look_at_head(at, now);
  const auto who = standing_of(at, sender);
  if (who.member) return check_budget(at, who.organisation, txn.raw().size(), now);
  const auto what = contracts::decode_registration(txn.fields().to, txn.fields().data);
  SWARM_CHECK(check_registration(txn, what, sender));
  return check_budget(at, what->organisation, txn.raw().size(), now);
}

result<> pool_rule::check_registration(const ledger::transaction& txn, const registration& what,
                                       const address& sender) {
  if (!what)
    return fail(
        ledger::pool_errc::no_member,
        "{} is no member of this network: it may register, and send nothing else before it is admitted",
        to_hex(sender.view()));
  if (checked_.contains(txn.hash())) return {};
  if (check_) SWARM_CHECK(check_(*what, sender));
  if (checked_.size() >= cached_max) checked_.clear();
  checked_.insert(txn.hash());
  return {};
}

result<> pool_rule::check_budget(const ledger::chain_view& at, contracts::organisation_id of,
                                 std::size_t bytes, std::uint64_t now) {
  const auto limit = limit_of(at, of);
  if (!limit) return {};
  const auto used = budget_.used(of, now);
  if (used + bytes <= *limit) return {};
  return fail(ledger::pool_errc::organisation_full,
              "the organisation {} has put {} bytes on the chain within a day, and may put {}: wait, or "
              "organisations "
              "vote for another limit",
              of, used, *limit);
}

std::optional<std::uint64_t> pool_rule::limit_of(const ledger::chain_view& at,
                                                 contracts::organisation_id id) {
  const auto known = limits_.find(id);
  if (known != limits_.end()) return known->second;
  std::optional<std::uint64_t> out;
  const auto to = contracts::organisation_registry_address();
  const auto count = ask(at, to, contracts::organisation_count_args{});
  const auto one = ask(at, to, contracts::organisation_args{id});
  if (count && *count != u256(1) && one && one->id != 0) out = one->limits.chain_bytes_per_day;
  return limits_[id] = out;
}

void pool_rule::look_at_head(const ledger::chain_view& at, std::uint64_t now) {
  if (looked_at_ == at.head()->hash && senders_.size() < cached_max) return;
  const auto head = at.head()->header.block_num;
  if (looked_at_.is_zero()) counted_ = head;
  senders_.clear();
  limits_.clear();
  looked_at_ = at.head()->hash;
  if (head > counted_ + counted_blocks_max) counted_ = head - counted_blocks_max;
  while (counted_ < head) {
    const auto block = at.block_by_num(++counted_);
    if (!block || !*block) continue; // a snapshot skipped it
    for (const auto& txn : (*block)->txns)
      count(at, txn, now);
  }
}

void pool_rule::count(const ledger::chain_view& at, const ledger::transaction& txn, std::uint64_t now) {
  if (!txn.sender_known()) return;
  auto known = last_known_.find(txn.sender());
  if (known == last_known_.end()) {
    const auto who = standing_of(at, txn.sender());
    const auto what = contracts::decode_registration(txn.fields().to, txn.fields().data);
    if (!who.member && !what) return;
    if (!who.member) return budget_.count(what->organisation, txn.raw().size(), now);
    known = last_known_.find(txn.sender());
  }
  if (known != last_known_.end()) budget_.count(known->second, txn.raw().size(), now);
}

pool_rule::standing pool_rule::standing_of(const ledger::chain_view& at, const address& sender) {
  const auto known = senders_.find(sender);
  if (known != senders_.end()) return known->second;
  const auto node = ask(at, contracts::node_registry_address(), contracts::node_args{sender});
  const standing out{node && node->active, node ? node->organisation : contracts::organisation_id{0}};
  if (out.member) {
    if (last_known_.size() >= cached_max) last_known_.clear();
    last_known_[sender] = out.organisation;
  }
  return senders_[sender] = out;
}

} // namespace swarm::membership
