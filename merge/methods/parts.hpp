#pragma once

#include "merge/model/layout.hpp"
#include "merge/model/manifest.hpp"

#include <vector>

/// In which parts a model is walked through, by whoever merges it: from the beginning of a chunk or of a tensor on.
namespace swarm::merge {

/// Elements of one part, and so of one task.
inline constexpr std::uint64_t part_elements = 32768;

/// What a tensor has in one chunk of the file.
struct chunk_piece {
  std::size_t tensor = 0;
  std::uint64_t chunk = 0;
  std::uint64_t at = 0;    ///< bytes from the beginning of the chunk
  std::uint64_t size = 0;  ///< bytes
  std::uint64_t first = 0; ///< element of the tensor
};

/// Those of a file of this canonical layout with bytes in [first, last), in the order of the file.
std::vector<std::size_t> tensors_in(const model_layout& layout, std::uint64_t first, std::uint64_t last);
/// The pieces of chunk `index`, in this order.
std::vector<chunk_piece> pieces_of(const model_layout& layout, std::uint64_t index);

inline std::uint64_t chunks_in(const model_layout& layout) {
  return (layout.file_size() + chunk_size - 1) / chunk_size;
}

} // namespace swarm::merge
