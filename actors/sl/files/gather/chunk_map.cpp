#include "actors/sl/files/gather/chunk_map.hpp"

#include "base/result.hpp"

#include <algorithm>

namespace swarm::actors {

bytes encode_chunk_map(const std::vector<bool>& chunks) {
  bytes out(chunk_map_bytes_max(chunks.size()));
  for (std::size_t i = 0; i < chunks.size(); ++i)
    if (chunks[i]) out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | 1U << (i % 8));
  return out;
}

result<std::vector<bool>> decode_chunk_map(bytes_view raw, std::size_t count) {
  if (raw.size() > chunk_map_bytes_max(count))
    return fail(errc::limit, "{} bytes say which of {} chunks it has, more than that takes", raw.size(),
                count);
  std::vector<bool> out(count);
  for (std::size_t i = 0; i < std::min(count, raw.size() * 8); ++i)
    out[i] = (raw[i / 8] >> (i % 8) & 1) != 0;
  return out;
}

} // namespace swarm::actors
