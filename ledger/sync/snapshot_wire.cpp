#include "ledger/sync/snapshot_wire.hpp"

#include "ledger/formats/block.hpp"
#include "ledger/formats/receipt.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::sync {

using ledger::rlp_reader;
using ledger::rlp_writer;

namespace {

enum class question_kind : std::uint64_t { trust = 1, state = 2, history = 3 };
constexpr std::size_t seals_bytes_max = 32 * 1024;

void write_fields(rlp_writer& out, const trust_question& what) {
  out.number(static_cast<std::uint64_t>(question_kind::trust)).number(what.after);
}
void write_hashes(rlp_writer& out, const std::vector<hash32>& hashes) {
  out.begin_list();
  for (const auto& hash : hashes)
    out.string(hash.view());
  out.end_list();
}
void write_fields(rlp_writer& out, const state_question& what) {
  out.number(static_cast<std::uint64_t>(question_kind::state));
  write_hashes(out, what.nodes);
  write_hashes(out, what.codes);
}
void write_fields(rlp_writer& out, const history_question& what) {
  out.number(static_cast<std::uint64_t>(question_kind::history)).number(what.last).number(what.count);
}

template <class... Args>
tl::unexpected<error> over_limit(fmt::format_string<Args...> text, Args&&... args) {
  return fail(errc::limit, text, std::forward<Args>(args)...);
}

result<std::vector<hash32>> read_hashes(rlp_reader& from, std::string_view what) {
  SWARM_TRY(auto list, from.list(what));
  std::vector<hash32> out;
  while (!list.at_end()) {
    if (out.size() >= nodes_asked_max) return over_limit("more than {} {}", nodes_asked_max, what);
    SWARM_TRY(out.emplace_back(), list.fixed<32>("hash"));
  }
  return out;
}

result<question> read_state_question(rlp_reader& from) {
  state_question out;
  SWARM_TRY(out.nodes, read_hashes(from, "nodes"));
  SWARM_TRY(out.codes, read_hashes(from, "codes"));
  SWARM_CHECK(from.finish());
  const auto count = out.nodes.size() + out.codes.size();
  if (count == 0 || count > nodes_asked_max)
    return over_limit("a question about {} nodes, 1 to {} are allowed", count, nodes_asked_max);
  return question(std::move(out));
}

result<question> read_history_question(rlp_reader& from) {
  history_question out;
  SWARM_TRY(out.last, from.number("last block"));
  SWARM_TRY(out.count, from.number("count"));
  SWARM_CHECK(from.finish());
  if (out.count == 0 || out.count > history_blocks_max)
    return over_limit("a question about {} blocks, 1 to {} are allowed", out.count, history_blocks_max);
  return question(out);
}

result<past_block> read_past_block(rlp_reader& from) {
  SWARM_TRY(auto item, from.list("block"));
  SWARM_TRY(const auto block, item.string("block", ledger::block_size_max));
  SWARM_TRY(const auto seals, item.string("seals", seals_bytes_max));
  SWARM_TRY(const auto receipts, item.string("receipts", ledger::receipts_size_max));
  SWARM_CHECK(item.finish());
  return past_block{to_bytes(block), to_bytes(seals), to_bytes(receipts)};
}

} // namespace

bytes encode(const question& what) {
  rlp_writer out(64);
  out.begin_list();
  std::visit([&](const auto& each) { write_fields(out, each); }, what);
  return out.end_list().take();
}

bytes encode(const trust_answer& what) {
  rlp_writer out(4096);
  out.begin_list().begin_list();
  for (const auto& each : what.changes)
    out.string(ledger::encode_handover(each));
  out.end_list().begin_list();
  if (what.pivot) out.string(ledger::encode_handover(*what.pivot));
  return out.end_list().end_list().take();
}

bytes encode(const state_answer& what) {
  rlp_writer out(4096);
  out.begin_list();
  for (const auto& each : what.items)
    out.string(each);
  return out.end_list().take();
}

bytes encode(const history_answer& what) {
  rlp_writer out(4096);
  out.begin_list();
  for (const auto& each : what.blocks)
    out.begin_list().string(each.block).string(each.seals).string(each.receipts).end_list();
  return out.end_list().take();
}

result<question> decode_question(bytes_view raw) {
  SWARM_TRY(auto from, rlp_reader::open(raw, "question", question_bytes_max));
  SWARM_TRY(const auto kind, from.number("kind"));
  switch (static_cast<question_kind>(kind)) {
  case question_kind::trust: {
    trust_question out;
    SWARM_TRY(out.after, from.number("after"));
    SWARM_CHECK(from.finish());
    return question(out);
  }
  case question_kind::state:
    return read_state_question(from);
  case question_kind::history:
    return read_history_question(from);
  }
  return fail(errc::invalid, "a question of the unknown kind {}", kind);
}

result<trust_answer> decode_trust_answer(bytes_view raw) {
  SWARM_TRY(auto from, rlp_reader::open(raw, "proof of validators", part_bytes_max));
  SWARM_TRY(auto changes, from.list("changes"));
  SWARM_TRY(auto pivot, from.list("pivot"));
  SWARM_CHECK(from.finish());
  trust_answer out;
  while (!changes.at_end()) {
    if (out.changes.size() >= changes_max) return over_limit("more than {} changes", changes_max);
    SWARM_TRY(const auto one, changes.string("change", part_bytes_max));
    SWARM_TRY(auto item, ledger::decode_handover(one));
    out.changes.push_back(std::move(item));
  }
  if (!pivot.at_end()) {
    SWARM_TRY(const auto one, pivot.string("pivot", part_bytes_max));
    SWARM_TRY(out.pivot, ledger::decode_handover(one));
    SWARM_CHECK(pivot.finish());
  }
  return out;
}

result<state_answer> decode_state_answer(bytes_view raw) {
  SWARM_TRY(auto from, rlp_reader::open(raw, "state", part_bytes_max));
  state_answer out;
  while (!from.at_end()) {
    if (out.items.size() >= nodes_asked_max) return over_limit("more than {} nodes", nodes_asked_max);
    SWARM_TRY(const auto one, from.string("node", state_item_bytes_max));
    out.items.push_back(to_bytes(one));
  }
  return out;
}

result<history_answer> decode_history_answer(bytes_view raw) {
  SWARM_TRY(auto from, rlp_reader::open(raw, "history", part_bytes_max));
  history_answer out;
  while (!from.at_end()) {
    if (out.blocks.size() >= history_blocks_max) return over_limit("more than {} blocks", history_blocks_max);
    SWARM_TRY(auto one, read_past_block(from));
    out.blocks.push_back(std::move(one));
  }
  return out;
}

} // namespace swarm::sync
