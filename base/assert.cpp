#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace swarm {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "swarmd: internal error: %s does not hold at %s:%d; please report this\n", expression,
               file, line);
  std::abort();
}

} // namespace swarm
