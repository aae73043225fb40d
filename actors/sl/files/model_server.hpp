#pragma once

#include "actors/sl/sl_context.hpp"
#include "transport/http/http.hpp"

namespace swarm::actors {

/// Answers a request of another SL:
///   GET /models/<digest>            the safetensors file, ranges allowed
///   GET /models/<digest>/manifest   its chunk digests (merge/model/manifest.hpp)
///   GET /merge                      the progress of the merge that this node leads (merge_progress.hpp)
/// Anything else gets status 404 or 405. May be called from any thread.
transport::http_response serve_files(const sl_context& context, const transport::http_request& request);

/// Targets of requests.
std::string model_target(const hash32& digest);
std::string manifest_target(const hash32& digest);

} // namespace swarm::actors
