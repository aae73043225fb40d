#include "contracts/runtime/name_list.hpp"

#include "base/assert.hpp"

namespace swarm::contracts {

void name_list::add(std::string_view name) const {
  const auto index = size();
  slots_.store_text(slot_after(slots_.items(names_slot_), index), name);
  slots_.store(count_slot_, u256(index + 1));
}

std::string name_list::remove(std::uint64_t index) const {
  const auto last = size() - 1;
  SWARM_ASSERT(index <= last);
  const auto names = slots_.items(names_slot_);
  std::string moved;
  if (index != last) {
    moved = slots_.load_text(slot_after(names, last));
    slots_.store_text(slot_after(names, index), moved);
  }
  slots_.store_text(slot_after(names, last), {});
  slots_.store(count_slot_, u256(last));
  return moved;
}

std::vector<std::string> name_list::part(const u256& first, const u256& count,
                                         std::uint64_t entries_max) const {
  const auto page = page_of(first, count, size(), entries_max);
  const auto names = slots_.items(names_slot_);
  std::vector<std::string> out;
  for (auto i = page.begin; i < page.end; ++i)
    out.push_back(slots_.load_text(slot_after(names, i)));
  return out;
}

} // namespace swarm::contracts
