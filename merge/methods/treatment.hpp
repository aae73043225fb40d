#pragma once

#include "merge/store/model_store.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace swarm::merge {

/// What becomes of one tensor in a merge, whatever the method. Not everything in a model is a quantity.
enum class treatment : std::uint8_t {
  carried, ///< the same bytes in all files: they are the result, whatever values they stand for
  elected, ///< integers and BOOL: counters, masks, tables; see `elect`
  merged,  ///< by the method
};

/// One treatment for each of `layout().tensors()` of the files, which have equal layouts. A 0-d F64 that is a
/// whole number in all files is elected: that is what the ML channel makes of an integer scalar. A single
/// file has nothing to be compared with; what has NaN in it is not carried then, so that the caller finds it.
std::vector<treatment> plan_treatments(std::span<const model_file* const> files);

/// What becomes of a tensor that is not the same in all files. Of a tensor without dimensions `data` has the element
/// in each of them, of others it is not looked at.
treatment treatment_of_differing(const tensor_info& tensor, std::span<const bytes_view> data);

/// Whether any element of `raw` is NaN.
bool has_nan(dtype type, bytes_view raw);

} // namespace swarm::merge
