#include "actors/sl/follower/commit_secret.hpp"

#include "base/testing/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace commit_secret_test {

using swarm::actors::open_commit_secret;
namespace fs = std::filesystem;

TEST_CASE("a node has one secret in all its lives, and no other node has it") {
  const swarm::testing::temporary_folder in;
  const auto first = open_commit_secret(in / "secret");
  REQUIRE(first);
  CHECK(!first->is_zero());
  CHECK(*open_commit_secret(in / "secret") == *first);
  CHECK(*open_commit_secret(in / "other") != *first);
  CHECK((fs::status(in / "secret").permissions() & fs::perms::all)
        == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a secret that is not legible is replaced") {
  const swarm::testing::temporary_folder in;
  const auto file = in / "secret";
  const auto first = *open_commit_secret(file);
  for (const auto size : {0, 31, 33}) {
    std::ofstream(file, std::ios::trunc) << std::string(static_cast<std::size_t>(size), 'a');
    const auto next = open_commit_secret(file);
    REQUIRE(next);
    CHECK(*next != first);
    CHECK(*open_commit_secret(file) == *next);
  }
  CHECK(!open_commit_secret("/proc/no-such-folder/secret"));
}

} // namespace commit_secret_test
