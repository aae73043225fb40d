#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace swarm::tasks::test {

/// The text of one of the files in testing/examples.
inline std::string example(const std::string& name) {
  std::ifstream in(SWARM_SOURCE_DIR "/config/tasks/testing/examples/" + name);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// `text` with the first `from` made `to`.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

} // namespace swarm::tasks::test
