#include "ledger/chain/store_check.hpp"

#include "base/hash.hpp"
#include "ledger/chain/block_executor.hpp"
#include "ledger/chain/chain_rules.hpp"
#include "ledger/chain/store_check_parts.hpp"
#include "ledger/formats/bloom.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/proof/trust_chain.hpp"

namespace swarm::ledger {

namespace {

constexpr std::uint64_t recent_blocks = 16;
constexpr std::uint64_t progress_nodes = 200'000;

/// The highest header in the store; none in a store without blocks.
result<std::optional<stored_head>> last_header(kv_store& tables) {
  std::optional<stored_head> out;
  auto walk = tables.walk(column::headers);
  for (bool more = walk.seek({}); more; more = walk.next())
    if (walk.key().size() == 8) out = {get_be64(walk.key().data()), keccak256(walk.value())};
  SWARM_CHECK(walk.status());
  return out;
}

result<std::vector<receipt>> check_receipts(const block_source& block, bytes_view raw) {
  SWARM_TRY(auto receipts, decode_receipts(raw));
  if (receipts.size() != block.txns.size())
    return fail(errc::corrupt, "{} receipts for {} transactions", receipts.size(), block.txns.size());
  std::vector<bytes> encoded;
  bloom all;
  for (const auto& one : receipts) {
    encoded.push_back(encode_receipt(one));
    all.add(bloom_of(one.logs));
  }
  if (ordered_trie_root(encoded) != block.header.receipts_root)
    return fail(errc::corrupt, "their root is not that of the header");
  if (all != block.header.logs_bloom) return fail(errc::corrupt, "their bloom is not that of the header");
  const auto gas = receipts.empty() ? 0 : receipts.back().cumulative_gas_used;
  if (gas != block.header.gas_used) return fail(errc::corrupt, "their gas is not that of the header");
  return receipts;
}

result<> check_outputs(const std::vector<receipt>& receipts, bytes_view raw) {
  SWARM_TRY(auto list, rlp_reader::open(raw, "outputs"));
  for (const auto& one : receipts) {
    SWARM_TRY(const auto output, list.string("output"));
    if (one.ok && !output.empty()) return fail(errc::corrupt, "revert data of a transaction that succeeded");
  }
  return list.finish();
}

class checker {
public:
  checker(opened_store& store, const store_check_options& options)
      : store_(store), options_(options), tables_(store.blocks->tables()),
        state_([this](const hash32& hash) { return store_.blocks->trie_node(hash); },
               [this](const hash32& hash) { return store_.blocks->code(hash); }, 4 * 1024 * 1024) {}

  result<store_report> run() {
    say("files");
    SWARM_CHECK(tables_.check_files());
    report_.head_num = store_.head.block_num;
    if (!store_.head_known) found(column::meta, 0, true, "the head is missing");
    SWARM_CHECK(check_blocks());
    SWARM_CHECK(check_foreign());
    SWARM_CHECK(check_nodes());
    SWARM_CHECK(check_codes());
    return std::move(report_);
  }

private:
  void say(const std::string& text) const {
    if (options_.progress) options_.progress(text);
  }
  void found(column where, std::uint64_t block_num, bool repairable, std::string text) {
    repairable = repairable && store_.gaps.states.empty(); // repairing is executing from the beginning
    if (report_.findings_count++ < store_findings_max)
      report_.findings.push_back({where, block_num, std::move(text), repairable});
    if (!repairable && report_.repairable()) report_.findings.back().repairable = false;
  }

  result<> check_blocks() {
    std::optional<block_source> parent;
    for (std::uint64_t num = 0; num <= store_.head.block_num; ++num) {
      if (num % progress_blocks == 0) say(fmt::format("block {} of {}", num, store_.head.block_num));
      if (store_.gaps.lacks_block(num)) {
        parent.reset();
        SWARM_CHECK(pass_over(num));
        continue;
      }
      std::vector<store_finding> wrong;
      SWARM_TRY(auto block, read_source(store_, num, parent ? &*parent : nullptr, wrong));
      for (auto& one : wrong)
        found(one.where, one.block_num, one.repairable, std::move(one.text));
      if (!block) return {}; // what stands on it cannot be judged
      SWARM_CHECK(check_seals_of(*block));
      SWARM_CHECK(check_derived(*block));
      parent = std::move(block);
    }
    if (parent && parent->hash != store_.head.hash)
      found(column::meta, store_.head.block_num, true, "the head's hash is not that of its header");
    return {};
  }

