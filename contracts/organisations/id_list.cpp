#include "contracts/organisations/id_list.hpp"

namespace swarm::contracts {

namespace {

constexpr std::size_t ids_in_slot = 16;

hash32 packed(const std::vector<organisation_id>& ids, std::size_t from) {
  hash32 out;
  for (std::size_t i = from; i < std::min(ids.size(), from + ids_in_slot); ++i) {
    out[2 * (i - from)] = static_cast<std::uint8_t>(ids[i] >> 8);
    out[2 * (i - from) + 1] = static_cast<std::uint8_t>(ids[i]);
  }
  return out;
}

} // namespace

std::vector<organisation_id> id_list::load() const {
  std::vector<organisation_id> out(size());
  const auto first = slots_.items(count_slot_);
  hash32 word;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto at = i % ids_in_slot;
    if (at == 0) word = slots_.load(slot_after(first, i / ids_in_slot));
    out[i] = static_cast<organisation_id>(word[2 * at] << 8 | word[2 * at + 1]);
  }
  return out;
}

void id_list::store(const std::vector<organisation_id>& ids) const {
  const auto before = size();
  const auto first = slots_.items(count_slot_);
  for (std::size_t i = 0; i < std::max<std::size_t>(ids.size(), before); i += ids_in_slot)
    slots_.store(slot_after(first, i / ids_in_slot), packed(ids, i));
  if (before != ids.size()) slots_.store(count_slot_, u256(ids.size()));
}

} // namespace swarm::contracts
