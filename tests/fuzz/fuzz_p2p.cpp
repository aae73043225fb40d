// What a neighbor sends: one frame, and sequences of frames to a session.
#include "base/assert.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/p2p/neighbor_session.hpp"

#include <algorithm>

using namespace swarm;
using namespace swarm::p2p;

namespace {

/// An open session; the key is always the same so that runs can be repeated.
neighbor_session open_session(time_point now) {
  bytes secret(32, 1);
  static const auto key = std::move(*ledger::private_key::from_bytes(secret));
  hello neighbor;
  neighbor.account = key.account();
  neighbor.proof = key.sign_recoverable(hello_digest(neighbor, {}, {}));
  session_options options;
  options.queue_bytes_max = 1024 * 1024;
  options.gossip_bytes_max = 256 * 1024;
  neighbor_session out(options, hello{}, {}, {}, now);
  out.on_frame(frame(neighbor), 1, now);
  out.admit(0, now);
  SWARM_ASSERT(out.open());
  return out;
}

/// Answers as a shell does.
void carry_out(neighbor_session& session, std::vector<session_action> actions, time_point now) {
  for (auto& each : actions) {
    if (const auto* txns = std::get_if<action::txns_wanted>(&each)) session.answer_txns(txns->id, {{1}});
    if (const auto* blocks = std::get_if<action::blocks_wanted>(&each))
      session.answer_blocks(blocks->id, {{bytes(100, 1), {}}});
    if (const auto* part = std::get_if<action::part_wanted>(&each)) session.answer_part(part->id, {1});
    if (std::holds_alternative<action::neighbors_wanted>(each)) session.answer_neighbors({});
    if (const auto* heard = std::get_if<action::txns_heard>(&each))
      (void)session.ask_txns(heard->hashes, now);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  if (const auto whole = decode(raw)) {
    const auto again = encode(*whole);
    SWARM_ASSERT(std::equal(again.begin(), again.end(), raw.begin(), raw.end()));
  }
  time_point now{};
  auto session = open_session(now);
  // Frames, each behind two bytes: its length and the milliseconds before it.
  for (auto rest = raw; rest.size() > 2 && !session.over();) {
    const auto length = std::min<std::size_t>(rest[0], rest.size() - 2);
    now += std::chrono::milliseconds(rest[1]);
    session.on_frame(decode(rest.subspan(2, length)), length, now);
    carry_out(session, session.take_actions(), now);
    if (rest[1] % 16 == 0) session.tick(now, true);
    SWARM_ASSERT(session.queue().queued_bytes() <= 1024 * 1024);
    rest = rest.subspan(2 + length);
  }
  while (session.next_to_send(0)) {
  }
  return 0;
}
