// Calls to the native contracts, answers and events as their readers see them: any bytes yield an outcome.
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/task/client.hpp"
#include "contracts/taskrunner/client.hpp"
#include "contracts/training/client.hpp"

#include <map>

using namespace swarm;

namespace {

/// The least that one call needs: slots in a map, a bound on gas.
class tiny_host : public ledger::contract_host {
public:
  hash32 load(const address& contract, const hash32& key) override {
    charge(200);
    const auto found = slots_.find({contract, key});
    return found == slots_.end() ? hash32{} : found->second;
  }
  void store(const address& contract, const hash32& key, const hash32& value) override {
    charge(2000);
    slots_[{contract, key}] = value;
  }
  void emit(ledger::log_entry entry) override { charge(375 + entry.data.size() * 8); }
  bool has_code(const address&) override { return false; }
  std::uint64_t block_time() const override { return 1'800'000'000; }
  void deploy(const address&, std::uint8_t) override { charge(32000); }
  void charge(std::uint64_t gas) override {
    if (gas > left_) throw ledger::out_of_gas{};
    left_ -= gas;
  }

private:
  std::map<std::pair<address, hash32>, hash32> slots_;
  std::uint64_t left_ = 2'000'000;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  static const auto contracts = contracts::make_contracts();
  for (const auto& entry : contracts.kinds) {
    tiny_host host;
    try {
      (void)entry.code->call(host, ledger::call_context{.block_num = 1}, raw);
    } catch (const ledger::out_of_gas&) { // besides an outcome, the only way in which a call may end
    }
  }
  (void)contracts::decode_head(raw);
  (void)contracts::decode_peers(raw);
  (void)contracts::decode_check_ins(raw);
  (void)contracts::decode_answer<contracts::merge_of_args>(raw);
  (void)contracts::decode_nodes(raw);
  (void)contracts::decode_pending_of(raw);
  (void)contracts::decode_answer<contracts::pending_nodes_args>(raw);
  (void)contracts::decode_registration(contracts::node_registry_address(), raw);
  (void)contracts::decode_node_event(
      {contracts::event_topic<contracts::node_registered>(), hash32{}, hash32{}, hash32{}}, raw);
  (void)contracts::decode_training_event(
      {contracts::event_topic<contracts::merge_committed>(), hash32{}, hash32{}}, raw);
  (void)contracts::decode_answer<contracts::shards_args>(raw);
  (void)contracts::decode_answer<contracts::shard_roots_args>(raw);
  (void)contracts::decode_answer<contracts::measures_args>(raw);
  (void)contracts::decode_training_event(
      {contracts::event_topic<contracts::shard_committed>(), hash32{}, hash32{}}, raw);
  (void)contracts::decode_answer<contracts::task_args>(raw);
  (void)contracts::decode_answer<contracts::task_body_args>(raw);
  (void)contracts::decode_answer<contracts::taskrunner_head_for_args>(raw);
  (void)contracts::decode_answer<contracts::swops_args>(raw);
  (void)contracts::decode_answer<contracts::pairs_args>(raw);
  (void)contracts::decode_task_event({contracts::event_topic<contracts::task_body_written>(), hash32{}}, raw);
  (void)contracts::decode_taskrunner_event(
      {contracts::event_topic<contracts::task_assigned>(), hash32{}, hash32{}}, raw);
  (void)contracts::decode_answer<contracts::organisations_args>(raw);
  (void)contracts::decode_answer<contracts::motions_args>(raw);
  (void)contracts::decode_answer<contracts::chain_uses_args>(raw);
  (void)contracts::decode_organisation_event(
      {contracts::event_topic<contracts::motion_begun>(), hash32{}, hash32{}, hash32{}}, raw);
  (void)contracts::revert_text(raw);
  return 0;
}
