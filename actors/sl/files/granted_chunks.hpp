#pragma once

#include "merge/model/layout.hpp"
#include "transport/http/http.hpp"

#include <span>

/// Which bytes of a model whoever makes some chunks of a merge again may read.
namespace swarm::actors {

/// Whether the range lies within the chunks `granted`, ascending, and those that have an end of a tensor that reaches into one
/// of them: by these it is told whether the tensor is the same in all models (merge/methods/remerge.hpp).
bool may_read(const merge::model_layout& layout, std::span<const std::uint64_t> granted,
              const transport::byte_range& range);

} // namespace swarm::actors
