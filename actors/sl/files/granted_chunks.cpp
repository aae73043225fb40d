#include "actors/sl/files/granted_chunks.hpp"

#include "merge/model/manifest.hpp"

#include <algorithm>

namespace swarm::actors {

namespace {

bool has_one_in(std::span<const std::uint64_t> granted, std::uint64_t first, std::uint64_t last) {
  const auto found = std::ranges::lower_bound(granted, first);
  return found != granted.end() && *found <= last;
}

/// Whether a tensor that begins or ends in `chunk` reaches into one of `granted`.
bool is_needed_too(const merge::model_layout& layout, std::span<const std::uint64_t> granted,
                   std::uint64_t chunk) {
  const auto& tensors = layout.tensors();
  const auto data = layout.data_offset();
  const auto begin = chunk * merge::chunk_size;
  auto it = std::ranges::partition_point(
      tensors, [&](const merge::tensor_info& one) { return data + one.offset + one.size <= begin; });
  for (; it != tensors.end() && data + it->offset < begin + merge::chunk_size; ++it) {
    if (it->size == 0) continue;
    const auto first = (data + it->offset) / merge::chunk_size;
    const auto last = (data + it->offset + it->size - 1) / merge::chunk_size;
    if ((first == chunk || last == chunk) && has_one_in(granted, first, last)) return true;
  }
  return false;
}

} // namespace

bool may_read(const merge::model_layout& layout, std::span<const std::uint64_t> granted,
              const transport::byte_range& range) {
  if (range.length == 0) return true;
  const auto last = (range.offset + range.length - 1) / merge::chunk_size;
  for (auto chunk = range.offset / merge::chunk_size; chunk <= last; ++chunk)
    if (!has_one_in(granted, chunk, chunk) && !is_needed_too(layout, granted, chunk)) return false;
  return true;
}

} // namespace swarm::actors
