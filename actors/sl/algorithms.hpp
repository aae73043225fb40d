#pragma once

#include "actors/sl/sl_context.hpp"
#include "merge/methods/merge.hpp"

namespace swarm::actors {

/// A merge method, and what makes its algorithm when that comes from a library of this node.
struct usable_method {
  merge_method method;
  merge::algorithm_maker custom;
};

/// Errors: those of `parse_merge_method` and `open_library`.
result<usable_method> method_for(const sl_context& context, std::string_view text);

} // namespace swarm::actors
