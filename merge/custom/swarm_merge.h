/* A merge method of your own: a shared library that defines the two functions below, named by --merge-library at each SL
 * and by mergeMethod="custom:NAME" in each program. See docs/merging.md. */
#ifndef SWARM_MERGE_H
#define SWARM_MERGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SWARM_MERGE_ABI 1

/* Some elements of one tensor, of all models that are merged. */
struct swarm_merge_part {
  const char* dtype;         /* as in safetensors: "F64", "F32", "F16", "BF16", "I64", ..., "BOOL" */
  uint64_t count;            /* elements */
  uint32_t models;           /* always the same in one merge */
  const double* weights;     /* one for each model, > 0; only ratios matter */
  const void* const* inputs; /* `count` elements of each model, aligned to 64 bytes; all finite */
  void* out;                 /* `count` elements, to be filled with finite values */
};

/* Returns SWARM_MERGE_ABI. */
uint32_t swarm_merge_abi(void);

/* Fills part->out; returns 0, or anything else to fail the merge. What it makes of an element must depend on nothing but
 * that element's inputs and the weights, and be the same on every machine: another SL may have to repeat the merge. */
int32_t swarm_merge_combine(const struct swarm_merge_part* part);

#ifdef __cplusplus
}
#endif

#endif
