#pragma once

#include "ledger/formats/transaction.hpp"
#include "ledger/identity.hpp"
#include "ledger/space_rule.hpp"
#include "ledger/state/call.hpp"
#include "ledger/state/state_overlay.hpp"
#include "ledger/turn_rule.hpp"

namespace swarm::ledger {

/// Why a transaction cannot be executed at all: it must not be in a block. The messages contain the words
/// that ethers.js looks for.
enum class execution_errc {
  nonce_too_low = 1,   ///< the account has used this nonce
  nonce_too_high,      ///< the account has not used the nonce before this one
  gas_above_block,     ///< gas limit over what the block has left
  gas_below_intrinsic, ///< gas limit too small for the bytes of the transaction alone
  insufficient_funds,  ///< sends value on a chain without coin
  contract_creation,   ///< has no `to`: this chain's contracts come with the program
};

constexpr std::string_view error_category(execution_errc) {
  return "execution";
}

/// What contracts may know of the block around them.
struct block_context {
  std::uint64_t chain_id = 0;
  std::uint64_t block_num = 0;
  hash32 genesis_hash;
  std::uint64_t rules = rules_first; ///< version in force
  std::uint64_t block_time = 0;      ///< seconds since 1970
  address proposer = {};             ///< of the block
  std::uint64_t made_in = 0;         ///< the round in which the block is made
};

/// What a transaction costs before anything runs: 21000, its input, its access list (Yellow Paper 6.2).
std::uint64_t intrinsic_gas(const txn_fields& fields);

/// The rules of `execution_errc` that need no state; `gas_available` is the block's limit or what is
/// left of it.
result<> check_executable(const txn_fields& fields, std::uint64_t gas_available);

/// Finds contracts by the code of their accounts.
class contract_table {
public:
  /// The kinds must be distinct.
  explicit contract_table(const native_contract_set& contracts);
  const native_contract* by_kind(std::uint8_t kind) const { return by_kind_[kind].get(); }
  /// The contract that runs for `code`, or null.
  const native_contract* by_code(bytes_view code) const;
  /// The rule on space of the contracts, or null.
  const space_rule* space() const { return space_.get(); }
  /// Their rule on turns, or null.
  const turn_rule* turns() const { return turns_.get(); }
  /// The code of a native contract, fe <kind>. As 0xfe is Ethereum's designated invalid instruction
  /// (EIP-141), no tool takes it for a program.
  static bytes code_of_kind(std::uint8_t kind) { return {0xfe, kind}; }

private:
  std::array<std::shared_ptr<const native_contract>, 256> by_kind_;
  std::shared_ptr<const space_rule> space_;
  std::shared_ptr<const turn_rule> turns_;
};

/// The outcome of executing a transaction or call, apart from the state.
struct execution {
  call_result call;
  std::vector<log_entry> logs; ///< none unless ok
};

/// Revert data kept beside receipts is cut to this size, in bytes.
inline constexpr std::size_t revert_output_max = 16 * 1024;

/// Executes `txn`, whose sender is known, on `state`. A revert, or running out of gas, is an execution like
/// any other: the nonce is consumed, everything else is undone. Fails with `execution_errc` or `space_errc` when
/// the transaction may not be in the block; the state is unchanged then. Fails also when stored state cannot be
/// read; the state is unusable then.
result<execution> execute_transaction(state_overlay& state, const block_context& context,
                                      const transaction& txn, std::uint64_t gas_available,
                                      const contract_table& contracts);

/// On whose account the transaction is. Fails as above when it has no room in the block, even without its logs.
result<space_account> check_space(state_overlay& state, const block_context& context, const transaction& txn,
                                  const contract_table& contracts);

/// Which of the sorted `validators` rest at `time` by the rule on turns, sorted; nobody does without one.
result<std::vector<address>> resting_validators(state_overlay& state, std::span<const address> validators,
                                                std::uint64_t time, const contract_table& contracts);
/// Notes that `who` of the validators missed their turns.
result<> note_missed_turns(state_overlay& state, const block_context& context, std::span<const address> who,
                           std::span<const address> validators, const contract_table& contracts);

/// Whether a transaction that fails so must not be in this block, while others may.
inline bool is_not_executable(const error& why) {
  return why.category == error_category(execution_errc{}) || why.category == error_category(space_errc{});
}

/// The same as `execute_transaction` for a call that nobody signed: it has no nonce, and contracts are told that it is read only.
/// `gas_max` bounds the request's limit.
result<execution> execute_call(state_overlay& state, const block_context& context,
                               const call_request& request, std::uint64_t gas_max,
                               const contract_table& contracts);

/// `execute_call` on top of the block `on`, whose state `state` shows; the version of the rules is read from it.
/// What the call writes is undone.
result<execution> execute_view(state_overlay& state, const chain_identity& of, const block_header& on,
                               const call_request& request, const contract_table& contracts);

} // namespace swarm::ledger
