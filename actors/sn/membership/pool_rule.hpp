#pragma once

#include "actors/sn/membership/chain_budget.hpp"
#include "contracts/registry/interface.hpp"
#include "ledger/chain/chain_view.hpp"

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace swarm::membership {

/// Judges the proof of a registration by what this SN trusts.
using registration_check =
    std::function<result<>(const contracts::register_node_args&, const address& sender)>;

/// Whose transactions may wait in the pool of a chain with organisations: those of members, and registrations whose
/// proof is good. Everybody else's would cost the chain's space and nobody would answer for it. Where there are two
/// organisations or more, each has its bytes a day. A chain without organisations takes all. It belongs to the chain's
/// thread; senders and organisations are looked up once for each block.
class pool_rule {
public:
  explicit pool_rule(registration_check check) : check_(std::move(check)) {}

  /// As chain_options::admits; `at` is the chain as it is now, `now` in seconds. Errors are pool_errc::no_member and
  /// organisation_full, and those of the check.
  result<> judge(const ledger::chain_view& at, const ledger::transaction& txn, const address& sender,
                 std::uint64_t now);

private:
  struct standing {
    bool member = false;
    contracts::organisation_id organisation = 0;
  };
  using registration = std::optional<contracts::register_node_args>;

  /// Forgets what was true of the block before, and counts the bytes of new ones.
  void look_at_head(const ledger::chain_view& at, std::uint64_t now);
  void count(const ledger::chain_view& at, const ledger::transaction& txn, std::uint64_t now);
  standing standing_of(const ledger::chain_view& at, const address& sender);
  result<> check_registration(const ledger::transaction& txn, const registration& what,
                              const address& sender);
  result<> check_budget(const ledger::chain_view& at, contracts::organisation_id of, std::size_t bytes,
                        std::uint64_t now);
  /// Bytes a day; none: it is alone and nobody has to be protected from it, or there is no such one.
  std::optional<std::uint64_t> limit_of(const ledger::chain_view& at, contracts::organisation_id id);

  registration_check check_;
  hash32 looked_at_; ///< the block to which `senders_` and `limits_` belong
  std::uint64_t counted_ = 0;
  std::unordered_map<address, standing> senders_;
  std::unordered_map<contracts::organisation_id, std::optional<std::uint64_t>> limits_;
  std::unordered_map<address, contracts::organisation_id> last_known_; ///< for counting what is in blocks
  std::unordered_set<hash32> checked_;                                 ///< registrations whose proof was good
  chain_budget budget_;
};

} // namespace swarm::membership
