#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <vector>

/// Which chunks of a model a node has, as it tells others: chunk i is bit i % 8 of byte i / 8, the lowest first. What is not
/// there is not had.
namespace swarm::actors {

bytes encode_chunk_map(const std::vector<bool>& chunks);
/// The longest encoding for so many chunks.
constexpr std::size_t chunk_map_bytes_max(std::size_t count) {
  return (count + 7) / 8;
}
/// For a model of `count` chunks; bits behind them are ignored. Fails with errc::limit when there are more bytes than that takes.
result<std::vector<bool>> decode_chunk_map(bytes_view raw, std::size_t count);

} // namespace swarm::actors
