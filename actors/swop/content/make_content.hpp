#pragma once

#include "actors/swop/content/download/download.hpp"
#include "actors/swop/content/extract/extract.hpp"
#include "actors/swop/content/operation.hpp"
#include "actors/swop/content/volumes.hpp"

#include <functional>

namespace swarm::content {

struct content_limits {
  download_limits download;
  extract_limits extract;
};

/// A MAKE_SWARM_USER_CONTENT task on this host.
struct content_request {
  std::string name; ///< the task's Outcome, which becomes the volume's name
  /// SWARMCONTENT: the SL nodes of the profile, each of which gets a copy. Empty for BUILDCONTENT: one for all.
  std::vector<std::uint64_t> nodes;
  std::vector<operation> operations;
  std::vector<std::filesystem::path> allowed; ///< for file: addresses
  environment variables;
};

struct content_progress {
  std::size_t operation = 0; ///< counts from 0
  operation::kind what = operation::kind::download;
  download_progress download; ///< of a download, or of an archive that is fetched
};
using on_content_progress = std::function<void(const content_progress&)>;

/// Carries out the operations, in their order, in a new folder that takes the volume's place when all are done. A
/// failure leaves the volume as it was; a download that broke off is gone on with at the next call. One call at a
/// time for each root. Blocks; ends soon after `stop` is requested.
result<> make_content(const content_request& what, const volumes& where, const content_limits& limits,
                      const std::stop_token& stop, const on_content_progress& progress = {});

} // namespace swarm::content
