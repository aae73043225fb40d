#include "base/hash.hpp"
#include "ledger/chain/chain_parts.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_group.h>

namespace swarm::ledger {

namespace {

/// The number of blocks that other cores check while the blocks before them are executed.
constexpr std::size_t slice_blocks = 32;

/// The validators that have to seal, and a version that changes with them.
struct validator_set {
  std::vector<address> members;
  std::uint64_t version = 0;
};

/// One block of the range, and what is known of it before it is executed.
struct range_item {
  std::optional<block> content; ///< none: it cannot be decoded
  seal_record seals;
  hash32 hash;
  std::optional<error> wrong;
  std::uint64_t judged_by = 0; ///< version of the validators
};

/// Checks that the header names these transactions.
result<> check_body(const block& item) {
  const auto root = root_of_txns(item.txns);
  if (root == item.header.txns_root) return {};
  return fail(chain_errc::txns_root, "block {}: its transactions root is {}, the transactions have {}",
              item.header.block_num, to_hex(item.header.txns_root.view()), to_hex(root.view()));
}

} // namespace

/// Imports one range, block after block. What can be checked in a block alone is checked on the other
/// cores meanwhile.
class chain::range_import {
public:
  range_import(parts& on, std::span<const sealed_block_view> range)
      : on_(on), range_(range), items_(range.size()) {}

  /// Moves `parts::head` from block to block, as far as they are on disk in the end.
  void run(range_outcome& out) {
    const auto start = on_.head;
    const auto start_seals = on_.head_seals;
    if (auto done = import_all(out.blocks); !done) out.refused = std::move(done).error();
    if (auto written = on_.store->write_collected(); written)
      durable_ = out.blocks.size();
    else
      out.refused = std::move(written).error();
    out.blocks.resize(durable_);
    on_.head = out.blocks.empty() ? start : out.blocks.back();
    on_.head_seals = out.blocks.empty() ? start_seals : taken_[durable_ - 1];
  }

private:
  result<> import_all(std::vector<block_ptr>& out) {
    SWARM_TRY(auto root, validators_root());
    SWARM_TRY(auto validators, validators_now(1));
    prepare(0, validators);
    for (std::size_t at = 0; at < items_.size(); ++at) {
      if (at % slice_blocks == 0) {
        ahead_.wait();
        ahead_.run([this, next = at + slice_blocks, validators] { prepare(next, validators); });
      }
      SWARM_CHECK(import_one(at, validators, out));
      SWARM_TRY(const auto root_now, validators_root());
      if (root_now == root) continue;
      root = root_now;
      SWARM_TRY(validators, validators_now(validators.version + 1));
    }
    return {};
  }

  void prepare(std::size_t first, const validator_set& validators) {
    const auto end = std::min(first + slice_blocks, items_.size());
    if (first >= end) return;
    oneapi::tbb::parallel_for(first, end, [&](std::size_t i) {
      auto read = decode(i);
      if (read)
        judge(items_[i], validators);
      else
        items_[i].wrong = std::move(read).error();
    });
  }

  result<> decode(std::size_t at) {
    auto& item = items_[at];
    SWARM_TRY(auto content, decode_block(range_[at].block, on_.genesis.chain_id));
    SWARM_TRY(item.seals, decode_seals(range_[at].seals));
    item.hash = block_hash(content.header);
    item.content = std::move(content);
    return {};
  }

  void judge(range_item& item, const validator_set& validators) const {
    item.judged_by = validators.version;
    item.wrong.reset();
    if (auto good = check(item, validators.members); !good) item.wrong = std::move(good).error();
  }

  /// Checks that a quorum sealed exactly this block. Only then are the senders of its transactions recovered.
  result<> check(range_item& item, const std::vector<address>& validators) const {
    const auto digest =
        seal_digest(on_.genesis.chain_id, on_.source->genesis_hash, item.hash, item.seals.round_num);
    SWARM_CHECK(check_seals(item.seals, digest, validators, seal_quorum(validators.size())));
    SWARM_CHECK(check_body(*item.content));
    for (auto& txn : item.content->txns)
      SWARM_CHECK(txn.recover_sender());
    return {};
  }

  result<> import_one(std::size_t at, const validator_set& validators, std::vector<block_ptr>& out) {
    auto& item = items_[at];
    if (item.content && item.judged_by != validators.version) judge(item, validators);
    if (item.wrong) return tl::unexpected(std::move(*item.wrong));
    SWARM_TRY(const auto made, on_.execute(*item.content, item.hash, body_state::checked));
    SWARM_CHECK(on_.blocks.collect(made->block, made->changes->state, item.seals, range_[at].records));
    on_.head = made->block;
    on_.head_seals = item.seals;
    taken_.push_back(std::move(item.seals));
    item = {};
    out.push_back(made->block);
    if (!on_.store->has_collected()) durable_ = out.size();
    return {};
  }

  /// Differs when the validators do.
  result<hash32> validators_root() {
    SWARM_TRY(const auto found,
              state_view(on_.state, on_.head->header.state_root).account_of(validators_account()));
    return found ? found->storage_root : hash32{};
  }

  result<validator_set> validators_now(std::uint64_t version) {
    SWARM_TRY(auto members, read_validators(state_view(on_.state, on_.head->header.state_root)));
    return validator_set{std::move(members), version};
  }

  parts& on_;
  std::span<const sealed_block_view> range_;
  std::vector<range_item> items_;
  std::vector<seal_record> taken_; ///< of the blocks imported
  std::size_t durable_ = 0;        ///< of the blocks imported

  /// It is declared last, so that it waits for running tasks before the other members are destroyed.
  struct waiting_group {
    oneapi::tbb::task_group tasks;
    ~waiting_group() { tasks.wait(); }
    void wait() { tasks.wait(); }
    template <class Work>
    void run(Work work) {
      tasks.run(std::move(work));
    }
  };
  waiting_group ahead_;
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
        fail(chain_errc::unknown_parent, "block {} does not follow the head, block {}", first, next - 1)
            .value();
    return out;
  }
  const auto known = std::min<std::uint64_t>(next - first, range.size());
  range_outcome taken;
  range_import(on, range.subspan(known)).run(taken);
  out.refused = std::move(taken.refused);
  if (!taken.blocks.empty()) {
    on.candidates.clear();
    on.show();
  }
  for (const auto& block : taken.blocks)
    on.advance_pool(*block);
  out.blocks.insert(out.blocks.end(), taken.blocks.begin(), taken.blocks.end());
  return out;
}

} // namespace swarm::ledger
