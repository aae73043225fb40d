// RLP, and everything the ledger reads in it: whatever is accepted must encode to the same bytes again.
#include "base/assert.hpp"
#include "ledger/formats/block.hpp"
#include "ledger/formats/double_vote.hpp"
#include "ledger/formats/receipt.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/formats/sign_of_life.hpp"

using namespace swarm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  const auto same = [&](const bytes& again) {
    return std::equal(again.begin(), again.end(), raw.begin(), raw.end());
  };
  (void)ledger::rlp_check(raw);
  if (const auto txn = ledger::transaction::decode(raw, 21335)) SWARM_ASSERT(same(txn->raw()));
  if (const auto header = ledger::decode_header(raw)) SWARM_ASSERT(same(ledger::encode_header(*header)));
  if (const auto block = ledger::decode_block(raw, 21335)) SWARM_ASSERT(same(ledger::encode_block(*block)));
  if (const auto receipt = ledger::decode_receipt(raw)) SWARM_ASSERT(same(ledger::encode_receipt(*receipt)));
  if (const auto votes = ledger::decode_double_vote(raw))
    SWARM_ASSERT(same(ledger::encode_double_vote(*votes)));
  if (const auto seals = ledger::decode_seals(raw)) SWARM_ASSERT(same(ledger::encode_seals(*seals)));
  (void)ledger::decode_sign_of_life(raw, 21335, {});
  return 0;
}
