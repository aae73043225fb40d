#include "tools/bench/chain/offline_chain.hpp"

#include "actors/node/key_file.hpp"
#include "base/hash.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "ledger/consensus/record.hpp"

namespace swarm::bench {

namespace {

constexpr std::uint64_t room_bytes = std::uint64_t{1} << 50;

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
  nonce_ = value_of(chain_->pending_nonce(validator_.account()));
  self_ = ask(contracts::node_registry_address(), contracts::node_args{validator_.account()});
  if (!self_.active) die("the sentinel has not registered on its chain");
  make_room();
}

/// Its organisation decides alone while it is the only one with a member.
void offline_chain::make_room() {
  const auto registry = contracts::organisation_registry_address();
  if (self_.organisation == 0) return;
  auto limits = ask(registry, contracts::organisation_args{self_.organisation}).limits;
  if (limits.chain_bytes_per_day >= room_bytes) return;
  limits.chain_bytes_per_day = room_bytes;
  add_block({call(registry, contracts::encode(contracts::set_limits_args{self_.organisation, limits}))});
}

ledger::transaction offline_chain::call(const address& to, bytes input) {
  ledger::txn_fields fields;
  fields.nonce = nonce_++;
  fields.gas_limit = contracts::call_gas;
  fields.to = to;
  fields.data = std::move(input);
  return value_of(ledger::make_signed(std::move(fields), validator_, chain_->chain_id()));
}

void offline_chain::admit(const std::vector<new_node>& nodes) {
  std::vector<ledger::transaction> registrations, vouches;
  for (const auto& one : nodes) {
    const auto account = one.key.account();
    contracts::register_node_args claim{.type = one.type,
                                        .organisation = one.organisation,
                                        .identity = keccak256(account.view()),
                                        .sequence = 1,
                                        .name = one.name,
                                        .endpoint = one.endpoint};
    ledger::txn_fields fields;
    fields.gas_limit = contracts::call_gas;
    fields.to = contracts::node_registry_address();
    fields.data = contracts::encode_register_node(claim);
    registrations.push_back(value_of(ledger::make_signed(std::move(fields), one.key, chain_->chain_id())));
    if (one.organisation == 0) continue;
    const auto statement = contracts::statement_hash(
        {account, claim.organisation, claim.type, claim.identity, claim.expiry, claim.sequence});
    vouches.push_back(call(contracts::node_registry_address(), contracts::encode_vouch(account, statement)));
  }
  add_block(std::move(registrations));
  if (!vouches.empty()) add_block(std::move(vouches));
}

ledger::transaction offline_chain::move_to(std::string endpoint) {
  return call(contracts::node_registry_address(), contracts::encode_register_node({self_.type,
                                                                                   self_.organisation,
                                                                                   self_.identity,
                                                                                   self_.expiry,
                                                                                   self_.sequence,
                                                                                   self_.parent,
                                                                                   self_.name,
                                                                                   std::move(endpoint),
                                                                                   {}}));
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
