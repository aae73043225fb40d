#include "base/hash.hpp"
#include "ledger/chain/chain_parts.hpp"

#include <oneapi/tbb/parallel_for.h>

namespace swarm::ledger {

namespace {

/// One block of the range, and how far it has been looked at.
struct candidate_block {
  std::optional<block> content; ///< none: it cannot be decoded
  seal_record seals;
  hash32 hash;
  std::optional<error> wrong;
};

template <class Work>
void for_all(std::size_t from, std::size_t to, const Work& work) {
  oneapi::tbb::parallel_for(from, to, work);
}

void keep_error(candidate_block& item, result<void> outcome) {
  if (!outcome) item.wrong = std::move(outcome).error();
}

result<void> decode(candidate_block& item, const sealed_block_view& from, std::uint64_t chain_id) {
  SWARM_TRY(auto content, decode_block(from.block, chain_id));
  SWARM_TRY(item.seals, decode_seals(from.seals));
  item.hash = block_hash(content.header);
  item.content = std::move(content);
  return {};
}

/// The header names these transactions: so that only what a quorum sealed costs a signature each.
result<void> check_body(const block& item) {
  const auto root = root_of_txns(item.txns);
  if (root == item.header.txns_root) return {};
  return fail(chain_rule::txns_root, "block {}: its transactions root is {}, the transactions have {}",
              item.header.block_num, to_hex(item.header.txns_root.view()), to_hex(root.view()));
}

result<void> recover_senders(block& item) {
  for (auto& txn : item.txns)
    SWARM_CHECK(txn.recover_sender());
  return {};
}

} // namespace

/// Imports one range: what can be done for each block alone is done on all cores, for as many blocks as the
/// validators after the head can have sealed.
class chain::range_import {
public:
  range_import(parts& on, std::span<const sealed_block_view> range)
      : on_(on), range_(range), items_(range.size()) {
    for_all(0, items_.size(), [&](std::size_t i) {
      keep_error(items_[i], decode(items_[i], range_[i], on_.genesis.chain_id));
    });
  }

  /// Moves `parts::head` from block to block; nothing of it is synced. False: the error is a failed write.
  bool run(range_outcome& out) {
    for (std::size_t at = 0; at < items_.size() && !out.refused;) {
      auto done = import_prefix(at, out);
      if (!done) {
        out.refused = std::move(done).error();
        return !on_.store->needs_recovery();
      }
      at = *done;
    }
    return true;
  }

private:
  /// The end of the blocks from `at` on that are sealed by `validators` and stand on each other.
  std::size_t check_seals_from(std::size_t at, const std::vector<address>& validators) {
    auto end = at;
    auto parent = on_.head->hash;
    while (end < items_.size() && items_[end].content && items_[end].content->header.parent_hash == parent)
      parent = items_[end++].hash;
    for_all(at, end, [&](std::size_t i) { keep_error(items_[i], check_one(items_[i], validators)); });
    for (auto i = at; i < end; ++i)
      if (items_[i].wrong) return i;
    return end;
  }

  result<void> check_one(const candidate_block& item, const std::vector<address>& validators) const {
    const auto digest = seal_digest(on_.genesis.chain_id, on_.genesis_hash, item.hash, item.seals.round_num);
    SWARM_CHECK(check_seals(item.seals, digest, validators, seal_quorum(validators.size())));
    return check_body(*item.content);
  }

  /// Imports blocks from `at` on while the validators stay the same; the index of the first one left.
  result<std::size_t> import_prefix(std::size_t at, range_outcome& out) {
    SWARM_TRY(const auto before, validators_root());
    SWARM_TRY(const auto validators, read_validators(state_view(on_.state, on_.head->header.state_root)));
    for (auto& item : items_)
      if (item.content) item.wrong.reset(); // it was judged by other validators
    const auto end = check_seals_from(at, validators);
    for_all(at, end, [&](std::size_t i) { keep_error(items_[i], recover_senders(*items_[i].content)); });
    for (; at < end; ++at) {
      SWARM_CHECK(import_one(at, out));
      SWARM_TRY(const auto now, validators_root());
      if (now != before) return at + 1;
    }
    if (at == items_.size()) return at;
    if (items_[at].wrong) return tl::unexpected(*items_[at].wrong);
    return fail(chain_rule::unknown_parent, "block {} is not followed by the block sent after it",
                on_.head->header.block_num);
  }

  result<void> import_one(std::size_t at, range_outcome& out) {
    auto& item = items_[at];
    if (item.wrong) return tl::unexpected(*item.wrong);
    SWARM_TRY(const auto made, on_.execute(*item.content, item.hash));
    SWARM_CHECK(on_.blocks.write(made->block, made->changes->state, item.seals, range_[at].records, nullptr,
                                 durability::later));
    on_.head = made->block;
    out.blocks.push_back(made->block);
    return {};
  }

  /// Differs when the validators do.
  result<hash32> validators_root() {
    SWARM_TRY(const auto found,
              state_view(on_.state, on_.head->header.state_root).account_of(validators_account()));
    return found ? found->storage_root : hash32{};
  }

  parts& on_;
  std::span<const sealed_block_view> range_;
  std::vector<candidate_block> items_;
};

range_outcome chain::import_range(std::uint64_t first, std::span<const sealed_block_view> range) {
  auto& on = *parts_;
  range_outcome out;
  const auto from = on.head->header.block_num + 1;
  if (auto ready = on.recover_store(); !ready) {
    out.refused = std::move(ready).error();
    return out;
  }
  for (auto found = from; found <= on.head->header.block_num; ++found) { // written after all
    auto block = on.blocks.by_num(found);
    if (!block || !*block) break;
    out.blocks.push_back(std::move(*block));
  }
  const auto next = on.head->header.block_num + 1;
  if (first > next) {
    out.refused =
        fail(chain_rule::unknown_parent, "block {} does not follow the head, block {}", first, next - 1)
            .value();
    return out;
  }
  const auto start = on.head;
  const auto known = std::min<std::uint64_t>(next - first, range.size());
  range_outcome taken;
  const bool written = range_import(on, range.subspan(known)).run(taken);
  out.refused = std::move(taken.refused);
  if (taken.blocks.empty()) return out;
  if (auto synced = written ? on.store->sync() : result<void>{}; !synced || !written) {
    on.head = start;
    if (!synced) out.refused = std::move(synced).error();
    return out;
  }
  on.candidates.clear();
  for (const auto& block : taken.blocks)
    on.advance_pool(*block);
  out.blocks.insert(out.blocks.end(), taken.blocks.begin(), taken.blocks.end());
  return out;
}

} // namespace swarm::ledger
