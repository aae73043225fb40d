#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "ledger/sync/sync_machine.hpp"
#include "transport/p2p/p2p_versions.hpp"

#include <span>
#include <string>
#include <variant>
#include <vector>

/// What SNs send to each other. One WebSocket message is one frame: a byte for its kind, then one RLP list in
/// canonical form. This layer does not look into blocks, transactions and consensus messages.
namespace swarm::p2p {

using sync::sealed_block;

/// Bounds of the protocol, the same at both ends. A frame that breaks one is malformed.
inline constexpr std::size_t frame_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t endpoint_bytes_max = endpoint::text_bytes_max;
inline constexpr std::size_t hashes_max = 1024; ///< in one announcement
inline constexpr std::size_t txns_max = 4096;   ///< in one frame
inline constexpr std::size_t txn_bytes_max = 128 * 1024;
inline constexpr std::size_t txns_asked_max = 64; ///< in one question, so that the answer fits into a frame
inline constexpr std::size_t blocks_max = 1024;   ///< in one request or answer
inline constexpr std::size_t neighbors_max = 64;  ///< in one frame
inline constexpr std::size_t signs_max = 512;     ///< in one frame
inline constexpr std::size_t sign_bytes_max = 384;
inline constexpr std::size_t question_bytes_max = 64 * 1024; ///< about a part of a snapshot

/// The rules that a frame can break.
enum class frame_errc {
  empty = 1,     ///< no byte at all
  oversize,      ///< more bytes than a frame may have
  unknown_kind,  ///< of no kind that this version knows
  malformed,     ///< not the one RLP form of its kind
  limit,         ///< a count or length over its bound
  empty_list,    ///< a frame about nothing
  bad_endpoint,  ///< an endpoint that is no host:port
  other_version, ///< a hello of a version that this program does not speak
};
constexpr std::string_view error_category(frame_errc) {
  return "p2p";
}

enum class frame_kind : std::uint8_t {
  hello = 0,
  head = 1,
  ping = 2,
  pong = 3,
  consensus = 4,
  txns = 5,
  txn_hashes = 6,
  get_txns = 7,
  got_txns = 8,
  get_blocks = 9,
  got_blocks = 10,
  get_neighbors = 11,
  got_neighbors = 12,
  signs = 13,
  get_part = 14,
  got_part = 15,
};
inline constexpr std::uint8_t frame_kind_count = 16;
std::string_view name_of(frame_kind kind);

struct head_facts {
  std::uint64_t block_num = 0;
  hash32 block_hash;
  bool operator==(const head_facts&) const = default;
};

using signature = fixed_bytes<65>;

/// The first frame of either side. `proof` ties the account to the certificates of the
/// connection: see `hello_digest`. In every version the number of the version is its first field.
struct hello {
  std::uint64_t version = versions_known.last;
  std::uint64_t chain_id = 0;
  hash32 genesis;
  head_facts head;
  address account;
  std::string endpoint;         ///< host:port where others reach this node's P2P port, empty for none
  std::string program;          ///< name and version, for people
  bool validates = true;        ///< wishes to be a validator; an observer does not
  std::uint64_t instance = 0;   ///< random number of the sender's process: another one after a restart
  std::uint64_t connection = 0; ///< counts the sender's dials, so that the later of two is known
  /// From version 3 on: the newest rules of the chain that the sender knows (ledger/rules_version.hpp); 0: not said.
  std::uint64_t rules_known = 0;
  signature proof;
  bool operator==(const hello&) const = default;
};
/// A new head of the sender's chain.
struct head {
  head_facts now;
  bool operator==(const head&) const = default;
};
struct ping {
  std::uint64_t nonce = 0;
  bool operator==(const ping&) const = default;
};
struct pong {
  std::uint64_t nonce = 0;
  bool operator==(const pong&) const = default;
};
struct consensus {
  bytes message;
  bool operator==(const consensus&) const = default;
};
/// Transactions that the receiver may not know yet.
struct txns {
  std::vector<bytes> raw;
  bool operator==(const txns&) const = default;
};
/// Transactions that the sender can give.
struct txn_hashes {
  std::vector<hash32> hashes;
  bool operator==(const txn_hashes&) const = default;
};
struct get_txns {
  std::uint64_t id = 0;
  std::vector<hash32> hashes;
  bool operator==(const get_txns&) const = default;
};
/// Those of a get_txns that the sender still has, in any order; there may be none.
struct got_txns {
  std::uint64_t id = 0;
  std::vector<bytes> raw;
  bool operator==(const got_txns&) const = default;
};
/// Blocks `first`, `first` + 1, ... up to `count` of them and `bytes_max` bytes.
struct get_blocks {
  std::uint64_t id = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes_max = 0;
  bool operator==(const get_blocks&) const = default;
};
/// Blocks in order from the asked first one on, each with its seal record: as many as there are and fit, but
/// at least one if there is one. None means that the sender does not have the first.
struct got_blocks {
  std::uint64_t id = 0;
  std::vector<sealed_block> blocks;
};
bool operator==(const got_blocks& a, const got_blocks& b);
struct get_neighbors {
  bool operator==(const get_neighbors&) const = default;
};
struct peer_entry {
  address account;
  std::string endpoint;
  bool operator==(const peer_entry&) const = default;
};
/// Nodes that the sender is connected to.
struct got_neighbors {
  std::vector<peer_entry> neighbors;
  bool operator==(const got_neighbors&) const = default;
};

/// Signs of life of nodes, signed by them, that the receiver may not know yet.
struct signs {
  std::vector<bytes> raw;
  bool operator==(const signs&) const = default;
};

/// A question about a snapshot (ledger/sync/snapshot_wire.hpp), which this layer does not look into.
struct get_part {
  std::uint64_t id = 0;
  std::uint64_t bytes_max = 0; ///< of the answer
  bytes question;
  bool operator==(const get_part&) const = default;
};
/// The answer to a get_part.
struct got_part {
  std::uint64_t id = 0;
  bytes answer;
  bool operator==(const got_part&) const = default;
};

using frame = std::variant<hello, head, ping, pong, consensus, txns, txn_hashes, get_txns, got_txns,
                           get_blocks, got_blocks, get_neighbors, got_neighbors, signs, get_part, got_part>;

frame_kind kind_of(const frame& from);
bytes encode(const frame& from);
/// A frame of `txns`, of `consensus`, without copies in between.
bytes encode_txns(std::span<const bytes_view> raw);
bytes encode_consensus(bytes_view message);
/// Decoding is strict: what `encode` does not make is refused, and everything is bounded before it is copied.
result<frame> decode(bytes_view raw);

/// Checks that `text` is "host:port" as others may dial it: a name of letters, digits, '-' and '.', an IPv4
/// address, or an IPv6 one in brackets; a port from 1 to 65535.
result<> check_endpoint(std::string_view text);

/// What a hello signs: all its fields, and the certificates (SHA-256 of their DER form) of both ends of the
/// connection, so that it proves nothing on any other connection.
hash32 hello_digest(const hello& of, const hash32& own_certificate, const hash32& peer_certificate);

} // namespace swarm::p2p
