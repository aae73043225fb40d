#include "merge/methods/parts.hpp"

#include <algorithm>

namespace swarm::merge {

std::vector<std::size_t> tensors_in(const model_layout& layout, std::uint64_t first, std::uint64_t last) {
  const auto& tensors = layout.tensors();
  const auto start = layout.data_offset();
  auto it = std::partition_point(tensors.begin(), tensors.end(), [&](const tensor_info& one) {
    return start + one.offset + one.size <= first;
  });
  std::vector<std::size_t> out;
  for (; it != tensors.end() && start + it->offset < last; ++it)
    if (it->size > 0) out.push_back(static_cast<std::size_t>(it - tensors.begin()));
  return out;
}

std::vector<chunk_piece> pieces_of(const model_layout& layout, std::uint64_t index) {
  const auto first = index * chunk_size;
  const auto last = std::min(first + chunk_size, layout.file_size());
  std::vector<chunk_piece> out;
  for (const auto tensor : tensors_in(layout, first, last)) {
    const auto& info = layout.tensors()[tensor];
    const auto begin = layout.data_offset() + info.offset;
    const auto from = std::max(begin, first);
    const auto to = std::min(begin + info.size, last);
    out.push_back({tensor, index, from - first, to - from, (from - begin) / size_of(info.type)});
  }
  return out;
}

} // namespace swarm::merge
