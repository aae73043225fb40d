/* A merge method of one's own: halfway between the smallest and the largest value.
 *
 *     cc -shared -fPIC -O2 -I . -o midrange.so examples/merge_library/midrange.c    (at the top of the tree)
 *
 * Every SL gets --merge-library midrange.so, every program says mergeMethod="custom:midrange". */
#include "merge/custom/swarm_merge.h"

#include <string.h>

uint32_t swarm_merge_abi(void) {
  return SWARM_MERGE_ABI;
}

#define MIDRANGE(type)                                                                                       \
  do {                                                                                                       \
    type* out = part->out;                                                                                   \
    for (uint64_t i = 0; i < part->count; ++i) {                                                             \
      type low = ((const type*)part->inputs[0])[i], high = low;                                              \
      for (uint32_t k = 1; k < part->models; ++k) {                                                          \
        const type x = ((const type*)part->inputs[k])[i];                                                    \
        if (x < low) low = x;                                                                                \
        if (x > high) high = x;                                                                              \
      }                                                                                                      \
      out[i] = low / 2 + high / 2;                                                                           \
    }                                                                                                        \
    return 0;                                                                                                \
  } while (0)

int32_t swarm_merge_combine(const struct swarm_merge_part* part) {
  if (strcmp(part->dtype, "F32") == 0) MIDRANGE(float);
  if (strcmp(part->dtype, "F64") == 0) MIDRANGE(double);
  return 1; /* this swarm's models have no other types */
}
