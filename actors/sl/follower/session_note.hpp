#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace swarm::actors {

/// A small file that names the training contract of the session under way, so that the next process knows
/// which training to leave when this one dies, or its machine loses power. It stands before the first
/// transaction of the session; that it goes again is not synced, as leaving a training twice does no harm.
class session_note {
public:
  explicit session_note(std::filesystem::path path);

  /// What the process before this one left behind; empty when there is nothing to leave, or nothing legible.
  const std::string& former() const { return kept_; }
  /// Keeps the note in step: `contract` is empty when no session is under way. Touches the disk on changes
  /// only, and has it on the disk when it returns.
  result<> keep(const std::string& contract);

private:
  std::filesystem::path path_;
  std::string kept_;
};

} // namespace swarm::actors
