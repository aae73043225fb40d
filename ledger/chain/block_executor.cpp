#include "ledger/chain/block_executor.hpp"

#include "ledger/formats/turns.hpp"

namespace swarm::ledger {

namespace {

/// The bytes that a transaction takes in a block's list beside its own.
constexpr std::size_t item_overhead = 5;

hash32 root_of_receipts(std::span<const txn_outcome> outcomes) {
  std::vector<bytes> values;
  values.reserve(outcomes.size());
  for (const auto& outcome : outcomes)
    values.push_back(encode_receipt(outcome.consensus));
  return ordered_trie_root(values);
}

} // namespace

hash32 root_of_txns(std::span<const transaction> txns) {
  std::vector<bytes> values;
  values.reserve(txns.size());
  for (const auto& txn : txns)
    values.push_back(txn.raw());
  return ordered_trie_root(values);
}

result<block_context> context_on(const executed_block& parent, const state_view& after,
                                 const genesis_params& genesis, const hash32& genesis_hash,
                                 const address& proposer, std::uint64_t timestamp, std::uint64_t made_in) {
  block_context out{.chain_id = genesis.chain_id,
                    .block_num = parent.header.block_num + 1,
                    .genesis_hash = genesis_hash,
                    .block_time = timestamp,
                    .proposer = proposer,
                    .made_in = made_in};
  SWARM_TRY(const auto word, after.storage_of(validators_account(), u256(rules_slot)));
  out.rules = rules_in(word).at(out.block_num);
  return out;
}

result<> check_rules_known(const block_context& next, std::uint64_t known) {
  if (next.rules <= known) return {};
  return fail(
      chain_errc::unknown_rules,
      "from block {} on this chain has version {} of its rules, and this swarmd knows versions up to {}: "
      "install a newer swarmd and start it with the same data directory, nothing is lost",
      next.block_num, next.rules, known);
}

block_executor::block_executor(state_store& store, const contract_table& contracts, block_context context,
                               const executed_block& parent)
    : store_(store), state_(store, parent.header.state_root), contracts_(contracts),
      context_(std::move(context)), parent_(parent), block_(std::make_shared<executed_block>()) {}

result<> block_executor::open(seal_record parent_seals) {
  SWARM_CHECK(note_missed(parent_seals));
  block_->parent_seals = std::move(parent_seals);
  return {};
}

/// In the rounds before the one in which this block is made nobody made one that a quorum was prepared on; and the
/// parent's maker did not get it decided in its own round, if that took a later one.
result<> block_executor::note_missed(const seal_record& parent_seals) {
  const auto& parent = parent_.header;
  const bool parent_late = parent_seals.round_num > made_in_round(parent);
  if (context_.made_in == 0 && !parent_late) return {};
  SWARM_TRY(const auto validators, read_validators(state_view(store_, parent.state_root)));
  SWARM_TRY(const auto resting, resting_validators(state_, validators, parent.timestamp, contracts_));
  std::vector<address> missed;
  if (parent_late) missed.push_back(parent.coinbase);
  for (std::uint64_t round = 0; round < std::min<std::uint64_t>(context_.made_in, validators.size()); ++round)
    missed.push_back(proposer_of(validators, resting, parent.coinbase, round));
  return note_missed_turns(state_, context_, missed, validators, contracts_);
}

result<> block_executor::add(transaction txn) {
  auto started = clock::now();
  auto done = execute_transaction(state_, context_, txn, parent_.header.gas_limit - gas_used_, contracts_);
  execute_time_ += clock::now() - started;
  if (!done) return tl::unexpected(std::move(done).error());
  gas_used_ += done->call.gas_used;
  size_ += txn.raw().size() + item_overhead;
  txn_outcome outcome;
  outcome.gas_used = done->call.gas_used;
  outcome.consensus.type = txn.fields().type;
  outcome.consensus.ok = done->call.status == call_status::ok;
  outcome.consensus.cumulative_gas_used = gas_used_;
  outcome.consensus.logs = std::move(done->logs);
  if (!outcome.consensus.ok) {
    outcome.revert_output = std::move(done->call.output);
    outcome.revert_output.resize(std::min(outcome.revert_output.size(), revert_output_max));
  }
  block_->txns.push_back(std::move(txn));
  block_->outcomes.push_back(std::move(outcome));
  return {};
}

result<candidate_ptr> block_executor::finish(const hash32* txns_root) {
  auto started = clock::now();
  auto changes = std::make_shared<block_changes>();
  SWARM_TRY(changes->state, state_.commit());
  auto& header = block_->header;
  header.parent_hash = parent_.hash;
  header.coinbase = context_.proposer;
  header.state_root = changes->state.root;
  header.txns_root = txns_root != nullptr ? *txns_root : root_of_txns(block_->txns);
  header.receipts_root = root_of_receipts(block_->outcomes);
  for (const auto& outcome : block_->outcomes)
    header.logs_bloom.add(bloom_of(outcome.consensus.logs));
  header.block_num = parent_.header.block_num + 1;
  header.gas_limit = parent_.header.gas_limit;
  header.gas_used = gas_used_;
  header.timestamp = context_.block_time;
  header.extra_data = to_bytes(hash_of_seals(block_->parent_seals).view());
  put_be64(header.nonce.data(), context_.made_in);
  complete(*block_);
  changes->timing.execute = execute_time_;
  changes->timing.roots = clock::now() - started;
  return std::make_shared<const block_candidate>(block_candidate{std::move(block_), std::move(changes)});
}

} // namespace swarm::ledger
