#include "transport/p2p/p2p_codec.hpp"

#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"
#include "ledger/formats/sign_of_life.hpp"
#include "ledger/formats/transaction.hpp"

#include <algorithm>
#include <array>

namespace swarm::p2p {

using ledger::rlp_reader;
using ledger::rlp_writer;

namespace {

static_assert(txn_bytes_max == ledger::txn_size_max);
static_assert(sign_bytes_max == ledger::sign_of_life_bytes_max);
static_assert(txns_asked_max * txn_bytes_max < frame_bytes_max);

constexpr std::string_view hello_domain = "swarm p2p hello";
constexpr std::size_t program_bytes_max = 64;
constexpr std::uint64_t version_with_rules = 3;
constexpr std::array<std::string_view, frame_kind_count> names{
    "hello",         "head",     "ping",     "pong",       "consensus",  "txns",
    "txn hashes",    "get txns", "got txns", "get blocks", "got blocks", "get neighbors",
    "got neighbors", "signs",    "get part", "got part"};

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Writing: one function per kind, the fields in the order of the struct

void write(rlp_writer& out, const head_facts& from) {
  out.number(from.block_num).string(from.block_hash.view());
}
void write_unsigned(rlp_writer& out, const hello& from) {
  out.number(from.version).number(from.chain_id).string(from.genesis.view());
  write(out, from.head);
  out.string(from.account.view()).string(as_bytes(from.endpoint)).string(as_bytes(from.program));
  out.number(from.validates ? 1 : 0).number(from.instance).number(from.connection);
  if (from.version >= version_with_rules) out.number(from.rules_known);
}
void write(rlp_writer& out, const hello& from) {
  write_unsigned(out, from);
  out.string(from.proof.view());
}
void write(rlp_writer& out, const head& from) {
  write(out, from.now);
}
void write(rlp_writer& out, const ping& from) {
  out.number(from.nonce);
}
void write(rlp_writer& out, const pong& from) {
  out.number(from.nonce);
}
void write(rlp_writer& out, const consensus& from) {
  out.string(from.message);
}
void write(rlp_writer& out, const std::vector<bytes>& strings) {
  out.begin_list();
  for (const auto& each : strings)
    out.string(each);
  out.end_list();
}
void write(rlp_writer& out, const std::vector<hash32>& hashes) {
  out.begin_list();
  for (const auto& each : hashes)
    out.string(each.view());
  out.end_list();
}
void write(rlp_writer& out, const txns& from) {
  write(out, from.raw);
}
void write(rlp_writer& out, const txn_hashes& from) {
  write(out, from.hashes);
}
void write(rlp_writer& out, const get_txns& from) {
  out.number(from.id);
  write(out, from.hashes);
}
void write(rlp_writer& out, const got_txns& from) {
  out.number(from.id);
  write(out, from.raw);
}
void write(rlp_writer& out, const get_blocks& from) {
  out.number(from.id).number(from.first).number(from.count).number(from.bytes_max);
}
void write(rlp_writer& out, const got_blocks& from) {
  out.number(from.id).begin_list();
  for (const auto& each : from.blocks)
    out.begin_list().string(each.block).string(each.seals).end_list();
  out.end_list();
}
void write(rlp_writer&, const get_neighbors&) {}
void write(rlp_writer& out, const got_neighbors& from) {
  out.begin_list();
  for (const auto& each : from.neighbors)
    out.begin_list().string(each.account.view()).string(as_bytes(each.endpoint)).end_list();
  out.end_list();
}

void write(rlp_writer& out, const signs& from) {
  write(out, from.raw);
}

void write(rlp_writer& out, const get_part& from) {
  out.number(from.id).number(from.bytes_max).string(from.question);
}
void write(rlp_writer& out, const got_part& from) {
  out.number(from.id).string(from.answer);
}

// Reading

enum class emptiness { allowed, refused };

result<> check_count(std::size_t count, std::size_t max, emptiness none, std::string_view what) {
  if (count > max) return fail(frame_errc::limit, "more than {} {}", max, what);
  if (count == 0 && none == emptiness::refused) return fail(frame_errc::empty_list, "no {}", what);
  return {};
}

result<std::vector<bytes>> read_strings(rlp_reader& from, std::string_view what, std::size_t count_max,
                                        std::size_t size_max, emptiness none) {
  SWARM_TRY(rlp_reader list, from.list(what));
  std::vector<bytes> out;
  while (!list.at_end()) {
    SWARM_CHECK(check_count(out.size() + 1, count_max, none, what));
    SWARM_TRY(const auto raw, list.string(what, size_max));
    if (raw.empty()) return fail(frame_errc::malformed, "an empty one among {}", what);
    out.push_back(to_bytes(raw));
  }
  SWARM_CHECK(check_count(out.size(), count_max, none, what));
  return out;
}

result<std::vector<hash32>> read_hashes(rlp_reader& from, std::size_t count_max) {
  SWARM_TRY(rlp_reader list, from.list("hashes"));
  std::vector<hash32> out;
  while (!list.at_end()) {
    SWARM_CHECK(check_count(out.size() + 1, count_max, emptiness::refused, "hashes"));
    SWARM_TRY(out.emplace_back(), list.fixed<32>("hash"));
  }
  SWARM_CHECK(check_count(out.size(), count_max, emptiness::refused, "hashes"));
  return out;
}

result<std::string> read_endpoint(rlp_reader& from, emptiness none) {
  SWARM_TRY(const auto raw, from.string("endpoint", endpoint_bytes_max));
  if (!raw.empty() || none == emptiness::refused) SWARM_CHECK(check_endpoint(as_text(raw)));
  return std::string(as_text(raw));
}

result<> read(rlp_reader& from, head_facts& out) {
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.block_hash, from.fixed<32>("block hash"));
  return {};
}
result<> read(rlp_reader& from, hello& out) {
  SWARM_TRY(out.version, from.number("version"));
  if (!versions_known.has(out.version))
    return fail(frame_errc::other_version, "version {} of the P2P protocol", out.version);
  SWARM_TRY(out.chain_id, from.number("chain id"));
  SWARM_TRY(out.genesis, from.fixed<32>("genesis"));
  SWARM_CHECK(read(from, out.head));
  SWARM_TRY(out.account, from.fixed<20>("account"));
  SWARM_TRY(out.endpoint, read_endpoint(from, emptiness::allowed));
  SWARM_TRY(const auto program, from.string("program", program_bytes_max));
  if (!printable(as_text(program))) return fail(frame_errc::malformed, "the program's name is no plain text");
  out.program = as_text(program);
  SWARM_TRY(const auto validates, from.number("validates"));
  if (validates > 1) return fail(frame_errc::malformed, "validates is {}, neither 0 nor 1", validates);
  out.validates = validates == 1;
  SWARM_TRY(out.instance, from.number("instance"));
  SWARM_TRY(out.connection, from.number("connection"));
  if (out.version >= version_with_rules) {
    SWARM_TRY(out.rules_known, from.number("rules"));
  }
  SWARM_TRY(out.proof, from.fixed<65>("proof"));
  return {};
}
result<> read(rlp_reader& from, head& out) {
  return read(from, out.now);
}
result<> read(rlp_reader& from, ping& out) {
  SWARM_TRY(out.nonce, from.number("nonce"));
  return {};
}
result<> read(rlp_reader& from, pong& out) {
  SWARM_TRY(out.nonce, from.number("nonce"));
  return {};
}
result<> read(rlp_reader& from, consensus& out) {
  SWARM_TRY(const auto raw, from.string("message", frame_bytes_max));
  if (raw.empty()) return fail(frame_errc::empty_list, "no message");
  out.message = to_bytes(raw);
  return {};
}
result<> read(rlp_reader& from, txns& out) {
  SWARM_TRY(out.raw, read_strings(from, "transactions", txns_max, txn_bytes_max, emptiness::refused));
  return {};
}
result<> read(rlp_reader& from, txn_hashes& out) {
  SWARM_TRY(out.hashes, read_hashes(from, hashes_max));
  return {};
}
result<> read(rlp_reader& from, get_txns& out) {
  SWARM_TRY(out.id, from.number("id"));
  SWARM_TRY(out.hashes, read_hashes(from, txns_asked_max));
  return {};
}
result<> read(rlp_reader& from, got_txns& out) {
  SWARM_TRY(out.id, from.number("id"));
  SWARM_TRY(out.raw, read_strings(from, "transactions", txns_asked_max, txn_bytes_max, emptiness::allowed));
  return {};
}
result<> read(rlp_reader& from, get_blocks& out) {
  SWARM_TRY(out.id, from.number("id"));
  SWARM_TRY(out.first, from.number("first"));
  SWARM_TRY(out.count, from.number("count"));
  SWARM_TRY(out.bytes_max, from.number("bytes"));
  SWARM_CHECK(check_count(out.count, blocks_max, emptiness::refused, "blocks"));
  if (out.first > UINT64_MAX - out.count) return fail(frame_errc::limit, "blocks over the last number");
  if (out.bytes_max == 0 || out.bytes_max > frame_bytes_max)
    return fail(frame_errc::limit, "an answer of {} bytes", out.bytes_max);
  return {};
}
result<> read(rlp_reader& from, got_blocks& out) {
  SWARM_TRY(out.id, from.number("id"));
  SWARM_TRY(rlp_reader list, from.list("blocks"));
  while (!list.at_end()) {
    SWARM_CHECK(check_count(out.blocks.size() + 1, blocks_max, emptiness::allowed, "blocks"));
    SWARM_TRY(rlp_reader item, list.list("block and seals"));
    SWARM_TRY(const auto block, item.string("block", frame_bytes_max));
    SWARM_TRY(const auto seals, item.string("seals", frame_bytes_max));
    SWARM_CHECK(item.finish());
    if (block.empty()) return fail(frame_errc::malformed, "an empty block");
    out.blocks.push_back({to_bytes(block), to_bytes(seals)});
  }
  return {};
}
result<> read(rlp_reader&, get_neighbors&) {
  return {};
}
result<> read(rlp_reader& from, got_neighbors& out) {
  SWARM_TRY(rlp_reader list, from.list("peers"));
  while (!list.at_end()) {
    SWARM_CHECK(check_count(out.neighbors.size() + 1, neighbors_max, emptiness::allowed, "peers"));
    SWARM_TRY(rlp_reader item, list.list("peer"));
    peer_entry entry;
    SWARM_TRY(entry.account, item.fixed<20>("account"));
    SWARM_TRY(entry.endpoint, read_endpoint(item, emptiness::refused));
    SWARM_CHECK(item.finish());
    out.neighbors.push_back(std::move(entry));
  }
  return {};
}

result<> read(rlp_reader& from, signs& out) {
  SWARM_TRY(out.raw, read_strings(from, "signs of life", signs_max, sign_bytes_max, emptiness::refused));
  return {};
}

result<> read(rlp_reader& from, get_part& out) {
  SWARM_TRY(out.id, from.number("id"));
  SWARM_TRY(out.bytes_max, from.number("bytes"));
  SWARM_TRY(const auto raw, from.string("question", question_bytes_max));
  if (raw.empty()) return fail(frame_errc::empty_list, "no question");
  if (out.bytes_max == 0 || out.bytes_max > frame_bytes_max)
    return fail(frame_errc::limit, "an answer of {} bytes", out.bytes_max);
  out.question = to_bytes(raw);
  return {};
}
result<> read(rlp_reader& from, got_part& out) {
  SWARM_TRY(out.id, from.number("id"));
  SWARM_TRY(const auto raw, from.string("answer", frame_bytes_max));
  if (raw.empty()) return fail(frame_errc::empty_list, "no answer");
  out.answer = to_bytes(raw);
  return {};
}

template <class T>
result<frame> read_whole(bytes_view body, std::string_view what) {
  T out;
  SWARM_TRY(rlp_reader from, rlp_reader::open(body, what, frame_bytes_max));
  SWARM_CHECK(read(from, out));
  SWARM_CHECK(from.finish());
  return frame(std::move(out));
}

template <std::size_t... Kinds>
result<frame> read_kind(std::size_t kind, bytes_view body, std::index_sequence<Kinds...>) {
  using reader = result<frame> (*)(bytes_view, std::string_view);
  constexpr std::array<reader, sizeof...(Kinds)> readers{
      &read_whole<std::variant_alternative_t<Kinds, frame>>...};
  return readers[kind](body, names[kind]);
}

template <class Write>
bytes encode_as(frame_kind kind, const Write& write_fields) {
  const auto first = static_cast<std::uint8_t>(kind);
  rlp_writer out(64);
  out.encoded({&first, 1}).begin_list();
  write_fields(out);
  return out.end_list().take();
}

} // namespace

