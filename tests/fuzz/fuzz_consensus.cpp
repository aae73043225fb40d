// What validators send each other and what they find on their own disk: whatever is accepted must encode to
// the same bytes again, and the machine takes any of it without a crash and within its bounds.
#include "base/assert.hpp"
#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/testing/fake_scheme.hpp"

using namespace swarm;
using namespace swarm::consensus;

namespace {

void check_decoders(bytes_view raw) {
  const auto same = [&](const bytes& again) {
    return std::equal(again.begin(), again.end(), raw.begin(), raw.end());
  };
  if (const auto item = decode_proposal(raw)) SWARM_ASSERT(same(encode(*item)));
  if (const auto item = decode_prepare(raw)) SWARM_ASSERT(same(encode(*item)));
  if (const auto item = decode_commit(raw)) SWARM_ASSERT(same(encode(*item)));
  if (const auto item = decode_round_change(raw)) SWARM_ASSERT(same(encode(*item)));
  if (const auto item = decode_reentry(raw)) SWARM_ASSERT(same(encode(*item)));
  if (const auto item = decode_place(raw)) SWARM_ASSERT(same(encode_place(*item)));
  if (const auto item = decode_certificate(raw))
    SWARM_ASSERT(same(encode_certificate(item->block_num, item->proof)));
  if (auto block = read_block(std::make_shared<const bytes>(to_bytes(raw)))) (void)check_body(*block);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  check_decoders(raw);
  std::vector<address> validators;
  for (std::uint64_t i = 0; i < 4; ++i)
    validators.push_back(consensus::testing::fake_account(i));
  machine_options options;
  options.parking = {.neighbor_messages_max = 16, .neighbor_bytes_max = 4096, .total_bytes_max = 4096};
  qbft_machine machine(options, consensus::testing::fake_scheme(validators[1]));
  auto records = initial_records(validators[1], options.domain.genesis_hash);
  // The first byte divides the rest between a record and a message.
  const auto cut = size == 0 ? 0 : data[0] % 7;
  if (cut > 0) records.push_back({record_keys[static_cast<std::size_t>(cut)], to_bytes(raw.subspan(1))});
  machine.step(start{{}, validators, records});
  for (int i = 0; i < 3; ++i)
    machine.step(message{7, std::make_shared<const bytes>(to_bytes(size == 0 ? raw : raw.subspan(1)))});
  SWARM_ASSERT(machine.status().parked_bytes <= 4096);
  return 0;
}
