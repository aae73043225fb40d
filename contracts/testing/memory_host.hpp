#pragma once

#include "ledger/native_contract.hpp"

#include <cstdint>
#include <map>
#include <unordered_map>

namespace swarm::contracts {

/// Contracts and their storage in memory, for tests. It starts with the genesis of a contract set, charges
/// gas, undoes reverted calls and keeps events.
class memory_world {
public:
  /// Prices much like the EVM's, so that tests see what a call costs relative to others.
  static constexpr std::uint64_t load_gas = 200;
  static constexpr std::uint64_t store_gas = 5000;
  static constexpr std::uint64_t event_gas = 375;

  /// `validators`, `founders` and `rules` as the genesis block of a chain has them.
  explicit memory_world(ledger::native_contract_set contracts, std::vector<address> validators = {},
                        const std::vector<ledger::founder>& founders = {},
                        std::uint64_t rules = ledger::rules_newest);

  struct outcome {
    bool ok = false;
    bool out_of_gas = false;
    bytes output;
    std::vector<ledger::log_entry> events;
    std::uint64_t gas = 0;
    std::uint64_t loads = 0;
    std::uint64_t stores = 0;
  };

  /// Sends a transaction in a block of its own. It has no effect when it reverts or runs out of gas.
  outcome send(const address& from, const address& to, bytes_view input,
               std::uint64_t gas_limit = ~std::uint64_t{0});
  /// Makes an eth_call, which never has an effect.
  outcome view(const address& from, const address& to, bytes_view input) const;

  const std::vector<ledger::founder>& founders() const { return founders_; }
  std::uint64_t block_num() const { return block_num_; }
  /// Lets so many blocks pass in which nobody calls.
  void skip_blocks(std::uint64_t count) { block_num_ += count; }
  /// The time of the blocks of the next calls, seconds since 1970. It passes by this alone.
  std::uint64_t block_time() const { return block_time_; }
  void skip_seconds(std::uint64_t count) { block_time_ += count; }
  /// Lets the next block, and all after it, follow this version of the rules, as if validators had voted for it.
  void begin_rules(std::uint64_t version);
  /// How many slots are not empty.
  std::size_t slot_count() const { return state_.slots.size(); }

private:
  using slot_key = std::pair<address, hash32>;
  /// Slots are hashes themselves, or follow one that is.
  struct slot_hash {
    std::size_t operator()(const slot_key& key) const {
      return get_be64(key.second.data()) ^ get_be64(key.second.data() + 24) ^ key.first[19];
    }
  };
  struct world_state {
    std::unordered_map<slot_key, hash32, slot_hash> slots;
    std::map<address, std::uint8_t> code;
  };
  class host;

  outcome run(world_state& state, const address& from, const address& to, bytes_view input,
              std::uint64_t gas_limit, bool read_only) const;

  ledger::native_contract_set contracts_;
  std::vector<ledger::founder> founders_;
  world_state state_;
  std::uint64_t block_num_ = 0;
  std::uint64_t block_time_ = 1'800'000'000;
};

/// The test account with this number, which is in its last two bytes.
address test_account(std::uint16_t number);

} // namespace swarm::contracts
