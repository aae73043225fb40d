#pragma once

#include "actors/sl/files/targets.hpp"
#include "actors/sl/sl_context.hpp"
#include "transport/http/http.hpp"

namespace swarm::actors {

/// Answers a request of another SL, or of a SWCI that saves a model:
///   GET /models/<digest>            the safetensors file, ranges allowed
///   GET /models/<digest>/manifest   its chunk digests (merge/model/manifest.hpp)
///   GET /merge                      the progress of the merge that this node leads (merge_progress.hpp)
/// Anything else gets status 404 or 405. May be called from any thread.
transport::http_response serve_files(const sl_context& context, const transport::http_request& request);

} // namespace swarm::actors
