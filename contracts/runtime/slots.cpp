#include "contracts/runtime/slots.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace swarm::contracts {

namespace {

constexpr std::size_t slot_size = 32;
/// The longest text that contracts keep; a greater length can only come from a corrupted store.
constexpr std::uint64_t text_bytes_max = 1 << 20;

std::uint64_t chunk_count(std::uint64_t size) {
  return (size + slot_size - 1) / slot_size;
}

struct text_head {
  bool is_long = false;
  std::uint64_t size = 0;
};

text_head read_head(const hash32& word) {
  if ((word[31] & 1) == 0) {
    SWARM_ASSERT(word[31] / 2u < slot_size);
    return {false, word[31] / 2u};
  }
  return {true, get_be64(word.data() + 24) / 2};
}

} // namespace

hash32 slot_after(const hash32& base, std::uint64_t offset) {
  hash32 out = base;
  const auto low = get_be64(base.data() + 24);
  put_be64(out.data() + 24, low + offset);
  if (low + offset < low)
    for (int i = 23; i >= 0 && ++out[static_cast<std::size_t>(i)] == 0; --i) {
    }
  return out;
}

hash32 key_of(const address& account) {
  hash32 out;
  std::copy(account.begin(), account.end(), out.begin() + 12);
  return out;
}

hash32 slots::hash(bytes_view data) const {
  host_.charge(30 + 6 * chunk_count(data.size()));
  return keccak256(data);
}

hash32 slots::mapped(const hash32& key, const hash32& slot) const {
  std::array<std::uint8_t, 2 * slot_size> joined;
  std::copy(key.begin(), key.end(), joined.begin());
  std::copy(slot.begin(), slot.end(), joined.begin() + slot_size);
  return hash(joined);
}

std::string slots::load_text(const hash32& slot) const {
  const auto word = load(slot);
  const auto head = read_head(word);
  if (!head.is_long) return std::string(as_text(word.view().first(head.size)));
  SWARM_ASSERT(head.size <= text_bytes_max);
  std::string out;
  out.reserve(chunk_count(head.size) * slot_size);
  const auto first = items(slot);
  for (std::uint64_t i = 0; i < chunk_count(head.size); ++i)
    out += as_text(load(slot_after(first, i)).view());
  out.resize(head.size);
  return out;
}

void slots::store_text(const hash32& slot, std::string_view text) const {
  SWARM_ASSERT(text.size() <= text_bytes_max);
  const auto old = read_head(load(slot));
  const auto old_chunks = old.is_long ? chunk_count(old.size) : 0;
  const auto new_chunks = text.size() < slot_size ? 0 : chunk_count(text.size());
  hash32 word;
  if (new_chunks == 0) {
    std::copy(text.begin(), text.end(), word.begin());
    word[31] = static_cast<std::uint8_t>(text.size() * 2);
  } else {
    put_be64(word.data() + 24, text.size() * 2 + 1);
  }
  store(slot, word);
  if (old_chunks == 0 && new_chunks == 0) return;
  const auto first = items(slot);
  for (std::uint64_t i = 0; i < std::max(old_chunks, new_chunks); ++i) {
    hash32 chunk;
    if (i < new_chunks) {
      const auto piece = text.substr(i * slot_size, slot_size);
      std::copy(piece.begin(), piece.end(), chunk.begin());
    }
    store(slot_after(first, i), chunk);
  }
}

} // namespace swarm::contracts
