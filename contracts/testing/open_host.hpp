#pragma once

#include "ledger/native_contract.hpp"

#include <map>

namespace swarm::contracts {

/// The host of a rule of the chain, for tests: slots that anybody may write, and a clock.
class open_host final : public ledger::contract_host {
public:
  explicit open_host(std::uint64_t now) : time(now) {}

  std::uint64_t time; ///< seconds since 1970
  hash32 load(const address& contract, const hash32& key) override { return slots_[{contract, key}]; }
  void store(const address& contract, const hash32& key, const hash32& value) override {
    slots_[{contract, key}] = value;
  }
  void emit(ledger::log_entry) override {}
  bool has_code(const address&) override { return true; }
  std::uint64_t block_time() const override { return time; }
  void deploy(const address&, std::uint8_t) override {}
  void charge(std::uint64_t) override {}

private:
  std::map<std::pair<address, hash32>, hash32> slots_;
};

} // namespace swarm::contracts
