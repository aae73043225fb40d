#include "base/random.hpp"

#include "base/assert.hpp"

#include <openssl/rand.h>

namespace swarm {

void fill_random(std::span<std::uint8_t> out) {
  SWARM_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

} // namespace swarm
