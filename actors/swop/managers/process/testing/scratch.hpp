#pragma once

#include "base/testing/temporary_folder.hpp"

namespace swarm::managers::test {

/// A folder that is removed after the test.
struct scratch {
  swarm::testing::temporary_folder folder;
  const std::filesystem::path& where = folder.path();
};

} // namespace swarm::managers::test
