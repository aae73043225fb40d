#include "ledger/chain/block_archive.hpp"
#include "ledger/chain/block_executor.hpp"
#include "ledger/chain/store_check_parts.hpp"

namespace swarm::ledger {

namespace {

constexpr std::array derived{column::receipts,  column::outputs,    column::block_nums, column::txn_index,
                             column::log_index, column::trie_nodes, column::code};

tl::unexpected<error> beyond_repair(const store_check_options& options, std::string_view what) {
  return fail(store_errc::damaged, "{}: {}; it does not follow from anything else here: {}",
              options.dir.string(), what, fetch_again);
}

/// Checks that everything is there from which the rest follows. Nothing is changed before that.
result<> check_sources(const opened_store& store, const store_check_options& options) {
  std::optional<block_source> parent;
  std::vector<store_finding> wrong;
  for (std::uint64_t num = 0; num <= store.head.block_num; ++num) {
    SWARM_TRY(auto block, read_source(store, num, parent ? &*parent : nullptr, wrong));
    if (!block) return beyond_repair(options, to_string(wrong.front()));
    parent = std::move(block);
  }
  return {};
}

class rebuilder {
public:
  rebuilder(opened_store& store, const store_check_options& options)
      : store_(store), options_(options), contracts_(options.contracts),
        state_([this](const hash32& hash) { return store_.blocks->newest_node(hash); },
               [this](const hash32& hash) { return store_.blocks->newest_code(hash); }, 8 * 1024 * 1024),
        archive_(*store.blocks, store.params.chain_id, 1024 * 1024) {}

  result<> run() {
    SWARM_TRY(auto first, make_genesis(state_, store_.params, options_.contracts));
    auto genesis = std::make_shared<executed_block>();
    genesis->header = first.header;
    complete(*genesis);
    SWARM_CHECK(archive_.collect(genesis, first.state, {}, {}));
    block_ptr parent = std::move(genesis);
    SWARM_TRY(auto source, source_of(0, nullptr));
    for (std::uint64_t num = 1; num <= store_.head.block_num; ++num) {
      if (num % progress_blocks == 0 && options_.progress)
        options_.progress(fmt::format("executing block {} of {}", num, store_.head.block_num));
      SWARM_TRY(auto next, source_of(num, &source));
      SWARM_TRY(parent, execute(next, parent));
      source = std::move(next);
    }
    return store_.blocks->write_collected();
  }

private:
  result<block_source> source_of(std::uint64_t num, const block_source* parent) {
    std::vector<store_finding> wrong;
    SWARM_TRY(auto block, read_source(store_, num, parent, wrong));
    if (!block) return beyond_repair(options_, to_string(wrong.front()));
    return std::move(*block);
  }

  result<block_ptr> execute(block_source& source, const block_ptr& parent) {
    const auto num = source.header.block_num;
    SWARM_TRY(const auto validators, read_validators(state_view(state_, parent->header.state_root)));
    if (auto sealed = check_source_seals(store_, source, validators); !sealed)
      return beyond_repair(options_, to_string({column::seals, num, sealed.error().message, false}));
    SWARM_TRY(auto context, context_on(*parent, state_view(state_, parent->header.state_root), store_.params,
                                       store_.genesis_hash, source.header.coinbase, source.header.timestamp,
                                       made_in_round(source.header)));
    SWARM_CHECK(check_rules_known(context, rules_newest));
    block_executor executor(state_, contracts_, std::move(context), *parent);
    SWARM_CHECK(executor.open(std::move(source.parent_seals)));
    for (auto& txn : source.txns) {
      SWARM_CHECK(txn.recover_sender());
      SWARM_CHECK(executor.add(std::move(txn)));
    }
    SWARM_TRY(const auto made, executor.finish(&source.header.txns_root));
    if (made->block->hash != source.hash)
      return beyond_repair(options_, fmt::format("column headers, block {}: executing it gives another block "
                                                 "(another version of swarmd may have made it)",
                                                 num));
    SWARM_CHECK(archive_.collect(made->block, made->changes->state, source.seals, {}));
    return made->block;
  }

  opened_store& store_;
  const store_check_options& options_;
  contract_table contracts_;
  state_store state_;
  block_archive archive_;
};

} // namespace

result<store_report> repair_store(const store_check_options& options) {
  SWARM_TRY(auto store, open_for_check(options));
  if (!store.gaps.states.empty())
    return beyond_repair(options,
                         fmt::format("it was taken from a snapshot at block {}, so not all blocks can "
                                     "be executed",
                                     store.gaps.states.back().last + 1));
  SWARM_CHECK(check_sources(store, options));
  SWARM_CHECK(store.blocks->set_under_repair(true));
  for (const auto where : derived)
    SWARM_CHECK(store.blocks->tables().clear(where));
  SWARM_CHECK(store.blocks->forget_pruning()); // all states are made anew, and given up again later
  SWARM_CHECK(rebuilder(store, options).run());
  SWARM_CHECK(store.blocks->set_under_repair(false));
  SWARM_TRY(const auto head, store.blocks->head());
  store.head = *head;
  store.head_known = true;
  return check_opened(store, options);
}

} // namespace swarm::ledger
