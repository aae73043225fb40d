#include "base/assert.hpp"
#include "ledger/store/block_store.hpp"

namespace swarm::ledger {

result<> block_store::write_state(const state_batch& state) {
  // No state is known to have these nodes, so they go with the next states that are given up, unless the
  // snapshot is taken before that.
  state_batch missing{state.root, {}, state.codes};
  for (const auto& node : state.nodes) {
    const auto here = trie_node(node.first);
    if (here) continue;
    if (!here.error().is(errc::not_found)) return tl::unexpected(here.error());
    missing.nodes.push_back(node);
  }
  kv_batch batch;
  put_state(batch, missing, states_from_);
  return tables_->write(batch);
}

result<> block_store::write_past(std::span<const block_record> blocks, std::span<const meta_note> notes) {
  SWARM_ASSERT(!has_collected());
  kv_batch batch;
  for (const auto& block : blocks)
    put_content(batch, block);
  put_notes(batch, notes);
  return tables_->write(batch);
}

namespace {

constexpr std::string_view note_prefix = "note.";

bytes note_key(std::string_view name) {
  bytes out = to_bytes(as_bytes(note_prefix));
  append(out, as_bytes(name));
  return out;
}

} // namespace

void block_store::put_notes(kv_batch& batch, std::span<const meta_note> notes) {
  for (const auto& note : notes) {
    if (note.value.empty())
      batch.erase(column::meta, note_key(note.name));
    else
      batch.put(column::meta, note_key(note.name), note.value);
  }
}

void block_store::put_state(kv_batch& batch, const state_batch& state, std::uint64_t stamp) {
  for (const auto& [hash, rlp] : state.nodes)
    put_node(batch, hash.view(), rlp, stamp);
  for (const auto& [hash, code] : state.codes)
    batch.put(column::code, hash.view(), code);
}

result<std::optional<bytes>> block_store::note(std::string_view name) const {
  return tables_->get(column::meta, note_key(name));
}

result<std::vector<std::string>> block_store::notes_after(std::string_view prefix, std::string_view after,
                                                          std::size_t max) const {
  std::vector<std::string> out;
  const auto wanted = note_key(prefix);
  auto at = tables_->walk(column::meta);
  for (bool more = at.seek(note_key(std::max(prefix, after))); more && out.size() < max; more = at.next()) {
    const auto key = at.key();
    if (key.size() < wanted.size() || !std::equal(wanted.begin(), wanted.end(), key.begin())) break;
    auto name = std::string(as_text(key.subspan(note_prefix.size())));
    if (name > after) out.push_back(std::move(name));
  }
  SWARM_CHECK(at.status());
  return out;
}

} // namespace swarm::ledger
