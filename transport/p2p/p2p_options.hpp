#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "transport/p2p/p2p_codec.hpp"

#include <array>
#include <string>
#include <vector>

namespace swarm::p2p {

/// How much a neighbor may send in a second, and how much at once. The units are frames, or what the frames
/// carry: transactions, hashes, pieces of 16 KiB.
struct rate_limit {
  double per_second = 0;
  double burst = 0;
};

/// The limits by kind of frame. Answers (pong, got_...) and hello have no limit here, as they are an offence
/// when nobody asked for them.
inline constexpr std::array<rate_limit, frame_kind_count> default_limits{{
    {},                // hello
    {1'000, 2'000},    // head
    {2, 10},           // ping
    {},                // pong
    {10'000, 20'000},  // consensus
    {20'000, 40'000},  // txns
    {50'000, 100'000}, // txn hashes
    {10'000, 20'000},  // get txns
    {},                // got txns
    {200, 400},        // get blocks
    {},                // got blocks
    {1, 5},            // get neighbors
    {},                // got neighbors
    {1'000, 4'000},    // signs
    {100, 200},        // get part
    {},                // got part
}};

struct session_options {
  std::array<rate_limit, frame_kind_count> limits = default_limits;
  double offence_points_max = 100;      ///< at this sum the neighbor is disconnected and refused
  double offence_points_per_second = 1; ///< how many points are forgiven

  duration hello_wait = std::chrono::seconds(10);    ///< after it a connection without a hello is closed
  duration ping_interval = std::chrono::seconds(10); ///< a ping is sent after so much silence
  duration pong_wait = std::chrono::seconds(60);     ///< of silence after a ping; then it counts as gone
  duration answer_wait = std::chrono::seconds(60);   ///< then a question is forgotten

  duration txn_answer_wait = std::chrono::seconds(5); ///< then somebody else is asked
  duration ask_neighbors_interval = std::chrono::seconds(60);

  std::size_t txn_in_full_bytes_max = 4096;           ///< larger ones are announced by hash
  std::size_t known_txns_max = 16'384;                ///< remembered about a neighbor
  duration known_txns_for = std::chrono::seconds(30); ///< at least; then they may be sent again
  std::size_t batch_bytes = 64 * 1024;                ///< of transactions in one frame
  std::size_t answer_bytes_max = 4 * 1024 * 1024;     ///< of blocks in one frame, unless the first is larger
  std::size_t queue_bytes_max = 32 * 1024 * 1024;     ///< waiting to be sent to one neighbor
  std::size_t gossip_bytes_max = 4 * 1024 * 1024;     ///< of them transactions and hashes
  std::size_t consensus_window_bytes = 256 * 1024;    ///< handed to the socket and not yet written
  std::size_t other_window_bytes = 32 * 1024;         ///< the same for everything but consensus
  std::size_t block_requests_max = 8;                 ///< open at a time, either way
  std::size_t part_requests_max = 8;                  ///< same, about parts of a snapshot
  std::size_t txns_asked_open_max = 2048;             ///< hashes asked for at a time
};

struct p2p_options {
  std::string bind_address = "0.0.0.0"; ///< numeric
  std::uint16_t port = 30'303;          ///< sn_p2p_port; 0: any free one
  std::string endpoint;                 ///< host:port under which others reach this node, empty for none
  std::uint64_t chain_id = 0;
  hash32 genesis;
  bool validates = true;
  std::string program = "swarmd";
  version_range versions = versions_known; ///< of the protocol; fewer of them, or others for tests
  std::uint64_t rules_known = 0; ///< the newest rules of the chain that this node knows; 0: not said
  std::vector<std::string> dial; ///< endpoints that are dialled until they answer, for ever

  std::size_t neighbors_max = 64;
  std::size_t organisation_places = 8; ///< of one organisation, beside its validators (neighbor_places.hpp)
  std::size_t newcomers_max = 16;      ///< connections without a hello; organisations share them
  std::size_t dials_max = 16;          ///< under way at a time
  std::size_t learned_max = 256;       ///< endpoints that neighbors told of; those who told share them
  std::size_t learned_failures = 6;    ///< after so many in a row a learned endpoint is forgotten
  duration dial_first = std::chrono::milliseconds(250);
  duration dial_longest = std::chrono::seconds(30);
  duration refuse_for = std::chrono::minutes(5); ///< how long a neighbor that misbehaved is refused
  duration tick = std::chrono::milliseconds(100);
  std::size_t cached_txns_bytes = 16 * 1024 * 1024; ///< kept to answer those who heard only the hash
  std::uint64_t seed = 0;                           ///< of back-off times; 0: a random one
  session_options session;
  std::string log_source = "swarm.p2p";
};

} // namespace swarm::p2p
