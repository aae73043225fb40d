// Lengthens the chain of a lone SN while that SN does not run, by the same code but without a network.
//
//   make_chain DATA_DIR UP_TO_BLOCK TXNS
//
// DATA_DIR is that of a stopped sentinel, the only validator of its chain; every new block has TXNS
// transactions. Prints one JSON object: seconds and blocks per second of building and writing.

#include "tools/bench/chain/offline_chain.hpp"

#include <chrono>
#include <cstdio>

int main(int argc, char** argv) {
  using namespace swarm;
  if (argc != 4) bench::die("usage: make_chain DATA_DIR UP_TO_BLOCK TXNS");
  const auto up_to = std::strtoull(argv[2], nullptr, 10), txns = std::strtoull(argv[3], nullptr, 10);
  if (txns == 0) bench::die("a block without transactions");
  bench::offline_chain chain(argv[1]);
  const auto key = ledger::private_key::make_random();
  const auto begun = std::chrono::steady_clock::now();
  const auto first = chain.block_num();
  const auto own = chain.join(key, contracts::node_type::sl);
  std::uint64_t nonce = 1;
  while (chain.block_num() < up_to) {
    std::vector<ledger::transaction> all;
    for (std::uint64_t i = 0; i < txns; ++i)
      all.push_back(bench::make_update(key, nonce++, chain.chain_id(), own));
    chain.add_block(std::move(all));
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto made = static_cast<double>(chain.block_num() - first);
  const boost::json::object out{{"seconds", seconds}, {"blocks_per_second", made / seconds}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}
