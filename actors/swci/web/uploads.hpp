#pragma once

#include "actors/swci/language/session/user_folder.hpp"
#include "actors/swci/web/requests.hpp"

#include <set>

namespace swarm::swci {

/// Puts uploaded task definitions into folders of the user folder.
class upload_folder {
public:
  explicit upload_folder(user_folder folder) : folder_(std::move(folder)) {}

  /// Writes the file at once or not at all; `inside` is the path of a folder in the user folder. The user folder may hold
  /// an init script and profiles of SWOPs, which decide what programs run: what is there already is replaced only when it
  /// is a task definition or was put there by this object. Returns the file's path as operators see it.
  result<std::string> store(std::string_view inside, const order::upload& file);

private:
  static constexpr std::size_t remembered_max = 10'000;

  user_folder folder_;
  std::set<std::string> own_; ///< paths inside
};

} // namespace swarm::swci
