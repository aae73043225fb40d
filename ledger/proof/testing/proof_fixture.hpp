#pragma once

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "ledger/native_contract.hpp"
#include "ledger/proof/log_proof.hpp"
#include "ledger/state/testing/state_test_store.hpp"
#include "ledger/state/trie.hpp"

/// A chain for tests that nobody executed: blocks with the transactions, logs and validators that
/// a test wants.
namespace swarm::ledger::test {

inline private_key paper_key(std::uint8_t which) {
  bytes raw(32);
  raw[31] = which;
  return *private_key::from_bytes(raw);
}

struct paper_txn {
  std::uint8_t signer = 1; ///< number of its key
  address to;
  std::vector<log_entry> logs;
};

class paper_chain {
public:
  /// Validators by the numbers of their keys.
  explicit paper_chain(const std::vector<std::uint8_t>& validators) {
    set_validators(validators);
    block_header header;
    header.gas_limit = 1'000'000;
    header.state_root = root_;
    append({}, {}, header, {});
  }

  /// Adds a block sealed by a quorum of the validators in force; `next`, if any, seal from the
  /// following block on.
  void add_block(const std::vector<paper_txn>& txns, const std::vector<std::uint8_t>& next = {}) {
    const auto sealers = validators_;
    if (!next.empty()) set_validators(next);
    std::vector<bytes> raw_txns, raw_receipts;
    std::uint64_t gas = 0;
    for (const auto& one : txns) {
      txn_fields fields;
      fields.nonce = nonces_[one.signer]++;
      fields.gas_limit = 21'000;
      fields.to = one.to;
      raw_txns.push_back(make_signed(fields, paper_key(one.signer), identity_.chain_id)->raw());
      raw_receipts.push_back(encode_receipt(
          {.type = txn_type::dynamic_fee, .ok = true, .cumulative_gas_used = ++gas, .logs = one.logs}));
    }
    block_header header;
    header.block_num = blocks_.size();
    header.parent_hash = keccak256(blocks_.back().sealed.header);
    header.gas_limit = 1'000'000;
    header.timestamp = 1'700'000'000 + header.block_num;
    header.state_root = root_;
    header.txns_root = ordered_trie_root(raw_txns);
    header.receipts_root = ordered_trie_root(raw_receipts);
    append(std::move(raw_txns), std::move(raw_receipts), header, sealers);
  }

  const chain_identity& identity() const { return identity_; }
  const block_header& header(std::size_t block_num) const { return blocks_[block_num].header; }
  const sealed_header& sealed(std::size_t block_num) const { return blocks_[block_num].sealed; }
  std::vector<address> validators() const { return sorted(validators_); }

  handover handover_at(std::size_t block_num) {
    const auto& block = blocks_[block_num];
    const state_view state(state_->store, block.header.state_root);
    const auto shown = state.prove(validators_account(), validator_slots(block.next));
    SWARM_ASSERT(shown.has_value());
    handover out{block.sealed, {shown->nodes, shown->slots[0].nodes, {}}};
    for (std::size_t i = 1; i < shown->slots.size(); ++i)
      out.proof.members.push_back(shown->slots[i].nodes);
    return out;
  }
  log_proof prove(std::size_t block_num, std::size_t txn_index, std::size_t log_index) const {
    const auto& block = blocks_[block_num];
    return {block_num, txn_index, log_index, prove_ordered(block.txns, txn_index),
            prove_ordered(block.receipts, txn_index)};
  }

private:
  struct paper_block {
    block_header header;
    sealed_header sealed;
    std::vector<bytes> txns;
    std::vector<bytes> receipts;
    std::size_t next = 0; ///< number of validators in its state
  };

  static std::vector<address> sorted(const std::vector<std::uint8_t>& keys) {
    std::vector<address> out;
    for (const auto which : keys)
      out.push_back(paper_key(which).account());
    std::sort(out.begin(), out.end());
    return out;
  }

  void set_validators(const std::vector<std::uint8_t>& keys) {
    state_overlay state(state_->store, root_);
    const auto self = validators_account();
    const auto put = [&](std::uint64_t slot, const hash32& value) {
      SWARM_ASSERT(state.store(self, u256(slot), value).has_value());
    };
    SWARM_ASSERT(state.set_nonce(self, 1).has_value());
    put(validator_count_slot, u256(keys.size()));
    const auto set = sorted(keys);
    for (std::size_t i = 0; i < set.size(); ++i) {
      hash32 word;
      std::copy(set[i].begin(), set[i].end(), word.begin() + 12);
      put(first_validator_slot + i, word);
    }
    root_ = state_->take(state.commit());
    validators_ = keys;
  }

  void append(std::vector<bytes> txns, std::vector<bytes> receipts, const block_header& header,
              const std::vector<std::uint8_t>& sealers) {
    sealed_header sealed{encode_header(header), {}};
    if (blocks_.empty()) identity_ = {0x5357, keccak256(sealed.header)};
    sealed.seals.round_num = sealers.empty() ? 0 : header.block_num % 3;
    const auto digest = seal_digest(identity_.chain_id, identity_.genesis_hash, keccak256(sealed.header),
                                    sealed.seals.round_num);
    for (std::size_t i = 0; i < seal_quorum(sealers.size()); ++i)
      sealed.seals.seals.push_back({paper_key(sealers[i]).sign_recoverable(digest)});
    blocks_.push_back({header, std::move(sealed), std::move(txns), std::move(receipts), validators_.size()});
  }

  std::unique_ptr<memory_state> state_ =
      std::make_unique<memory_state>(); ///< keeps its address when the chain is moved
  hash32 root_ = empty_trie_root;
  std::vector<std::uint8_t> validators_;
  std::map<std::uint8_t, std::uint64_t> nonces_;
  chain_identity identity_;
  std::vector<paper_block> blocks_;
};

} // namespace swarm::ledger::test
