#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace swarm::managers::test {

/// A folder that is removed after the test.
struct scratch {
  std::filesystem::path where;

  scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "swarm-manager-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    where = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { std::filesystem::remove_all(where); }
};

} // namespace swarm::managers::test
