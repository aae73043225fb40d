#include "actors/sl/algorithms.hpp"

#include "merge/custom/library.hpp"

namespace swarm::actors {

result<usable_method> method_for(const sl_context& context, std::string_view text) {
  SWARM_TRY(auto method, parse_merge_method(text));
  usable_method out{.method = std::move(method), .custom = {}};
  if (out.method.kind == merge_method::custom && out.method.library) {
    SWARM_TRY(out.custom, merge::open_library(context.options.merge_library, *out.method.library));
  }
  return out;
}

} // namespace swarm::actors
