// A merge library for tests. KIND says what it is like: 1 takes the model in the middle of the list of F32
// ones, the others go wrong.
#include "merge/custom/swarm_merge.h"

#include <cmath>
#include <csignal>
#include <cstring>

enum kind { middle = 1, other_abi, fails, stops, loops, nan_values };

#if KIND != 7 // that one has no functions at all

extern "C" uint32_t swarm_merge_abi(void) {
  return KIND == other_abi ? SWARM_MERGE_ABI + 1 : SWARM_MERGE_ABI;
}

extern "C" int32_t swarm_merge_combine(const swarm_merge_part* part) {
  if (KIND == fails) return 7;
  if (KIND == stops) raise(SIGSEGV);
  while (KIND == loops)
    part->count == 0 ? void() : void(part->weights[0] + 1);
  if (std::strcmp(part->dtype, "F32") != 0) return 1;
  auto* out = static_cast<float*>(part->out);
  std::memcpy(out, part->inputs[part->models / 2], part->count * sizeof(float));
  if (KIND == nan_values) out[0] = NAN;
  return 0;
}

#endif
