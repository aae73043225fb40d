#pragma once

#include "actors/supervision/directory.hpp"

#include <string_view>

namespace swarm::actors {

/// Notices when a sibling was restarted, as it has then forgotten what it was told and asked for.
class sibling_watch {
public:
  struct found {
    caf::actor actor; ///< null while there is none
    bool is_new = false;
  };
  /// The actor at `path`, and whether it is another one than at the last call.
  found find(const directory& dir, std::string_view path) {
    auto actor = dir.find(path);
    const bool is_new = actor && actor.id() != last_;
    if (is_new) last_ = actor.id();
    return {std::move(actor), is_new};
  }

private:
  caf::actor_id last_ = 0;
};

} // namespace swarm::actors
