#include "contracts/organisations/records.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 last_id_slot = u256(0);
constexpr hash32 ids_slot = u256(1);
constexpr hash32 organisations_slot = u256(2);
constexpr hash32 anchors_slot = u256(3);
constexpr hash32 names_slot = u256(4);
} // namespace

organisation_records::organisation_records(const slots& in) : slots_(in), ids_(in, ids_slot) {}

organisation_id organisation_records::last_id() const {
  return static_cast<organisation_id>(u256(slots_.load(last_id_slot)).to_u64());
}
void organisation_records::set_last_id(organisation_id id) const {
  slots_.store(last_id_slot, u256(id));
}

hash32 organisation_records::anchor_slot(const hash32& anchor) const {
  return slots_.mapped(anchor, anchors_slot);
}
hash32 organisation_records::name_slot(std::string_view name) const {
  return slots_.mapped(slots_.hash(as_bytes(ledger::organisation_name_key(name))), names_slot);
}

organisation_id organisation_records::owner_of(const hash32& anchor) const {
  return static_cast<organisation_id>(u256(slots_.load(anchor_slot(anchor))).to_u64());
}
organisation_id organisation_records::named(std::string_view name) const {
  return static_cast<organisation_id>(u256(slots_.load(name_slot(name))).to_u64());
}

organisation_records::record organisation_records::of(organisation_id id) const {
  return {slots_, slots_.mapped(u256(id), organisations_slot)};
}

std::vector<hash32> organisation_records::record::anchors() const {
  std::vector<hash32> out(head().anchors);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = slots_.load(slot_after(base_, 3 + i));
  return out;
}

organisation_id organisation_records::add(const std::string& name, const std::vector<hash32>& anchors,
                                          std::uint64_t block_num) const {
  const auto id = static_cast<organisation_id>(last_id() + 1);
  set_last_id(id);
  auto all = ids_.load();
  all.push_back(id);
  ids_.store(all);
  const auto place = of(id);
  place.set_head({id, block_num, 0});
  place.set_limits(organisation_limits{});
  slots_.store_text(slot_after(place.base_, 2), name);
  slots_.store(name_slot(name), u256(id));
  set_anchors(id, anchors);
  return id;
}

void organisation_records::remove(organisation_id id) const {
  auto all = ids_.load();
  std::erase(all, id);
  ids_.store(all);
  const auto place = of(id);
  set_anchors(id, {});
  slots_.store(name_slot(place.name()), {});
  slots_.store_text(slot_after(place.base_, 2), {});
  place.set_limits(no_limits);
  place.set_head({});
}

void organisation_records::set_anchors(organisation_id id, const std::vector<hash32>& anchors) const {
  const auto place = of(id);
  auto head = place.head();
  for (const auto& each : place.anchors())
    slots_.store(anchor_slot(each), {});
  for (std::size_t i = 0; i < std::max<std::size_t>(anchors.size(), head.anchors); ++i)
    slots_.store(slot_after(place.base_, 3 + i), i < anchors.size() ? anchors[i] : hash32{});
  for (const auto& each : anchors)
    slots_.store(anchor_slot(each), u256(id));
  head.anchors = static_cast<std::uint8_t>(anchors.size());
  place.set_head(head);
}

} // namespace swarm::contracts
