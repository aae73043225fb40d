#pragma once

#include "base/result.hpp"
#include "ledger/native_contract.hpp"

namespace swarm::ledger {

/// Why nobody answers for the bytes of a transaction, so that it must not be in a block.
enum class space_errc {
  no_member = 1, ///< its sender is no member and does not ask to become one
  day_full,      ///< its organisation has used up what it may put on the chain this day
};

constexpr std::string_view error_category(space_errc) {
  return "space";
}

/// What a rule on space knows of a transaction; the time it asks its host for.
struct space_question {
  address sender;
  address to;
  bytes_view input;
  address proposer; ///< of the block; zero: whoever may propose it
};

/// On whose account a transaction's bytes are put, as its rule understands it.
struct space_account {
  std::uint16_t organisation = 0; ///< 0: nobody counts
  std::uint16_t proposer = 0;     ///< the organisation of the block's proposer
  std::uint8_t purse = 0;         ///< which part of what the organisation may use
};

/// Who answers for the bytes that transactions take on the chain, and how many there may be. It is a rule of execution:
/// a block that breaks it is no block, whoever proposes it. It reads every slot and writes those of `system_account`.
/// Deterministic, as contracts are.
class space_rule {
public:
  virtual ~space_rule() = default;
  /// The account for a transaction; errors are space_errc::no_member and those of the host. It is asked before the
  /// transaction is executed, which may change who its sender is.
  virtual result<space_account> account_of(contract_host& host, const space_question& asked) const = 0;
  /// Fails with space_errc::day_full when the account has no room for so many bytes more.
  virtual result<> check_room(contract_host& host, const space_account& account,
                              std::uint64_t bytes) const = 0;
  /// Checks the room, and counts the bytes.
  virtual result<> charge(contract_host& host, const space_account& account, std::uint64_t bytes) const = 0;
};

} // namespace swarm::ledger
