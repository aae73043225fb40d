#include "actors/sl/shards/shard_list.hpp"

#include "base/hash.hpp"

#include <doctest/doctest.h>

namespace shard_list_test {

using namespace swarm;
using namespace swarm::actors;

namespace {

shard_list some(std::size_t count) {
  shard_list out{.first = 8, .hashes = {}};
  for (std::size_t i = 0; i < count; ++i)
    out.hashes.push_back(sha256(bytes(i + 1)));
  return out;
}

} // namespace

TEST_CASE("a part's hashes come as they were sent, and anything else is refused") {
  const auto list = some(5);
  const auto raw = encode(list);
  CHECK(raw.size() <= shard_list_bytes_max(5));
  CHECK(decode_shard_list(raw, 5).value() == list);
  CHECK_FALSE(decode_shard_list(raw, 4));
  CHECK_FALSE(decode_shard_list(bytes_view(raw).first(raw.size() - 1), 5));
  CHECK_FALSE(decode_shard_list(encode(some(0)), 5));
  CHECK_FALSE(decode_shard_list({}, 5));
  auto other = raw;
  other[0] ^= 1;
  CHECK_FALSE(decode_shard_list(other, 5));
}

} // namespace shard_list_test