  /// Passes over a block without a state. If it changed the validators, the change was kept.
  result<> pass_over(std::uint64_t num) {
    SWARM_TRY(const auto note, store_.blocks->note(handover_note(num)));
    if (!note) return {};
    const auto change = decode_handover(*note);
    const auto header = change ? decode_header(change->block.header) : fail(errc::corrupt, "unreadable");
    auto next = header ? check_validators(header->state_root, change->proof)
                       : result<std::vector<address>>(fail(errc::corrupt, "unreadable"));
    if (next)
      validators_ = std::move(*next);
    else
      found(column::meta, num, false, "the kept change of validators: " + next.error().message);
    return {};
  }

  /// Checks the seals of a block and keeps track of who seals the next one.
  result<> check_seals_of(const block_source& block) {
    const auto num = block.header.block_num;
    const bool skipped = store_.lacks_state(num);
    if (num > 0 && !validators_.empty())
      if (auto sealed = check_source_seals(store_, block, validators_); !sealed)
        found(column::seals, num, false, sealed.error().message);
    if (skipped) return pass_over(num);
    auto next = read_validators(state_view(state_, block.header.state_root));
    if (next) {
      validators_ = std::move(*next);
      return {};
    }
    validators_.clear(); // its state is reported where it is damaged
    if (!next.error().is(errc::corrupt)) return tl::unexpected(next.error());
    found(column::trie_nodes, num, true, next.error().message);
    return {};
  }

  result<> check_derived(const block_source& block) {
    const auto num = block.header.block_num;
    report_.txns += block.txns.size();
    SWARM_TRY(const auto number, tables_.get(column::block_nums, block.hash.view()));
    if (!number || get_number(*number) != num)
      found(column::block_nums, num, true, number ? "its hash leads elsewhere" : "its hash is missing");
    SWARM_TRY(const bool root, has_node(block.header.state_root));
    if (!root && !store_.lacks_state(num)) found(column::trie_nodes, num, true, "its state root is missing");
    for (std::size_t i = 0; i < block.txns.size(); ++i) {
      const auto place = store_.blocks->place_of(block.txns[i].hash());
      if (!place || !*place || (*place)->block_num != num || (*place)->index != i)
        found(column::txn_index, num, true, fmt::format("transaction {} is missing or elsewhere", i));
    }
    return check_receipts_of(block);
  }

  result<> check_receipts_of(const block_source& block) {
    const auto num = block.header.block_num;
    SWARM_TRY(const auto raw, store_.blocks->receipts(num));
    SWARM_TRY(const auto outputs, store_.blocks->outputs(num));
    if (!outputs) found(column::outputs, num, true, "missing");
    if (!raw) {
      found(column::receipts, num, true, "missing");
      return {};
    }
    const auto receipts = check_receipts(block, *raw);
    if (!receipts) {
      found(column::receipts, num, true, receipts.error().message);
      return {};
    }
    if (outputs)
      if (auto good = check_outputs(*receipts, *outputs); !good)
        found(column::outputs, num, true, good.error().message);
    std::vector<log_key> logs;
    for (const auto& one : *receipts)
      for (const auto& log : one.logs)
        append_log_keys(logs, log);
    for (const auto& key : block_store::log_index_keys(logs, num)) {
      SWARM_TRY(const auto entry, tables_.get(column::log_index, key));
      if (!entry) found(column::log_index, num, true, to_hex(key) + " is missing");
      ++log_entries_;
    }
    return {};
  }

  static std::uint64_t get_number(bytes_view raw) {
    return raw.size() == 8 ? get_be64(raw.data()) : ~std::uint64_t{0};
  }

  /// Calls `is_own` for each key of a column; those that are not are reported.
  result<std::uint64_t> walk(column where, bool repairable,
                             const std::function<bool(bytes_view, bytes_view)>& is_own) {
    std::uint64_t count = 0;
    auto at = tables_.walk(where);
    for (bool more = at.seek({}); more; more = at.next(), ++count)
      if (!is_own(at.key(), at.value()))
        found(where, 0, repairable, to_hex(at.key()) + " belongs to no block of the chain");
    SWARM_CHECK(at.status());
    return count;
  }

