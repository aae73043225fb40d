#include "transport/p2p/hash_set.hpp"

#include "base/random.hpp"

#include <bit>
#include <utility>

namespace swarm::p2p {

namespace {

constexpr std::size_t first_slots = 64;

struct secret_numbers {
  std::array<std::uint32_t, 8> added;
  std::uint64_t factor;
};

const secret_numbers& secret() {
  static const auto made = [] {
    std::array<std::uint8_t, 40> raw{};
    fill_random(raw);
    secret_numbers out{};
    std::memcpy(out.added.data(), raw.data(), 32);
    out.factor = get_be64(raw.data() + 32) | 1;
    return out;
  }();
  return made;
}

} // namespace

std::size_t secret_hash::operator()(const hash32& of) const {
  const auto& [added, factor] = secret();
  std::array<std::uint32_t, 8> word{};
  std::memcpy(word.data(), of.data(), of.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < word.size(); i += 2)
    sum += std::uint64_t{word[i] + added[i]} * std::uint64_t{word[i + 1] + added[i + 1]};
  // Multiplied twice: with one product alone, for a few secret numbers in a hundred, sums at equal distances
  // crowd together.
  sum *= factor;
  return (sum ^ sum >> 32) * factor;
}

std::size_t hash_set::find(const hash32& hash) const {
  const auto mask = slots_.size() - 1;
  auto at = secret_hash{}(hash) >> (64 - std::bit_width(mask));
  while (slots_[at].used && slots_[at].hash != hash)
    at = (at + 1) & mask;
  return at;
}

bool hash_set::insert(const hash32& hash) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  auto& place = slots_[find(hash)];
  if (place.used) return false;
  place = {hash, true};
  ++size_;
  return true;
}

void hash_set::grow() {
  const auto old = std::exchange(slots_, std::vector<slot>(std::max(first_slots, 2 * slots_.size())));
  for (const auto& each : old)
    if (each.used) slots_[find(each.hash)] = each;
}

void hash_set::clear() {
  if (size_ > 0) std::fill(slots_.begin(), slots_.end(), slot{});
  size_ = 0;
}

} // namespace swarm::p2p
