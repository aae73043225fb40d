#include "contracts/training/state.hpp"

#include "base/assert.hpp"
#include "base/u256.hpp"
#include "contracts/training/sharding.hpp"

#include <array>
#include <bit>

namespace swarm::contracts {

namespace {

constexpr hash32 name_slot = u256(0);
constexpr hash32 round_number = u256(1);
constexpr hash32 counts_number = u256(2);
constexpr hash32 layout_number = u256(3);
constexpr hash32 reveals_number = u256(4);
constexpr hash32 peers_number = u256(5);
constexpr hash32 index_number = u256(6);
constexpr hash32 merges_number = u256(7);
constexpr hash32 method_number = u256(8);
constexpr hash32 entries_number = u256(9);
constexpr hash32 owner_number = u256(10);
constexpr hash32 invited_number = u256(11);
constexpr hash32 reset_votes_number = u256(12);
constexpr hash32 digests_number = u256(13);
constexpr hash32 checking_number = u256(14);
constexpr hash32 mix_number = u256(15);
constexpr hash32 sets_number = u256(16);
constexpr hash32 shards_number = u256(64);
constexpr hash32 shard_nodes_number = u256(65);
constexpr hash32 accusers_number = u256(66);
constexpr hash32 accepted_number = u256(67);
constexpr hash32 measures_number = u256(72);
constexpr hash32 sums_number = u256(73);
constexpr hash32 last_reset_number = u256(96); // and the two after it

constexpr std::uint64_t slots_per_peer = 8;
constexpr std::uint64_t contributor_slots = peer_set::words_max;
constexpr std::uint64_t attested_at =
    3 + contributor_slots; ///< behind head, digest, contributors and excluded

/// In the order of `method_slot`, up to `described`.
constexpr std::array<std::string_view, 4> bare_methods{"", "mean", "coordmedian", "geomedian"};

hash32 generation_key(std::uint64_t generation) {
  hash32 out;
  put_be64(out.data(), generation);
  return out;
}

/// Exclusions as one text of three bytes each: index (2 bytes), reason.
std::string join(const std::vector<exclusion>& excluded) {
  std::string out;
  for (const auto& one : excluded) {
    out += static_cast<char>(one.index >> 8);
    out += static_cast<char>(one.index);
    out += static_cast<char>(one.reason);
  }
  return out;
}

std::vector<exclusion> split(std::string_view joined, std::size_t count) {
  SWARM_ASSERT(joined.size() == 3 * count);
  const auto byte = [&joined](std::size_t i) { return static_cast<std::uint8_t>(joined[i]); };
  std::vector<exclusion> out;
  for (std::size_t i = 0; i < joined.size(); i += 3)
    out.push_back(
        {static_cast<std::uint16_t>(byte(i) << 8 | byte(i + 1)), static_cast<exclusion_reason>(byte(i + 2))});
  return out;
}

} // namespace

training_state::training_state(const slots& in, std::uint64_t rules_in_force)
    : rules(rules_in_force), slots_(in) {
  loaded_round_ = slots_.get<round_slot>(round_number);
  loaded_counts_ = slots_.get<counts_slot>(counts_number);
  round = loaded_round_;
  counts = loaded_counts_;
}

void training_state::save() {
  if (round != loaded_round_) slots_.put(round_number, round);
  if (counts != loaded_counts_) slots_.put(counts_number, counts);
  if (checking_ && *checking_ != loaded_checking_) slots_.put(checking_number, *checking_);
  if (shards_ && *shards_ != loaded_shards_) slots_.put(shards_number, *shards_);
  loaded_round_ = round;
  loaded_counts_ = counts;
  if (shards_) loaded_shards_ = *shards_;
  if (checking_) loaded_checking_ = *checking_;
}

checking_slot& training_state::checking() {
  if (!checking_) {
    loaded_checking_ = slots_.get<checking_slot>(checking_number);
    checking_ = loaded_checking_;
  }
  return *checking_;
}

shards_slot& training_state::shards() {
  if (!shards_) {
    loaded_shards_ = slots_.get<shards_slot>(shards_number);
    shards_ = loaded_shards_;
  }
  return *shards_;
}

std::string training_state::name() const {
  return slots_.load_text(name_slot);
}
void training_state::set_name(std::string_view name) {
  slots_.store_text(name_slot, name);
}
std::string training_state::merge_method() const {
  if (round.method == method_slot::described) return slots_.load_text(method_number);
  return std::string(bare_methods.at(static_cast<std::size_t>(round.method)));
}
void training_state::set_merge_method(const std::string& text) {
  const auto bare = std::find(bare_methods.begin(), bare_methods.end(), text);
  round.method = static_cast<method_slot>(bare - bare_methods.begin());
  if (round.method == method_slot::described) slots_.store_text(method_number, text);
}
hash32 training_state::layout_digest() const {
  return slots_.load(layout_number);
}
void training_state::set_layout_digest(const hash32& digest) {
  slots_.store(layout_number, digest);
}

hash32 training_state::index_slot(const address& account) const {
  auto key = key_of(account);
  put_be64(key.data(), round.generation);
  return slots_.mapped(key, index_number);
}

std::optional<std::uint16_t> training_state::find(const address& account) const {
  const auto index = u256(slots_.load(index_slot(account))).to_u64();
  if (index == 0) return std::nullopt;
  return static_cast<std::uint16_t>(index - 1);
}

void training_state::set_index(const address& account, std::uint16_t index) {
  slots_.store(index_slot(account), u256(index + 1u));
}

organisation_id training_state::owner() const {
  return slots_.get<owner_slot>(owner_number).organisation;
}
void training_state::set_owner(organisation_id organisation) {
  slots_.put(owner_number, owner_slot{organisation});
}
bool training_state::is_retired() const {
  return slots_.get<owner_slot>(owner_number).retired;
}
void training_state::retire() {
  auto slot = slots_.get<owner_slot>(owner_number);
  slot.retired = true;
  slots_.put(owner_number, slot);
  round.phase = round_phase::complete;
}
hash32 training_state::owner_place() {
  return owner_number;
}
void training_state::set_verify(verify_mode mode) {
  auto slot = slots_.get<owner_slot>(owner_number);
  slot.verify = mode;
  slots_.put(owner_number, slot);
}

hash32 training_state::mix() const {
  return slots_.load(mix_number);
}
void training_state::set_mix(const hash32& value) {
  slots_.store(mix_number, value);
}

hash32 training_state::set_place(peer_sets which, std::size_t word) const {
  if (which == peer_sets::attested) return slot_after(merge_base(round.round_num), attested_at + word);
  return slot_after(sets_number, static_cast<std::size_t>(which) * peer_set::words_max + word);
}
peer_set training_state::load(peer_sets which) const {
  peer_set out;
  for (std::size_t word = 0; word < words_used(); ++word)
    out.words[word] = slots_.load(set_place(which, word));
  return out;
}
/// Words beyond those in use may be of a generation with more peers, and peers that register later reach them.
void training_state::store(peer_sets which, const peer_set& value) {
  for (std::size_t word = 0; word < peer_set::words_max; ++word)
    if (const auto place = set_place(which, word); word < words_used() || !slots_.load(place).is_zero())
      slots_.store(place, value.words[word]);
}
bool training_state::has(peer_sets which, std::uint16_t index) const {
  peer_set part;
  const auto word = index / peer_set::bits_per_word;
  part.words[word] = slots_.load(set_place(which, word));
  return part.has(index);
}
void training_state::put(peer_sets which, std::uint16_t index, bool on) {
  peer_set part;
  const auto word = index / peer_set::bits_per_word;
  part.words[word] = slots_.load(set_place(which, word));
  part.set(index, on);
  slots_.store(set_place(which, word), part.words[word]);
}
hash32 training_state::shard_node_slot(unsigned level, std::uint64_t index) const {
  auto key = generation_key(round.generation);
  put_be64(key.data() + 16, level);
  put_be64(key.data() + 24, index);
  return slots_.mapped(key, shard_nodes_number);
}
measures_slot training_state::measures() const {
  if (rules < rules_with_measures) return {};
  const auto out = slots_.get<measures_slot>(measures_number);
  return out.round_num == round.round_num && out.term == round.term ? out : measures_slot{};
}
void training_state::set_measures(const measures_slot& value) {
  slots_.put(measures_number, value);
}
hash32 training_state::sums_slot(std::uint64_t unit, std::size_t word) const {
  auto key = generation_key(round.generation);
  put_be64(key.data() + 16, unit);
  put_be64(key.data() + 24, word);
  return slots_.mapped(key, sums_number);
}
std::vector<hash32> training_state::sums_of_unit(std::uint64_t unit, std::size_t words) const {
  std::vector<hash32> out;
  for (std::size_t word = 0; word < words; ++word)
    out.push_back(slots_.load(sums_slot(unit, word)));
  return out;
}
void training_state::set_sums_of_unit(std::uint64_t unit, std::span<const hash32> words) {
  for (std::size_t word = 0; word < words.size(); ++word)
    slots_.store(sums_slot(unit, word), words[word]);
}

hash32 training_state::shard_node(unsigned level, std::uint64_t index) const {
  return slots_.load(shard_node_slot(level, index));
}
void training_state::set_shard_node(unsigned level, std::uint64_t index, const hash32& root) {
  slots_.store(shard_node_slot(level, index), root);
}

id_list training_state::invited() const {
  return {slots_, invited_number};
}
id_list training_state::reset_votes() const {
  return {slots_, reset_votes_number};
}
reset_record training_state::last_reset() const {
  return {slots_, last_reset_number};
}

hash32 training_state::accepted_slot(std::uint64_t round_num) const {
  auto key = generation_key(round.generation);
  put_be64(key.data() + 24, round_num);
  return slots_.mapped(key, accepted_number);
}
std::uint64_t training_state::accepted_at(std::uint64_t round_num) const {
  return u256(slots_.load(accepted_slot(round_num))).to_u64();
}
void training_state::set_accepted_at(std::uint64_t round_num, std::uint64_t time) {
  slots_.store(accepted_slot(round_num), u256(time));
}

hash32 training_state::organisation_slot(organisation_id organisation, const hash32& number) const {
  auto key = generation_key(round.generation);
  put_be64(key.data() + 24, organisation);
  return slots_.mapped(key, number);
}
std::uint64_t training_state::entries_of(organisation_id organisation) const {
  return u256(slots_.load(organisation_slot(organisation, entries_number))).to_u64();
}
void training_state::set_entries_of(organisation_id organisation, std::uint64_t count) {
  slots_.store(organisation_slot(organisation, entries_number), u256(count));
}
std::uint64_t training_state::may_accuse_at(organisation_id organisation) const {
  return u256(slots_.load(organisation_slot(organisation, accusers_number))).to_u64();
}
void training_state::set_may_accuse_at(organisation_id organisation, std::uint64_t time) {
  slots_.store(organisation_slot(organisation, accusers_number), u256(time));
}

reveals_slot training_state::reveals() const {
  return slots_.get<reveals_slot>(reveals_number);
}
void training_state::set_reveals(const reveals_slot& value) {
  slots_.put(reveals_number, value);
}

hash32 training_state::digest_slot(const hash32& digest) const {
  return slots_.mapped(digest, slots_.mapped(generation_key(round.generation), digests_number));
}
first_reveal training_state::first_reveal_of(const hash32& digest) const {
  return slots_.get<first_reveal>(digest_slot(digest));
}
void training_state::set_first_reveal_of(const hash32& digest, const first_reveal& value) {
  slots_.put(digest_slot(digest), value);
}

hash32 training_state::at(std::uint16_t index, unsigned part) const {
  if (!peers_base_ || peers_base_->first != round.generation)
    peers_base_.emplace(round.generation, slots_.mapped(generation_key(round.generation), peers_number));
  return slot_after(peers_base_->second, index * slots_per_peer + part);
}

hash32 training_state::merge_base(std::uint64_t round_num) const {
  auto key = generation_key(round.generation);
  put_be64(key.data() + 24, round_num);
  return slots_.mapped(key, merges_number);
}

merge_slot training_state::merge_head(std::uint64_t round_num) const {
  return slots_.get<merge_slot>(merge_base(round_num));
}
hash32 training_state::merge_digest(std::uint64_t round_num) const {
  return slots_.load(slot_after(merge_base(round_num), 1));
}

merge_record training_state::merge(std::uint64_t round_num) const {
  const auto base = merge_base(round_num);
  const auto indexes_at = [&](std::uint64_t place, std::size_t count) {
    peer_set out;
    std::size_t found = 0;
    for (std::uint64_t i = 0; i < peer_set::words_max && found < count; ++i) {
      out.words[i] = slots_.load(slot_after(base, place + i));
      for (const auto byte : out.words[i])
        found += static_cast<std::size_t>(std::popcount(byte));
    }
    return out.indexes();
  };
  merge_record out;
  out.head = slots_.get<merge_slot>(base);
  out.digest = slots_.load(slot_after(base, 1));
  out.contributors = indexes_at(2, out.head.contributors);
  if (out.head.excluded > 0)
    out.excluded = split(slots_.load_text(slot_after(base, 2 + contributor_slots)), out.head.excluded);
  out.checkers = indexes_at(attested_at, out.head.checkers);
  return out;
}

void training_state::set_merge_head(std::uint64_t round_num, const merge_slot& head) {
  slots_.put(merge_base(round_num), head);
}

void training_state::set_merge(std::uint64_t round_num, const merge_record& record) {
  const auto base = merge_base(round_num);
  const bool replaces = checking().proposals > 0;
  slots_.put(base, record.head);
  slots_.store(slot_after(base, 1), record.digest);
  peer_set contributors;
  for (const auto index : record.contributors)
    contributors.set(index, true);
  for (std::uint64_t i = 0; i < contributor_slots; ++i)
    if (replaces || !contributors.words[i].is_zero())
      slots_.store(slot_after(base, 2 + i), contributors.words[i]);
  if (!record.excluded.empty())
    slots_.store_text(slot_after(base, 2 + contributor_slots), join(record.excluded));
}

} // namespace swarm::contracts
