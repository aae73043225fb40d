#include "tools/bench/chain/offline_chain.hpp"

#include "actors/node/key_file.hpp"
#include "base/hash.hpp"
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

contracts::register_node_args offline_chain::join(const ledger::private_key& key, contracts::node_type type) {
  const auto registry = contracts::node_registry_address();
  const auto sentinel =
      value_of(chain_->call({.to = registry, .input = contracts::encode_node(validator_.account())}));
  contracts::register_node_args args{.type = type,
                                     .organisation =
                                         value_of(contracts::decode_node(sentinel.output)).organisation,
                                     .identity = keccak256(key.account().view()),
                                     .sequence = 1,
                                     .name = "bench"};
  const auto call = [&](const ledger::private_key& by, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = value_of(chain_->pending_nonce(by.account()));
    fields.gas_limit = contracts::call_gas;
    fields.to = registry;
    fields.data = std::move(input);
    add_block({value_of(ledger::make_signed(std::move(fields), by, chain_id()))});
  };
  call(key, contracts::encode_register_node(args));
  if (args.organisation == 0) return args; // a chain without organisations
  const auto statement = contracts::statement_hash(contracts::statement_of(key.account(), args));
  call(validator_, contracts::encode_vouch(key.account(), statement));
  return args;
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
