#include "ledger/formats/bloom.hpp"

#include "base/hash.hpp"

namespace swarm::ledger {

namespace {

/// Calls `visit(byte index, mask)` for the three bits of `item`: the low 11 bits of its digest's
/// first byte pairs.
template <class Visit>
void for_each_bit(bytes_view item, Visit visit) {
  const hash32 digest = keccak256(item);
  for (std::size_t pair = 0; pair < 6; pair += 2) {
    const std::size_t bit = (static_cast<std::size_t>(digest[pair]) << 8 | digest[pair + 1]) & 2047;
    visit(255 - bit / 8, static_cast<std::uint8_t>(1 << bit % 8));
  }
}

} // namespace

void bloom::add(bytes_view item) {
  for_each_bit(item, [this](std::size_t at, std::uint8_t mask) { (*this)[at] |= mask; });
}

void bloom::add(const log_entry& entry) {
  add(entry.emitter.view());
  for (const auto& topic : entry.topics)
    add(topic.view());
}

void bloom::add(const bloom& other) {
  for (std::size_t i = 0; i < size(); ++i)
    (*this)[i] |= other[i];
}

bool bloom::may_contain(bytes_view item) const {
  bool all = true;
  for_each_bit(item, [&](std::size_t at, std::uint8_t mask) { all = all && ((*this)[at] & mask) != 0; });
  return all;
}

bloom bloom_of(std::span<const log_entry> logs) {
  bloom out;
  for (const auto& entry : logs)
    out.add(entry);
  return out;
}

} // namespace swarm::ledger
