// Puts tasks onto the chain of a lone SN while that SN does not run.
//
//   make_tasks DATA_DIR COUNT
//
// DATA_DIR is that of a stopped sentinel, the only validator of its chain. The tasks are called task-0, task-1, ...;
// task-0 has a body as long as a body may be, the others have one of a single line. Prints a JSON object: how many
// tasks were made, and the number of the last block.

#include "contracts/registry/client.hpp"
#include "contracts/task/client.hpp"
#include "tools/bench/chain/offline_chain.hpp"

#include <cstdio>

namespace {

using namespace swarm;

constexpr std::uint64_t tasks_per_block = 50;

/// Calls of one SWCI, each with its next number.
class swci {
public:
  explicit swci(bench::offline_chain& chain) : chain_id_(chain.chain_id()) {
    auto& own = own_.front();
    own.type = contracts::node_type::swci;
    own.organisation = chain.self().organisation;
    own.name = "bench";
    own.endpoint = "bench:1";
    chain.admit(own_);
  }

  ledger::transaction call_tasks(const auto& args) {
    ledger::txn_fields fields;
    fields.nonce = ++nonce_;
    fields.gas_limit = 5'000'000;
    fields.to = contracts::task_registry_address();
    fields.data = contracts::encode(args);
    return bench::value_of(ledger::make_signed(std::move(fields), own_.front().key, chain_id_));
  }

private:
  std::vector<bench::new_node> own_ = std::vector<bench::new_node>(1);
  std::uint64_t nonce_ = 0; ///< of its registration
  std::uint64_t chain_id_;
};

contracts::create_task_args task_named(std::string name) {
  return {contracts::task_type::run_swarm, std::move(name), "bench", std::string(contracts::root_task_name),
          "none"};
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) bench::die("usage: make_tasks DATA_DIR COUNT");
  const auto count = std::strtoull(argv[2], nullptr, 10);
  bench::offline_chain chain(argv[1]);
  swci creator(chain);
  for (std::uint64_t made = 0; made < count;) {
    std::vector<ledger::transaction> all;
    for (; made < count && all.size() < tasks_per_block; ++made)
      all.push_back(creator.call_tasks(task_named("task-" + std::to_string(made))));
    chain.add_block(std::move(all));
  }
  // Lines of a body are at most 1,024 bytes; 64 of them fit a call, if they are short.
  for (std::uint32_t line = 1; line < contracts::body_lines_max; line += contracts::append_lines_max) {
    const auto lines = std::min<std::size_t>(contracts::append_lines_max, contracts::body_lines_max - line);
    chain.add_block({creator.call_tasks(contracts::append_task_body_args{
        "task-0", line,
        std::vector<std::string>(lines, "A line of a body as long as lines of bodies are.")})});
  }
  const boost::json::object out{{"tasks", count}, {"block_num", chain.block_num()}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}
