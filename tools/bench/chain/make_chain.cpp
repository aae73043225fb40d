// Lengthens the chain of a lone SN while that SN does not run, by the same code but without a network.
//
//   make_chain DATA_DIR UP_TO_BLOCK TXNS
//
// DATA_DIR is that of a stopped sentinel, the only validator of its chain; every new block has TXNS
// transactions. Prints one JSON object: seconds and blocks per second of building and writing.

#include "actors/node/key_file.hpp"
#include "contracts/contracts.hpp"
#include "ledger/chain/chain.hpp"
#include "ledger/consensus/record.hpp"
#include "tools/bench/txn/sn_client.hpp"

#include <chrono>
#include <cstdio>

namespace {

using namespace swarm;
using bench::die;

template <class T>
T value_of(result<T> from) {
  if (!from) die(from.error().message);
  return std::move(*from);
}

void add_block(ledger::chain& chain, const ledger::private_key& validator, std::uint64_t timestamp) {
  const auto made = value_of(chain.build_block(timestamp, validator.account(), 1000));
  const auto& block = *made->block;
  if (block.txns.empty()) die("a block without transactions");
  const ledger::seal_record seals{0,
                                  {{validator.sign_recoverable(ledger::seal_digest(
                                      chain.chain_id(), chain.genesis_hash(), block.hash, 0))}}};
  const std::vector<ledger::consensus_record> records{
      {consensus::record_key::place,
       consensus::encode_place({validator.account(), chain.genesis_hash(), block.header.block_num + 1, 0})}};
  value_of(chain.commit(made, seals, records));
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) die("usage: make_chain DATA_DIR UP_TO_BLOCK TXNS");
  const std::filesystem::path dir = argv[1];
  const auto up_to = std::strtoull(argv[2], nullptr, 10), txns = std::strtoull(argv[3], nullptr, 10);
  const auto validator = value_of(actors::load_key((dir / "node.key").string()));
  ledger::chain_options options;
  options.dir = dir / "chain";
  options.contracts = contracts::make_contracts();
  const auto chain = value_of(ledger::chain::open(std::move(options)));
  if (chain->genesis().validators != std::vector{validator.account()}) die("another key made this chain");
  const auto key = ledger::private_key::make_random();
  const auto begun = std::chrono::steady_clock::now();
  const auto first = chain->head()->header.block_num;
  std::uint64_t nonce = 0;
  while (chain->head()->header.block_num < up_to) {
    for (std::uint64_t i = 0; i < txns; ++i)
      value_of(chain->submit(bench::make_update(key, nonce++, chain->chain_id())));
    add_block(*chain, validator, chain->head()->header.timestamp + 1);
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto made = static_cast<double>(chain->head()->header.block_num - first);
  const boost::json::object out{{"seconds", seconds}, {"blocks_per_second", made / seconds}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}
