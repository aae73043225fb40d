#pragma once

#include "base/bytes.hpp"
#include "base/u256.hpp"
#include "ledger/founder.hpp"
#include "ledger/rules_version.hpp"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace swarm::ledger {

/// 0x0000000000000000000000000000000000005001, the NodeRegistry. Consensus finds in its storage who seals the
/// next block: slot 256 is the number of validators, the slots from 257 on are the validators, sorted.
/// Genesis writes them first, later the contract does.
constexpr address validators_account() {
  address out;
  out[18] = 0x50;
  out[19] = 0x01;
  return out;
}
/// 0x0000000000000000000000000000000000005000: what the chain itself keeps in the state, so that the state
/// root covers it. Slot 0 is the chain id; others belong to the rules on space and on turns.
constexpr address system_account() {
  address out;
  out[18] = 0x50;
  return out;
}
inline constexpr std::uint64_t validator_count_slot = 256;
inline constexpr std::uint64_t first_validator_slot = 257;
inline constexpr std::size_t validators_max = 256;

/// One entry of a receipt's log (Yellow Paper 4.3.1): up to four topics and free data.
struct log_entry {
  address emitter;
  std::vector<hash32> topics;
  bytes data;
  bool operator==(const log_entry&) const = default;
};

/// What a contract may know about the call it executes. The time it asks its host for.
struct call_context {
  address caller; ///< sender of the transaction, or `from` of an eth_call
  address self;   ///< the contract being called
  std::uint64_t chain_id = 0;
  std::uint64_t block_num = 0;       ///< of the block being built; head + 1 in an eth_call
  bool read_only = false;            ///< true in eth_call; writes are discarded afterwards
  hash32 genesis_hash;               ///< of this chain, to which votes are bound
  std::uint64_t rules = rules_first; ///< the version in force

  /// Whether what this version of the rules brought is in force.
  bool has_rules(std::uint64_t version) const { return rules >= version; }
};

/// Thrown by `contract_host` when the gas limit is reached. Contracts do not catch it; the executor turns it
/// into a failed receipt. It never leaves the ledger.
struct out_of_gas {};

/// What a contract can do: use its own storage slots, read other contracts' slots, emit events, make new
/// contracts. Everything written is undone when the call reverts. Every operation charges gas and may
/// throw `out_of_gas`.
class contract_host {
public:
  virtual ~contract_host() = default;
  /// Slot `key` of `contract`; zero when never written.
  virtual hash32 load(const address& contract, const hash32& key) = 0;
  /// Writes slot `key` of `contract`; a zero value deletes it. A contract writes its own slots, or those of
  /// an account it deploys in the same call.
  virtual void store(const address& contract, const hash32& key, const hash32& value) = 0;
  virtual void emit(log_entry entry) = 0;
  virtual bool has_code(const address& account) = 0;
  /// The timestamp of the block being built, seconds since 1970: the only clock that contracts have. In an eth_call
  /// it is that of the newest block.
  virtual std::uint64_t block_time() const = 0;
  /// Makes `account` a native contract of the given kind. Its code is the two bytes fe <kind>.
  virtual void deploy(const address& account, std::uint8_t kind) = 0;
  /// Charges gas for work other than storage, such as hashing.
  virtual void charge(std::uint64_t gas) = 0;
};

/// The end of a call: output, or revert data (ABI-encoded Error(string)) with `ok` false.
struct call_outcome {
  bool ok = true;
  bytes output;
};

/// A contract implemented in C++: a pure function of (storage, call). It must be deterministic and total: any
/// `input` yields an outcome.
class native_contract {
public:
  virtual ~native_contract() = default;
  virtual call_outcome call(contract_host& host, const call_context& context, bytes_view input) const = 0;
};

class space_rule; // space_rule.hpp
class turn_rule;  // turn_rule.hpp

/// The contract kinds a chain knows, by the kind byte of their code, and where the genesis block puts them.
struct native_contract_set {
  struct entry {
    std::uint8_t kind;
    std::shared_ptr<const native_contract> code;
  };
  struct genesis_account {
    address where;
    std::uint8_t kind;
    std::vector<std::pair<hash32, hash32>> storage; ///< slots and their values at genesis, no value zero
    /// Further such slots, which depend on who founds the chain; none: there are none.
    std::function<std::vector<std::pair<hash32, hash32>>(const std::vector<founder>&)> founders_storage = {};
  };
  std::vector<entry> kinds;
  std::vector<genesis_account> genesis;              ///< deployed before block 1, in this order
  std::shared_ptr<const space_rule> space = nullptr; ///< none: everybody may fill the chain
  std::shared_ptr<const turn_rule> turns = nullptr;  ///< none: nobody rests
};

} // namespace swarm::ledger
