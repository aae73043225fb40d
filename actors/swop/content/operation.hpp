#pragma once

#include "actors/swop/content/errors.hpp"
#include "base/bytes.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace swarm::content {

/// One item of the OpsList of a MAKE_SWARM_USER_CONTENT task.
struct operation {
  enum class kind { download, extract };

  kind what = kind::download;
  /// An address (http, https, file) or an absolute path. For EXTRACT also the path of an archive that an earlier
  /// operation has put into the volume.
  std::string target;
  /// Below the volume: the file of a DOWNLOAD, the folder of an EXTRACT (empty: the volume itself).
  std::string out;
  /// Of the downloaded file, or of the archive.
  std::optional<hash32> sha256;
};

/// The Options of an item, in the order in which the task has them. Keys are "Out" and, ours, "Sha256", in any case.
using operation_options = std::vector<std::pair<std::string, std::string>>;

/// Reads one item. `name` is DOWNLOAD or EXTRACT. A DOWNLOAD without Out, or with one that ends in a slash, takes
/// the last part of the address as the file's name.
result<operation> read_operation(std::string_view name, std::string_view target,
                                 const operation_options& options);

/// True when `target` is an address or an absolute path, and not one in the volume.
bool is_outside_volume(std::string_view target);

} // namespace swarm::content
