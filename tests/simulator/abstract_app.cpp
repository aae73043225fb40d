#include "tests/simulator/abstract_app.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/state/trie.hpp"

namespace swarm::simulator {

namespace {

constexpr std::uint64_t change_bit = std::uint64_t{1} << 63;
constexpr std::size_t block_work_max = 8;
constexpr std::uint64_t window = 256;
constexpr std::size_t remembered_max = 16;

bytes encode_work(std::uint64_t id) {
  bytes out(9, 0x02);
  put_be64(out.data() + 1, id);
  return out;
}

bytes encode_abstract(ledger::block_header header, std::span<const std::uint64_t> ids,
                      const ledger::seal_record& parent_seals) {
  std::vector<bytes> txns;
  for (const auto id : ids)
    txns.push_back(encode_work(id));
  header.txns_root = ledger::ordered_trie_root(txns);
  header.extra_data = to_bytes(ledger::hash_of_seals(parent_seals).view());
  ledger::rlp_writer out;
  out.begin_list().encoded(ledger::encode_header(header)).begin_list();
  for (const auto& txn : txns)
    out.string(txn);
  out.end_list().begin_list().end_list().encoded(ledger::encode_seals(parent_seals));
  return out.end_list().take();
}

struct abstract_block {
  ledger::block_header header;
  std::vector<std::uint64_t> ids;
  ledger::seal_record parent_seals;
};

result<abstract_block> decode_abstract(bytes_view raw) {
  SWARM_TRY(auto from, ledger::rlp_reader::open(raw, "block"));
  SWARM_TRY(const auto header, from.next("header"));
  abstract_block out;
  SWARM_TRY(out.header, ledger::decode_header(header));
  SWARM_TRY(auto list, from.list("work"));
  while (!list.at_end()) {
    SWARM_TRY(const auto item, list.string("work", 9));
    if (item.size() != 9 || item[0] != 0x02) return fail(errc::invalid, "not work");
    out.ids.push_back(get_be64(item.data() + 1));
  }
  SWARM_TRY(out.parent_seals, parent_seals_of(raw));
  return out;
}

} // namespace

result<ledger::seal_record> parent_seals_of(bytes_view block) {
  SWARM_TRY(auto from, ledger::rlp_reader::open(block, "block"));
  for (const auto* before : {"header", "transactions", "ommers"})
    SWARM_CHECK(from.next(before));
  SWARM_TRY(const auto seals, from.next("parent's seals"));
  return ledger::decode_seals(seals);
}

std::uint64_t change_work(std::uint64_t serial, std::size_t node, bool join) {
  return change_bit | serial << 16 | static_cast<std::uint64_t>(node) << 1 | (join ? 1 : 0);
}

abstract_app::abstract_app(std::shared_ptr<const abstract_rules> rules, const address& account,
                           records first_records)
    : rules_(std::move(rules)), account_(account) {
  durable_.entries = std::move(first_records);
  auto state = std::make_shared<chain_state>();
  state->validators = rules_->first_set;
  durable_.state = std::move(state);
  durable_.head.hash.fill(0x11);
}

bool abstract_app::chain_state::is_done(std::uint64_t id) const {
  const auto& in = (id & change_bit) != 0 ? changes : done;
  return ((id & change_bit) == 0 && id + window < newest) || std::binary_search(in.begin(), in.end(), id);
}

void abstract_app::chain_state::add(std::uint64_t id) {
  auto& to = (id & change_bit) != 0 ? changes : done;
  to.insert(std::upper_bound(to.begin(), to.end(), id), id);
  if ((id & change_bit) != 0) return;
  newest = std::max(newest, id);
  const auto expired = newest - std::min(newest, window);
  done.erase(done.begin(), std::lower_bound(done.begin(), done.end(), expired));
}

hash32 abstract_app::chain_state::root() const {
  bytes all;
  const auto put = [&](std::uint64_t number) {
    all.resize(all.size() + 8);
    put_be64(all.data() + all.size() - 8, number);
  };
  put(newest);
  put(timestamp);
  for (const auto* list : {&done, &changes}) {
    put(list->size());
    for (const auto id : *list)
      put(id);
  }
  for (const auto& who : validators)
    append(all, who.view());
  return keccak256(all);
}

bool abstract_app::add_work(std::uint64_t id) {
  return !is_done(id) && pool_.insert(id).second;
}

std::vector<std::uint64_t> abstract_app::pending(std::size_t count_max) const {
  std::vector<std::uint64_t> out;
  for (auto at = pool_.begin(); at != pool_.end() && out.size() < count_max; ++at)
    out.push_back(*at);
  return out;
}

result<std::shared_ptr<const abstract_app::chain_state>>
abstract_app::execute(std::span<const std::uint64_t> ids, std::uint64_t timestamp) const {
  auto out = std::make_shared<chain_state>(*durable_.state);
  if (timestamp < out->timestamp) return fail(errc::invalid, "before its parent");
  out->timestamp = timestamp;
  for (const auto id : ids) {
    if (out->is_done(id)) return fail(errc::invalid, "done already");
    out->add(id);
    if ((id & change_bit) == 0) continue;
    const auto which = (id & 0xffff) >> 1;
    if (which >= rules_->accounts.size()) return fail(errc::invalid, "no such node");
    auto set = out->validators;
    const auto& who = rules_->accounts[which];
    std::erase(set, who);
    if ((id & 1) != 0) set.insert(std::upper_bound(set.begin(), set.end(), who), who);
    if (!set.empty() && rules_->is_lawful_set(set)) out->validators = std::move(set);
  }
  return std::shared_ptr<const chain_state>(std::move(out));
}

std::optional<consensus::proposed_block> abstract_app::build(sim_time now, std::uint64_t round_num) {
  const auto ids = pending(block_work_max);
  if (ids.empty()) return std::nullopt;
  const auto timestamp =
      std::max(static_cast<std::uint64_t>(std::max<sim_time>(0, now)), durable_.state->timestamp);
  const auto after = execute(ids, timestamp);
  SWARM_ASSERT(after.has_value());
  ledger::block_header header;
  header.parent_hash = durable_.head.hash;
  header.block_num = durable_.head.block_num + 1;
  header.coinbase = account_;
  put_be64(header.nonce.data(), round_num);
  header.timestamp = timestamp;
  header.state_root = (*after)->root();
  auto block =
      consensus::read_block(std::make_shared<const bytes>(encode_abstract(header, ids, durable_.seals)));
  block->body_checked = true;
  return *block;
}

bool abstract_app::validate(const consensus::proposed_block& block) {
  const auto item = decode_abstract(*block.raw);
  if (!item || item->ids.empty() || item->header.parent_hash != durable_.head.hash) return false;
  if (!rules_->trusts_parent_seals && !knows_seals(item->parent_seals)) return false;
  const auto after = execute(item->ids, item->header.timestamp);
  return after && (*after)->root() == item->header.state_root;
}

/// The seals that this node has need no further look.
bool abstract_app::knows_seals(const ledger::seal_record& parent_seals) const {
  if (parent_seals == durable_.seals) return true;
  const auto digest = ledger::seal_digest(rules_->domain.chain_id, rules_->domain.genesis_hash,
                                          durable_.head.hash, parent_seals.round_num);
  return durable_.head.block_num > 0
         && ledger::check_seals(parent_seals, digest, durable_.sealers,
                                rules_->quorum(durable_.sealers.size()), rules_->recover)
                .has_value();
}

bool abstract_app::is_early(const consensus::proposed_block& block, sim_time now) const {
  const auto item = decode_abstract(*block.raw);
  const auto lead = static_cast<sim_time>(ledger::clock_lead_max) * second;
  const auto limit = static_cast<std::uint64_t>(std::max<sim_time>(0, now + lead));
  return item && item->header.timestamp > std::max(durable_.state->timestamp, limit);
}

void abstract_app::commit(const consensus::proposed_block& block, const ledger::seal_record& seals,
                          const records& entries) {
  SWARM_ASSERT(block.block_num == durable_.head.block_num + 1 && block.parent_hash == durable_.head.hash);
  const auto item = decode_abstract(*block.raw);
  auto after = execute(item->ids, item->header.timestamp);
  SWARM_ASSERT(after.has_value());
  durable_.sealers = validators();
  durable_.seals = seals;
  durable_.head = {block.block_num, block.hash, block.proposer, {}};
  durable_.state = std::move(*after);
  write_records(entries);
  std::erase_if(pool_, [&](auto id) { return durable_.state->is_done(id); });
}

void abstract_app::write_records(const records& entries) {
  for (const auto& entry : entries) {
    std::erase_if(durable_.entries, [&](const auto& old) { return old.key == entry.key; });
    durable_.entries.push_back(entry);
  }
}

void abstract_app::remember() {
  if (remembered_.size() == remembered_max) remembered_.erase(remembered_.begin());
  remembered_.push_back(durable_);
}

bool abstract_app::restore_old(std::uint64_t which) {
  if (remembered_.empty()) return false;
  durable_ = remembered_[which % remembered_.size()];
  pool_.clear();
  return true;
}

} // namespace swarm::simulator
