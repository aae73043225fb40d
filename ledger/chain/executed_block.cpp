#include "ledger/chain/executed_block.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace swarm::ledger {

namespace {

constexpr std::string_view outputs_name = "revert outputs";

bytes encode_outputs(std::span<const txn_outcome> outcomes) {
  rlp_writer out;
  out.begin_list();
  for (const auto& outcome : outcomes)
    out.string(outcome.revert_output);
  return out.end_list().take();
}

std::size_t list_size(std::size_t payload) {
  std::size_t prefix = 1;
  if (payload > 55)
    for (auto rest = payload; rest != 0; rest >>= 8)
      ++prefix;
  return prefix + payload;
}

/// Bytes of a block, from the encodings of its header and of its body.
result<std::size_t> block_size(const bytes& header, const bytes& body) {
  SWARM_TRY(auto list, rlp_decode(body, "block body"));
  return list_size(header.size() + list.payload.size());
}

result<> put_outcomes(executed_block& to, const encoded_block& parts) {
  SWARM_TRY(auto receipts, decode_receipts(parts.receipts));
  SWARM_TRY(auto outputs, rlp_reader::open(parts.outputs, outputs_name));
  if (receipts.size() != to.txns.size())
    return fail(errc::corrupt, "block {}: {} receipts for {} transactions", to.header.block_num,
                receipts.size(), to.txns.size());
  std::uint64_t before = 0;
  for (auto& item : receipts) {
    txn_outcome outcome;
    SWARM_TRY(auto output, outputs.string("output"));
    outcome.revert_output = to_bytes(output);
    outcome.gas_used = item.cumulative_gas_used - before;
    before = item.cumulative_gas_used;
    outcome.consensus = std::move(item);
    to.outcomes.push_back(std::move(outcome));
  }
  return outputs.finish();
}

} // namespace

std::size_t executed_block::first_log_index(std::size_t txn_index) const {
  SWARM_ASSERT(txn_index < outcomes.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < txn_index; ++i)
    count += outcomes[i].consensus.logs.size();
  return count;
}

std::size_t memory_of(const executed_block& item) {
  auto total = sizeof(executed_block) + item.parent_seals.seals.size() * sizeof(commit_seal);
  for (const auto& txn : item.txns)
    total += sizeof(transaction) + 2 * txn.raw().size();
  for (const auto& outcome : item.outcomes) {
    total += sizeof(txn_outcome) + outcome.revert_output.size();
    for (const auto& log : outcome.consensus.logs)
      total += sizeof(log_entry) + log.topics.size() * sizeof(hash32) + log.data.size();
  }
  return total;
}

encoded_block encode_executed(const executed_block& item) {
  std::vector<receipt> receipts;
  receipts.reserve(item.outcomes.size());
  for (const auto& outcome : item.outcomes)
    receipts.push_back(outcome.consensus);
  return {encode_header(item.header), encode_body(item.txns, item.parent_seals), encode_receipts(receipts),
          encode_outputs(item.outcomes)};
}

result<std::shared_ptr<executed_block>> decode_executed(const encoded_block& parts, std::uint64_t chain_id,
                                                        bool with_senders) {
  auto out = std::make_shared<executed_block>();
  SWARM_TRY(out->header, decode_header(parts.header));
  out->hash = keccak256(parts.header);
  SWARM_TRY(auto body, decode_body(parts.body, chain_id));
  out->txns = std::move(body.txns);
  out->parent_seals = std::move(body.parent_seals);
  SWARM_TRY(out->encoded_size, block_size(parts.header, parts.body));
  SWARM_CHECK(put_outcomes(*out, parts));
  if (with_senders)
    for (auto& txn : out->txns)
      SWARM_CHECK(txn.recover_sender());
  return out;
}

void complete(executed_block& item) {
  auto header = encode_header(item.header);
  auto size = block_size(header, encode_body(item.txns, item.parent_seals));
  SWARM_ASSERT(size.has_value());
  item.hash = keccak256(header);
  item.encoded_size = *size;
}

} // namespace swarm::ledger
