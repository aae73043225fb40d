#include "ledger/state/state_overlay.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace swarm::ledger {

state_overlay::state_overlay(state_store& store, const hash32& root)
    : store_(store), accounts_(&store.nodes(), root) {}

result<state_overlay::entry*> state_overlay::entry_of(const address& who) {
  if (auto found = entries_.find(who); found != entries_.end()) return &found->second;
  SWARM_TRY(auto raw, accounts_.get(keccak256(who.view()).view()));
  account stored;
  if (raw) {
    auto decoded = decode_account(*raw);
    if (!decoded)
      return fail(errc::corrupt, "state: account {} is damaged: {}", to_hex(who.view()),
                  decoded.error().message);
    stored = *decoded;
  }
  entry fresh(trie_reader(store_.nodes(), stored.storage_root));
  fresh.before = stored;
  fresh.nonce = stored.nonce;
  fresh.code_hash = stored.code_hash;
  return &entries_.emplace(who, std::move(fresh)).first->second;
}

result<state_overlay::slot*> state_overlay::slot_of(const address& who, const hash32& key) {
  SWARM_TRY(auto item, entry_of(who));
  if (auto found = item->slots.find(key); found != item->slots.end()) return &found->second;
  SWARM_TRY(auto value, read_slot(item->stored, key));
  return &item->slots.emplace(key, slot{value, value}).first->second;
}

result<std::uint64_t> state_overlay::nonce_of(const address& who) {
  SWARM_TRY(auto item, entry_of(who));
  return item->nonce;
}

result<> state_overlay::set_nonce(const address& who, std::uint64_t nonce) {
  SWARM_TRY(auto item, entry_of(who));
  journal_.emplace_back(undo_nonce{who, item->nonce});
  item->nonce = nonce;
  return {};
}

result<bytes> state_overlay::code_of(const address& who) {
  SWARM_TRY(auto item, entry_of(who));
  if (auto found = new_codes_.find(item->code_hash); found != new_codes_.end()) return found->second;
  return store_.code(item->code_hash);
}

result<> state_overlay::set_code(const address& who, bytes code) {
  SWARM_TRY(auto item, entry_of(who));
  journal_.emplace_back(undo_code{who, item->code_hash});
  item->code_hash = keccak256(code);
  new_codes_.emplace(item->code_hash, std::move(code));
  return {};
}

result<hash32> state_overlay::load(const address& who, const hash32& key) {
  SWARM_TRY(auto at, slot_of(who, key));
  return at->now;
}

result<> state_overlay::store(const address& who, const hash32& key, const hash32& value) {
  SWARM_TRY(auto at, slot_of(who, key));
  if (at->now == value) return {};
  journal_.emplace_back(undo_slot{who, key, at->now});
  at->now = value;
  return {};
}

void state_overlay::revert(snapshot to) {
  SWARM_ASSERT(to <= journal_.size());
  for (; journal_.size() > to; journal_.pop_back()) {
    // Every change went through its entry, so the entry exists.
    auto& last = journal_.back();
    if (const auto* nonce = std::get_if<undo_nonce>(&last))
      entries_.at(nonce->who).nonce = nonce->nonce;
    else if (const auto* code = std::get_if<undo_code>(&last))
      entries_.at(code->who).code_hash = code->code_hash;
    else if (const auto* old = std::get_if<undo_slot>(&last))
      entries_.at(old->who).slots.at(old->key).now = old->value;
  }
}

result<> state_overlay::commit_account(const address& who, entry& item, state_batch& batch) {
  trie storage(&store_.nodes(), item.before.storage_root);
  for (const auto& [key, value] : item.slots) {
    if (value.now == value.before) continue;
    auto path = keccak256(key.view());
    u256 word(value.now);
    SWARM_CHECK(storage.put(path.view(), word.is_zero() ? bytes{} : rlp_string(word.minimal())));
  }
  auto now = item.before;
  now.nonce = item.nonce;
  now.code_hash = item.code_hash;
  now.storage_root = storage.commit(batch.nodes);
  if (now == item.before) return {};
  if (now.code_hash != item.before.code_hash)
    if (auto code = new_codes_.find(now.code_hash); code != new_codes_.end())
      batch.codes.emplace_back(code->first, code->second);
  return accounts_.put(keccak256(who.view()).view(), now.is_empty() ? bytes{} : encode_account(now));
}

result<state_batch> state_overlay::commit() {
  state_batch batch;
  for (auto& [who, item] : entries_)
    SWARM_CHECK(commit_account(who, item, batch));
  batch.root = accounts_.commit(batch.nodes);
  return batch;
}

} // namespace swarm::ledger
