#pragma once

#include "actors/sl/files/wanted_model.hpp"
#include "actors/sl/sl_context.hpp"

#include <functional>

namespace swarm::actors {

struct fetch_counters {
  std::atomic<std::uint64_t> bytes_received = 0;
};

/// Why a fetch failed, where somebody reacts to it.
enum class fetch_errc {
  later = 1,   ///< a holder cannot say yet whether this node may have the model
  own_store,   ///< this node's store or disk does not take it; other holders would not help
  unreachable, ///< no holder has answered at all
  not_there    ///< the same, as nobody listens at the address of any
};
/// A node that has ended is back by then, if something starts it again.
inline constexpr std::chrono::seconds restart_max{3};
constexpr std::string_view error_category(fetch_errc) {
  return "fetch";
}

/// Fetches a model into the store of `context`. Every chunk is checked, and what is here of it already, from an earlier
/// fetch, is not asked for again. A merge of at least `spread_chunks_min` chunks comes from several of its holders at once,
/// any other model from the first of them that delivers it; after a failure the next one goes on where the last one stopped.
/// It takes room on the disk as chunks are checked, whatever their number is said to be. `done` runs once, on an io thread or
/// inside the call, with the model's layout digest or with what each holder did wrong.
void fetch_model_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                       wanted_model what, std::function<void(result<hash32>)> done);
inline constexpr std::size_t spread_chunks_min = 8;

/// Fetches only the layout of that model, of which `layout` is the digest, from the first of `holders` that
/// gives it.
void fetch_layout_async(std::shared_ptr<const sl_context> context, const hash32& digest, std::uint64_t size,
                        const hash32& layout, std::vector<rounds::holder> holders,
                        std::function<void(result<merge::model_layout>)> done);

} // namespace swarm::actors
