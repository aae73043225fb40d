#pragma once

#include "actors/swci/language/holes.hpp"
#include "actors/swci/language/render/answers.hpp"
#include "actors/swci/language/session/contexts.hpp"
#include "actors/swci/language/session/user_folder.hpp"

#include <mutex>

namespace swarm::swci {

/// The names that an operator may mean, for completion. Those of the present context's network come from
/// answers, so no SN is asked while somebody types; files are looked up. May be used from several threads.
class known_names {
public:
  explicit known_names(user_folder folder) : folder_(std::move(folder)) {}

  /// Where the session stands. The names of another network than before are forgotten.
  void session_stands(const context_list& contexts, const std::string& working_folder);
  /// What an answer from the network of `context` names. A list takes the place of the one before.
  void learn(const std::string& context, const answer& what);
  /// Those of a kind. Of files, those of the folder that `prefix` leads to, written with its path; folders
  /// end with '/'.
  std::vector<std::string> of(hole_kind kind, const std::string& prefix) const;
  /// How many of each kind: an object as JSON.
  std::string counts_json() const;

private:
  std::vector<std::string> files(const std::string& prefix, bool folders_only) const;

  const user_folder folder_;
  mutable std::mutex mutex_;
  std::vector<std::string> contexts_;
  std::string context_; ///< the default one
  std::string working_; ///< a path inside
  std::vector<std::string> contracts_, tasks_, taskrunners_, organisations_, nodes_, swops_;
};

} // namespace swarm::swci