std::string_view name_of(frame_kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < names.size() ? names[index] : std::string_view("unknown");
}

static_assert(std::variant_size_v<frame> == frame_kind_count);

bool operator==(const got_blocks& a, const got_blocks& b) {
  return a.id == b.id
         && std::equal(a.blocks.begin(), a.blocks.end(), b.blocks.begin(), b.blocks.end(),
                       [](const auto& x, const auto& y) { return x.block == y.block && x.seals == y.seals; });
}

frame_kind kind_of(const frame& from) {
  return static_cast<frame_kind>(from.index());
}

bytes encode(const frame& from) {
  return encode_as(kind_of(from),
                   [&](rlp_writer& out) { std::visit([&](const auto& each) { write(out, each); }, from); });
}

bytes encode_txns(std::span<const bytes_view> raw) {
  return encode_as(frame_kind::txns, [&](rlp_writer& out) {
    out.begin_list();
    for (const auto& each : raw)
      out.string(each);
    out.end_list();
  });
}

bytes encode_consensus(bytes_view message) {
  return encode_as(frame_kind::consensus, [&](rlp_writer& out) { out.string(message); });
}

result<frame> decode(bytes_view raw) {
  if (raw.empty()) return fail(frame_errc::empty, "a frame without a byte");
  if (raw.size() > frame_bytes_max)
    return fail(frame_errc::oversize, "a frame of {} bytes; at most {} are allowed", raw.size(),
                frame_bytes_max);
  if (raw[0] >= frame_kind_count)
    return fail(frame_errc::unknown_kind, "a frame of the unknown kind {}", raw[0]);
  auto out = read_kind(raw[0], raw.subspan(1), std::make_index_sequence<frame_kind_count>{});
  if (out) return out;
  if (out.error().category == error_category(frame_errc::malformed))
    return fail_with(std::move(out).error(), names[raw[0]]);
  return fail(frame_errc::malformed, "{}: {}", names[raw[0]], out.error().message);
}

result<> check_endpoint(std::string_view text) {
  if (auto parsed = endpoint::parse(text); !parsed)
    return fail(frame_errc::bad_endpoint, "{}", parsed.error().message);
  return {};
}

hash32 hello_digest(const hello& of, const hash32& own_certificate, const hash32& peer_certificate) {
  rlp_writer out(512);
  out.begin_list().string(as_bytes(hello_domain));
  write_unsigned(out, of);
  out.string(own_certificate.view()).string(peer_certificate.view()).end_list();
  return keccak256(out.take());
}

} // namespace swarm::p2p
