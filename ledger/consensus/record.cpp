#include "ledger/consensus/record.hpp"

namespace swarm::consensus {

using ledger::rlp_reader;
using ledger::rlp_writer;

namespace {

constexpr std::uint64_t record_version = 1;

result<rlp_reader> open_record(bytes_view raw, std::string_view what) {
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, what));
  SWARM_TRY(const std::uint64_t version, from.number("version"));
  if (version != record_version)
    return fail(consensus_errc::damaged_record, "{}: version {}, this program reads version {}", what,
                version, record_version);
  return from;
}

/// The value of a message entry if it belongs to block `block_num`, else nothing.
result<bytes> message_at(bytes_view raw, std::uint64_t block_num) {
  SWARM_TRY(const message_head head, read_head(raw));
  return head.block_num == block_num ? to_bytes(raw) : bytes{};
}

} // namespace

bytes encode_place(const place_record& item) {
  rlp_writer out(80);
  out.begin_list().number(record_version).string(item.account.view()).string(item.genesis_hash.view());
  return out.number(item.block_num).number(item.round_num).end_list().take();
}

result<place_record> decode_place(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_record(raw, "place"));
  place_record out;
  SWARM_TRY(out.account, from.fixed<20>("account"));
  SWARM_TRY(out.genesis_hash, from.fixed<32>("genesis hash"));
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.round_num, from.number("round"));
  SWARM_CHECK(from.finish());
  return out;
}

bytes encode_certificate(std::uint64_t block_num, const certificate& item) {
  rlp_writer out(item.block.raw->size() + 64 + item.prepares.size() * 160);
  out.begin_list().number(record_version).number(block_num).number(item.round_num).string(*item.block.raw);
  put_prepares_into(out, item.prepares);
  return out.end_list().take();
}

result<stored_certificate> decode_certificate(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_record(raw, "certificate"));
  stored_certificate out;
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.proof.round_num, from.number("round"));
  SWARM_TRY(const bytes_view block, from.string("block", ledger::block_size_max));
  SWARM_TRY(out.proof.prepares, take_prepares_from(from));
  SWARM_CHECK(from.finish());
  SWARM_TRY(out.proof.block, read_block(std::make_shared<const bytes>(to_bytes(block))));
  return out;
}

std::vector<record_entry> initial_records(const address& account, const hash32& genesis_hash) {
  return {{record_key::place, encode_place({account, genesis_hash, 1, 0})}};
}

result<std::optional<saved_height>> load_records(std::span<const record_entry> entries,
                                                 const address& account, const hash32& genesis_hash) {
  const auto value_of = [&](std::string_view key) -> bytes_view {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.key == key; });
    return found == entries.end() ? bytes_view{} : bytes_view(found->value);
  };
  if (value_of(record_key::place).empty()) return std::optional<saved_height>{};
  saved_height out;
  SWARM_TRY(out.place, decode_place(value_of(record_key::place)));
  if (out.place.account != account || out.place.genesis_hash != genesis_hash)
    return std::optional<saved_height>{};
  const std::pair<std::string_view, bytes*> messages[] = {{record_key::proposal, &out.proposal},
                                                          {record_key::prepare, &out.prepare},
                                                          {record_key::commit, &out.commit},
                                                          {record_key::round_change, &out.round_change}};
  for (const auto& [key, to] : messages) {
    if (const auto raw = value_of(key); !raw.empty()) {
      SWARM_TRY(*to, message_at(raw, out.place.block_num));
    }
  }
  if (const auto raw = value_of(record_key::certificate); !raw.empty()) {
    SWARM_TRY(auto stored, decode_certificate(raw));
    if (stored.block_num == out.place.block_num) out.prepared = std::move(stored.proof);
  }
  if (const auto raw = value_of(record_key::reentry); !raw.empty()) {
    SWARM_TRY(auto word, decode_reentry(raw));
    if (word.block_num == out.place.block_num && word.account == account) out.reentry = word;
  }
  return std::optional{std::move(out)};
}

std::vector<record_entry> records_with_pivot(std::span<const record_entry> stored, const address& account,
                                             const hash32& genesis_hash, std::uint64_t head_num,
                                             std::uint64_t pivot_num) {
  const auto saved = load_records(stored, account, genesis_hash);
  if (!saved || !*saved) return {};
  const auto& place = (*saved)->place;
  const bool whole = place.round_num == 0 || !(*saved)->round_change.empty();
  if (!whole || place.block_num <= head_num || place.block_num > pivot_num) return {};
  return {{record_key::place, encode_place({account, genesis_hash, pivot_num + 1, 0})}};
}

} // namespace swarm::consensus
