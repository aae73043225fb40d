#pragma once

#include "base/testing/temporary_folder.hpp"

#include <cstdio>
#include <string>

namespace swarm::engine::testing {

/// An engine of this test's own, `docker` or `podman`, that ends with the object, with all that is in it. It is made by
/// tests/launcher/engines.py.
class real_engine {
public:
  explicit real_engine(const std::string& kind);
  real_engine(const real_engine&) = delete;
  real_engine& operator=(const real_engine&) = delete;
  ~real_engine();

  /// Whether this host can have one; says so once when not. A test returns then.
  static bool is_there(const std::string& kind);

  const std::string& kind() const { return kind_; }
  const std::string& socket() const { return socket_; }
  const std::string& image() const { return image_; } ///< of busybox
  /// A folder of the host that is gone after the test.
  const std::filesystem::path& folder() const { return folder_.path(); }
  /// SIGKILL to the engine; its containers stay.
  void kill() { tell("kill"); }
  void start() { tell("start"); }

private:
  void tell(const std::string& word);
  std::string read_line();

  swarm::testing::temporary_folder folder_;
  std::string kind_, socket_, image_;
  int helper_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

} // namespace swarm::engine::testing
