#include "actors/sl/shards/shard_list.hpp"

#include <algorithm>

namespace swarm::actors {

namespace {

constexpr std::string_view domain = "swarmd shard v1";
constexpr std::size_t prefix_size = domain.size() + 8;
static_assert(prefix_size <= shard_list_bytes_max(0));

} // namespace

bytes encode(const shard_list& list) {
  bytes out(prefix_size + list.hashes.size() * 32);
  auto* at = std::copy(domain.begin(), domain.end(), out.data());
  put_be64(at, list.first);
  at += 8;
  for (const auto& hash : list.hashes)
    at = std::copy(hash.begin(), hash.end(), at);
  return out;
}

result<shard_list> decode_shard_list(bytes_view raw, std::uint64_t hashes_max) {
  if (raw.size() < prefix_size || as_text(raw.first(domain.size())) != domain)
    return fail(errc::corrupt, "this is no part of a merge: it does not begin with \"{}\"", domain);
  shard_list out;
  out.first = get_be64(raw.data() + domain.size());
  const auto hashes = raw.subspan(prefix_size);
  if (hashes.empty() || hashes.size() % 32 != 0 || hashes.size() / 32 > hashes_max)
    return fail(errc::corrupt, "{} bytes of hashes of a part of a merge; at most {} are expected",
                hashes.size(), hashes_max * 32);
  out.hashes.resize(hashes.size() / 32);
  for (std::size_t i = 0; i < out.hashes.size(); ++i)
    std::copy_n(hashes.begin() + static_cast<std::ptrdiff_t>(i * 32), 32, out.hashes[i].begin());
  return out;
}

} // namespace swarm::actors
