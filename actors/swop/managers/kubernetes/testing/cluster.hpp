#pragma once

#include "actors/swop/managers/kubernetes/api.hpp"
#include "base/testing/temporary_folder.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace swarm::kubernetes::testing {

/// A cluster of this test's own that is none: an API server which runs containers as programs of this host. It is
/// tests/launcher/cluster.py, and says there what it can be told.
class cluster {
public:
  cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;
  ~cluster();

  /// Whether this host can have one; says so once when not. A test returns then.
  static bool is_there();

  const api_place& place() const { return place_; }
  std::shared_ptr<const kubernetes::api> api() const {
    return std::make_shared<const kubernetes::api>(place_);
  }
  std::string tell(const std::string& line);

private:
  std::string read_line();

  swarm::testing::temporary_folder folder_;
  api_place place_;
  int helper_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

} // namespace swarm::kubernetes::testing
