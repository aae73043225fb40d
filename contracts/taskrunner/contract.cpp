#include "contracts/taskrunner/contract.hpp"

#include "contracts/runtime/genesis.hpp"
#include "contracts/taskrunner/taskrunner_call.hpp"

namespace swarm::contracts {

std::shared_ptr<const ledger::native_contract> make_taskrunner() {
  return std::make_shared<typed_contract<taskrunner_call, taskrunner_interface>>();
}

void init_taskrunner(const slots& in, std::string_view name, std::uint64_t block_num) {
  runner_storage storage(in);
  storage.set_name(name);
  storage.runner.created_block = block_num;
  storage.save();
}

std::vector<std::pair<hash32, hash32>> taskrunner_genesis(std::string_view name) {
  return record_stores([name](const slots& in) { init_taskrunner(in, name, 0); });
}

} // namespace swarm::contracts
