#pragma once

#include "actors/sl/files/gate/events.hpp"
#include "actors/sl/files/targets.hpp"
#include "config/members/member_rules.hpp"
#include "merge/store/model_store.hpp"
#include "transport/http/http.hpp"

#include <optional>

/// What the file server of an SL answers to another SL, or to a SWCI that saves a model:
///   GET /models/<digest>            the safetensors file, ranges allowed; of a merge that is still being fetched the ranges
///                                   that are here, and 404 at once for others
///   GET /models/<digest>/chunks     which of its chunks are here (gather/chunk_map.hpp): nothing, if there are none
///   GET /models/<digest>/manifest   its chunk digests (merge/model/manifest.hpp)
///   GET /models/<digest>/layout     its header: names, types and shapes of its tensors; <digest> may be the commitment
///                                   to a model that is not revealed yet
///   GET /shards/<first>             the chunk digests of the run of a merge that this node has made and that begins with this
///                                   chunk (shards/shard_list.hpp)
///   GET /shards/<first>/data        its bytes, ranges allowed
///   GET /merge                      the progress of the merge that this node leads (merge_progress.hpp)
///   GET /version                    which swarmd this is (`files.cpp` answers), for everybody who is trusted with a connection
/// Anything else gets status 404 or 405. All of it, but the version, is for those whom the gate lets in
/// (gate/model_gate.hpp); others get 403, or 404 for what is no model of theirs, or 503 when it cannot be
/// said yet. All functions may be called from any thread.
namespace swarm::actors {

struct merge_progress_board; // sl_context.hpp
class shard_board;           // shards/shard_board.hpp

enum class asked_part : std::uint8_t { file, manifest, layout, chunks, progress, shard, shard_data };

struct model_request {
  hash32 digest; ///< none for the progress and for shards
  asked_part part = asked_part::file;
  gate::asker who;
  std::optional<std::vector<std::uint64_t>> chunks{}; ///< of the file, as granted (gate::action::answer)
  std::uint64_t shard = 0;                            ///< its first chunk
};

/// None when the request asks for nothing that there may be.
std::optional<model_request> model_request_of(const transport::http_request& request,
                                              const members::member_rules& rules = {});
/// The answer to all other requests.
transport::http_response serve_other(const transport::http_request& request);
/// The answer to a request that is granted.
transport::http_response serve_model(merge::model_store& store, const merge_progress_board& board,
                                     const shard_board& shards, const model_request& what,
                                     const transport::http_request& request);
/// A model of the store with this layout; none when there is none.
std::optional<hash32> model_with(merge::model_store& store, const hash32& layout);
/// The answer to one that is not.
transport::http_response refusal_of(gate::action::verdict verdict, const std::string& why);

} // namespace swarm::actors