  /// Everything that belongs into the columns has been found, so any other key is foreign.
  result<> check_foreign() {
    say("indexes");
    const auto head = store_.head.block_num;
    const auto is_number = [head](bytes_view key, bytes_view) { return get_number(key) <= head; };
    for (const auto where : {column::headers, column::bodies, column::seals})
      SWARM_CHECK(walk(where, false, is_number));
    for (const auto where : {column::receipts, column::outputs})
      SWARM_CHECK(walk(where, true, is_number));
    SWARM_CHECK(walk(column::block_nums, true, [&](bytes_view key, bytes_view value) {
      const auto header = store_.blocks->header(get_number(value));
      return header && *header && as_text(keccak256(**header).view()) == as_text(key);
    }));
    SWARM_CHECK(check_foreign_txns());
    return check_foreign_logs();
  }

  result<> check_foreign_txns() {
    std::uint64_t count = 0;
    const auto any = [](bytes_view, bytes_view) { return true; };
    SWARM_TRY(count, walk(column::txn_index, true, any));
    if (count == report_.txns) return {};
    SWARM_CHECK(walk(column::txn_index, true, [&](bytes_view key, bytes_view value) {
      if (value.size() != 16) return false;
      const auto body = store_.blocks->body(get_be64(value.data()));
      if (!body || !*body) return false;
      const auto content = decode_body(**body, store_.params.chain_id);
      const auto index = get_be64(value.data() + 8);
      return content && index < content->txns.size()
             && as_text(content->txns[index].hash().view()) == as_text(key);
    }));
    return {};
  }

  result<> check_foreign_logs() {
    SWARM_TRY(const auto count, walk(column::log_index, true, [](bytes_view, bytes_view) { return true; }));
    if (count == log_entries_) return {};
    SWARM_CHECK(walk(column::log_index, true, [&](bytes_view key, bytes_view) {
      if (key.size() < 9) return false;
      const auto num = get_be64(key.data() + key.size() - 8);
      const auto raw = store_.blocks->receipts(num);
      if (!raw || !*raw) return false;
      const auto receipts = decode_receipts(**raw);
      std::vector<log_key> logs;
      if (receipts)
        for (const auto& one : *receipts)
          for (const auto& log : one.logs)
            append_log_keys(logs, log);
      const auto keys = block_store::log_index_keys(logs, num);
      return std::any_of(keys.begin(), keys.end(),
                         [&](const bytes& own) { return as_text(own) == as_text(key); });
    }));
    return {};
  }

  result<bool> has_node(const hash32& hash) const {
    const auto node = store_.blocks->trie_node(hash);
    if (!node && !node.error().is(errc::not_found)) return tl::unexpected(node.error());
    return node.has_value();
  }

  /// Checks that each node has its hash and that everything below it is there. So every state is whole whose
  /// root is there. Of a node that counts as not stored some below it may be deleted already.
  result<> check_nodes() {
    auto at = tables_.walk(column::trie_nodes);
    for (bool more = at.seek({}); more; more = at.next()) {
      if (report_.trie_nodes++ % progress_nodes == 0)
        say(fmt::format("trie node {}", report_.trie_nodes - 1));
      const auto stored = block_store::split_node(at.value());
      if (!stored || as_text(keccak256(stored->rlp).view()) != as_text(at.key())) {
        found(column::trie_nodes, 0, true, "node " + to_hex(at.key()) + " has another content");
        continue;
      }
      if (stored->stamp < store_.blocks->states_from()) continue;
      const auto node = decode_trie_node(stored->rlp);
      if (!node)
        found(column::trie_nodes, 0, true, "node " + to_hex(at.key()) + ": " + node.error().message);
      else
        SWARM_CHECK(check_below(**node, at.key()));
    }
    return at.status();
  }

  result<> check_below(const trie_node& node, bytes_view key) {
    for (const auto& child : node.children) {
      if (const auto* hash = std::get_if<hash32>(&child))
        SWARM_CHECK(must_be_there(column::trie_nodes, *hash, key));
      if (const auto* embedded = std::get_if<trie_node_ptr>(&child))
        SWARM_CHECK(check_below(**embedded, key));
    }
    if (node.value.empty()) return {};
    const auto item = decode_account(node.value); // a slot's value is no list
    if (!item) return {};
    if (item->storage_root != empty_trie_root)
      SWARM_CHECK(must_be_there(column::trie_nodes, item->storage_root, key));
    if (item->code_hash != empty_code_hash) SWARM_CHECK(must_be_there(column::code, item->code_hash, key));
    return {};
  }

