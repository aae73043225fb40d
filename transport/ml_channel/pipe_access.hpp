#pragma once

#include "base/result.hpp"

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace swarm::ml {

/// Who may read and write the pipes beside the user that the node runs as. Whoever may takes the program's
/// place: reads the swarm's models and sends its own.
struct pipe_access {
  bool everybody = false;     ///< mode 0777, else 0660
  std::optional<gid_t> group; ///< none: that of the process
};

/// A group by its name or number, as this host knows it.
result<gid_t> find_group(std::string_view name);

} // namespace swarm::ml
