#include "contracts/organisations/motion_records.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 count_slot = u256(5);
constexpr hash32 keys_slot = u256(6);
constexpr hash32 motions_slot = u256(7);
constexpr std::uint64_t limits_offset = 2, name_offset = 3, anchors_offset = 4;
} // namespace

bool is_same_subject(const motion& a, const motion& b) {
  return a.kind == b.kind && a.organisation == b.organisation
         && ledger::organisation_name_key(a.name) == ledger::organisation_name_key(b.name);
}

std::uint64_t motion_records::count() const {
  return u256(slots_.load(count_slot)).to_u64();
}
hash32 motion_records::key_at(std::uint64_t index) const {
  return slots_.load(slot_after(slots_.items(keys_slot), index));
}

motion_records::record motion_records::of(const hash32& key) const {
  return {slots_, slots_.mapped(key, motions_slot)};
}

std::vector<hash32> motion_records::record::anchors() const {
  std::vector<hash32> out(head().anchors);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = slots_.load(slot_after(base_, anchors_offset + i));
  return out;
}

motion motion_records::read(const hash32& key) const {
  const auto place = of(key);
  const auto head = place.head();
  return {key, head.kind, head.organisation, place.name(), place.anchors(), place.limits()};
}

void motion_records::add(const motion& what, std::uint64_t expires_block) const {
  const auto index = count();
  slots_.store(slot_after(slots_.items(keys_slot), index), what.key);
  slots_.store(count_slot, u256(index + 1));
  const auto place = of(what.key);
  place.set_head({.kind = what.kind,
                  .organisation = what.organisation,
                  .anchors = static_cast<std::uint8_t>(what.anchors.size()),
                  .index = static_cast<std::uint32_t>(index),
                  .expires_block = expires_block});
  slots_.put(slot_after(place.base_, limits_offset), what.limits);
  slots_.store_text(slot_after(place.base_, name_offset), what.name);
  for (std::size_t i = 0; i < what.anchors.size(); ++i)
    slots_.store(slot_after(place.base_, anchors_offset + i), what.anchors[i]);
}

void motion_records::remove(const hash32& key) const {
  const auto place = of(key);
  const auto head = place.head();
  const auto last = count() - 1;
  const auto keys = slots_.items(keys_slot);
  if (head.index != last) {
    const auto moved = slots_.load(slot_after(keys, last));
    slots_.store(slot_after(keys, head.index), moved);
    auto moved_head = of(moved).head();
    moved_head.index = head.index;
    of(moved).set_head(moved_head);
  }
  slots_.store(slot_after(keys, last), {});
  slots_.store(count_slot, u256(last));
  place.voters().store({});
  slots_.put(slot_after(place.base_, limits_offset), no_limits);
  slots_.store_text(slot_after(place.base_, name_offset), {});
  for (std::size_t i = 0; i < head.anchors; ++i)
    slots_.store(slot_after(place.base_, anchors_offset + i), {});
  place.set_head({});
}

} // namespace swarm::contracts