  result<> must_be_there(column where, const hash32& hash, bytes_view from) {
    bool there = true;
    if (where == column::trie_nodes) {
      SWARM_TRY(there, has_node(hash));
    } else {
      SWARM_TRY(const auto entry, tables_.get(where, hash.view()));
      there = entry.has_value();
    }
    if (!there)
      found(where, 0, true,
            fmt::format("{} is missing, node {} needs it", to_hex(hash.view()), to_hex(from)));
    return {};
  }

  result<> check_codes() {
    auto at = tables_.walk(column::code);
    for (bool more = at.seek({}); more; more = at.next())
      if (as_text(keccak256(at.value()).view()) != as_text(at.key()))
        found(column::code, 0, true, to_hex(at.key()) + " has another content");
    return at.status();
  }

  opened_store& store_;
  const store_check_options& options_;
  kv_store& tables_;
  state_store state_;
  store_report report_;
  std::vector<address> validators_; ///< who seal the next block; empty: unknown
  std::uint64_t log_entries_ = 0;   ///< that belong in the index
};

} // namespace

std::string to_string(const store_finding& finding) {
  return fmt::format("column {}, block {}: {}", to_string(finding.where), finding.block_num, finding.text);
}

bool store_report::repairable() const {
  return std::all_of(findings.begin(), findings.end(), [](const auto& one) { return one.repairable; });
}

std::string verdict(const store_report& report) {
  if (report.sound())
    return fmt::format("sound: {} blocks, {} transactions, {} trie nodes", report.head_num + 1, report.txns,
                       report.trie_nodes);
  return fmt::format(
      "damaged, {} findings, the first in {}; {}", report.findings_count, to_string(report.findings.front()),
      report.repairable() ? std::string_view("all of it can be made anew: run this with --repair")
                          : fetch_again);
}

result<opened_store> open_for_check(const store_check_options& options) {
  std::error_code unknown;
  if (!std::filesystem::exists(options.dir / "CURRENT", unknown)
      && std::filesystem::is_empty(options.dir, unknown))
    return fail(chain_errc::no_chain, "{}: there is no chain in it", options.dir.string());
  if (!std::filesystem::is_directory(options.dir, unknown))
    return fail(chain_errc::no_chain, "{}: there is no such directory", options.dir.string());
  opened_store out;
  SWARM_TRY(out.blocks,
            block_store::open({.dir = options.dir, .space_reserve_bytes = 0, .env = options.env}));
  SWARM_TRY(const auto identity, out.blocks->identity());
  if (!identity) return fail(chain_errc::no_chain, "{}: there is no chain in it", options.dir.string());
  auto params = decode_genesis(identity->genesis_params);
  if (!params && params.error().is(chain_errc::other_version))
    return fail_with(std::move(params).error(), options.dir.string());
  if (!params)
    return fail(store_errc::damaged, "{}: column meta: {}; {}", options.dir.string(), params.error().message,
                fetch_again);
  out.params = std::move(*params);
  SWARM_TRY(out.genesis_hash, genesis_hash_of(out.params, options.contracts));
  if (identity->genesis_hash != out.genesis_hash)
    return fail(chain_errc::other_chain,
                "{}: column meta: its genesis {} is not the one that this swarmd makes of its parameters, {}",
                options.dir.string(), to_hex(identity->genesis_hash.view()), to_hex(out.genesis_hash.view()));
  const auto head = out.blocks->head();
  SWARM_TRY(const auto last, last_header(out.blocks->tables()));
  if (!last)
    return fail(store_errc::damaged, "{}: column headers: empty; {}", options.dir.string(), fetch_again);
  SWARM_TRY(const bool unfinished, out.blocks->under_repair());
  out.head_known = head && *head && !unfinished;
  out.head = out.head_known ? **head : *last;
  SWARM_TRY(out.gaps, stored_gaps(*out.blocks));
  return out;
}

result<std::optional<block_source>> read_source(const opened_store& store, std::uint64_t block_num,
                                                const block_source* parent,
                                                std::vector<store_finding>& findings) {
  const auto wrong = [&](column where, std::string text) {
    findings.push_back({where, block_num, std::move(text), false});
    return std::optional<block_source>{};
  };
  block_source out;
  SWARM_TRY(const auto header, store.blocks->header(block_num));
  if (!header) return wrong(column::headers, "missing");
  auto decoded = decode_header(*header);
  if (!decoded) return wrong(column::headers, decoded.error().message);
  out.header = std::move(*decoded);
  out.hash = keccak256(*header);
  if (parent == nullptr && block_num == 0 && out.hash != store.genesis_hash)
    return wrong(column::headers, "not the genesis block");
  if (parent == nullptr && block_num > 0)
    if (auto good = check_header_alone(out.header); !good)
      return wrong(column::headers, good.error().message);
  if (parent != nullptr)
    if (auto good = check_header(out.header, parent->header, parent->hash); !good)
      return wrong(column::headers, good.error().message);
  SWARM_TRY(const auto body, store.blocks->body(block_num));
  if (!body) return wrong(column::bodies, "missing");
  auto content = decode_body(*body, store.params.chain_id);
  if (!content) return wrong(column::bodies, content.error().message);
  out.txns = std::move(content->txns);
  out.parent_seals = std::move(content->parent_seals);
  if (root_of_txns(out.txns) != out.header.txns_root)
    return wrong(column::bodies, "its root is not that of the header");
  if (block_num > 0)
    if (auto named = check_parent_seals(out.header, out.parent_seals); !named)
      return wrong(column::bodies, named.error().message);
  if (parent != nullptr && out.parent_seals != parent->seals)
    findings.push_back({column::seals, block_num - 1, "not those that the next block names", true});
  SWARM_TRY(const auto seals, store.blocks->seals(block_num));
  if (!seals) return wrong(column::seals, "missing");
  auto sealed = decode_seals(*seals);
  if (!sealed) return wrong(column::seals, sealed.error().message);
  out.seals = std::move(*sealed);
  return std::optional{std::move(out)};
}

result<> check_source_seals(const opened_store& store, const block_source& block,
                            std::span<const address> validators) {
  const auto digest =
      seal_digest(store.params.chain_id, store.genesis_hash, block.hash, block.seals.round_num);
  SWARM_CHECK(check_seals(block.seals, digest, validators, seal_quorum(validators.size())));
  return {};
}

result<store_report> check_opened(opened_store& store, const store_check_options& options) {
  return checker(store, options).run();
}

result<store_report> check_store(const store_check_options& options) {
  SWARM_TRY(auto store, open_for_check(options));
  SWARM_TRY(const bool unfinished, store.blocks->under_repair());
  if (unfinished)
    return fail(store_errc::damaged, "{}: a repair was interrupted; {}", options.dir.string(), damage_remedy);
  return check_opened(store, options);
}

result<> check_recent_blocks(const block_store& store, const executed_block& head, const snapshot_gaps& gaps,
                             std::uint64_t chain_id) {
  auto wanted = head.hash;
  for (std::uint64_t i = 0; i < recent_blocks && i <= head.header.block_num; ++i) {
    const auto num = head.header.block_num - i;
    if (gaps.lacks_block(num)) break;
    const auto wrong = [&](column where) {
      return fail(store_errc::damaged, "{}: column {}, block {}: missing or another; {}",
                  store.dir().string(), to_string(where), num, damage_remedy);
    };
    SWARM_TRY(const auto header, store.header(num));
    if (!header || keccak256(*header) != wanted) return wrong(column::headers);
    SWARM_TRY(const auto decoded, decode_header(*header));
    SWARM_TRY(const auto body, store.body(num));
    const auto content = body ? decode_body(*body, chain_id) : fail(errc::not_found, "no body");
    if (!content || root_of_txns(content->txns) != decoded.txns_root) return wrong(column::bodies);
    if (num > 0 && !check_parent_seals(decoded, content->parent_seals)) return wrong(column::bodies);
    SWARM_TRY(const auto receipts, store.receipts(num));
    if (!receipts || !decode_receipts(*receipts)) return wrong(column::receipts);
    SWARM_TRY(const auto seals, store.seals(num));
    if (!seals || !decode_seals(*seals)) return wrong(column::seals);
    SWARM_TRY(const auto number, store.num_of(wanted));
    if (!number || *number != num) return wrong(column::block_nums);
    wanted = decoded.parent_hash;
  }
  return {};
}

} // namespace swarm::ledger
