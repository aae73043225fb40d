#include "tools/bench/chain/offline_chain.hpp"

#include "actors/node/key_file.hpp"
#include "contracts/contracts.hpp"
#include "ledger/consensus/record.hpp"

namespace swarm::bench {

namespace {

std::unique_ptr<ledger::chain> open_chain(const std::filesystem::path& folder) {
  ledger::chain_options options;
  options.dir = folder / "chain";
  options.contracts = contracts::make_contracts();
  return value_of(ledger::chain::open(std::move(options)));
}

} // namespace

offline_chain::offline_chain(const std::filesystem::path& folder)
    : validator_(value_of(actors::load_key((folder / "node.key").string()))), chain_(open_chain(folder)) {
  if (chain_->genesis().validators != std::vector{validator_.account()}) die("another key made this chain");
}

void offline_chain::add_block(std::vector<ledger::transaction> txns) {
  const auto count = txns.size();
  for (auto& each : txns)
    value_of(chain_->submit(std::move(each)));
  const auto made =
      value_of(chain_->build_block(chain_->head()->header.timestamp + 1, validator_.account(), count));
  const auto& block = *made->block;
  if (block.txns.size() != count) die("a block does not hold all its transactions");
  for (const auto& each : block.outcomes)
    if (!each.consensus.ok) die("a transaction failed");
  const ledger::seal_record seals{0,
                                  {{validator_.sign_recoverable(ledger::seal_digest(
                                      chain_->chain_id(), chain_->genesis_hash(), block.hash, 0))}}};
  const std::vector<ledger::consensus_record> records{
      {consensus::record_key::place, consensus::encode_place({validator_.account(), chain_->genesis_hash(),
                                                              block.header.block_num + 1, 0})}};
  value_of(chain_->commit(made, seals, records));
}

} // namespace swarm::bench
