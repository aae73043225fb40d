#include "contracts/runtime/genesis.hpp"

#include "base/assert.hpp"

#include <map>

namespace swarm::contracts {

namespace {

class recording_host final : public ledger::contract_host {
public:
  hash32 load(const address&, const hash32& key) override {
    const auto found = written.find(key);
    return found == written.end() ? hash32{} : found->second;
  }
  void store(const address&, const hash32& key, const hash32& value) override { written[key] = value; }
  // Writing initial storage is not a call: it emits no events and deploys nothing.
  void emit(ledger::log_entry) override { SWARM_ASSERT(false); }
  bool has_code(const address&) override { return false; }
  void deploy(const address&, std::uint8_t) override { SWARM_ASSERT(false); }
  void charge(std::uint64_t) override {}
  std::uint64_t block_time() const override { return 0; }

  std::map<hash32, hash32> written;
};

} // namespace

std::vector<std::pair<hash32, hash32>> record_stores(const std::function<void(const slots&)>& write) {
  recording_host host;
  write(slots(host, address{}));
  std::vector<std::pair<hash32, hash32>> out;
  for (const auto& [slot, value] : host.written)
    if (!value.is_zero()) out.emplace_back(slot, value);
  return out;
}

} // namespace swarm::contracts
