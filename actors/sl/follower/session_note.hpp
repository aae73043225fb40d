#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace swarm::actors {

/// A small file that names the training contract of the session under way, so that the next process knows
/// which training to leave when this one dies or the machine loses power. It is durable before the first
/// transaction of the session is sent. Its removal is not synced, as leaving a training twice does no harm.
class session_note {
public:
  explicit session_note(std::filesystem::path path);

  /// The contract that the former process has not left; empty when there is none, or when the note
  /// is unreadable.
  const std::string& former() const { return kept_; }
  /// Updates the note; `contract` is empty when no session is under way. The disk is used only on changes,
  /// and the note is durable when this returns.
  result<> keep(const std::string& contract);

private:
  std::filesystem::path path_;
  std::string kept_;
};

} // namespace swarm::actors
