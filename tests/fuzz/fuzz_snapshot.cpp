// What a neighbor sends about a snapshot: questions and answers, proofs of validators, nodes of the state.
#include "base/assert.hpp"
#include "base/hash.hpp"
#include "ledger/sync/past_block.hpp"
#include "ledger/sync/state_walk.hpp"

#include <algorithm>

using namespace swarm;
using namespace swarm::sync;

namespace {

/// Checks that what was read is written as the same bytes.
template <class Read>
void check_again(const Read& read, bytes_view raw) {
  if (!read) return;
  const auto again = encode(*read);
  SWARM_ASSERT(std::equal(again.begin(), again.end(), raw.begin(), raw.end()));
}

void follow(const trust_answer& answer) {
  ledger::trust_chain trust({1, {}}, {0, {address{}}});
  for (const auto& change : answer.changes)
    if (!trust.follow(change)) break;
  if (answer.pivot) (void)trust.arrive(*answer.pivot);
  if (answer.pivot) (void)ledger::check_validators({}, answer.pivot->proof);
}

/// Takes the bytes as the root of a state and asks for all that they refer to.
void walk(bytes_view raw) {
  const auto root = keccak256(raw);
  state_walk on(root, [](const state_part&) -> result<bool> { return false; });
  (void)on.begin();
  if (!on.take(root, to_bytes(raw))) return;
  for (const auto& part : on.next(1000))
    on.again(part);
  SWARM_ASSERT(on.waiting() <= 40);
  (void)on.take_batch();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  check_again(decode_question(raw), raw);
  check_again(decode_state_answer(raw), raw);
  const auto trust = decode_trust_answer(raw);
  check_again(trust, raw);
  if (trust) follow(*trust);
  const auto history = decode_history_answer(raw);
  check_again(history, raw);
  if (history)
    for (const auto& block : history->blocks)
      (void)check_past_block(block, 1, {}, {}, 1);
  if (size > 0) walk(raw);
  return 0;
}
