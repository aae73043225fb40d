#include "actors/node/data_dir.hpp"

#include "base/testing/wording.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

namespace data_dir_test {

using namespace swarm;
using namespace swarm::actors;
using swarm::testing::says;

TEST_CASE("a data directory that others may write to is refused, with what to do") {
  const merge::testing::temp_directory folder;
  const auto dir = folder.file("data");
  REQUIRE(::mkdir(dir.c_str(), 0700) == 0);
  for (const mode_t mode : {0700, 0711, 0755, 0500}) {
    REQUIRE(::chmod(dir.c_str(), mode) == 0);
    CHECK(check_data_dir(dir));
  }
  for (const mode_t mode : {0770, 0707, 0777, 01777}) {
    REQUIRE(::chmod(dir.c_str(), mode) == 0);
    const auto checked = check_data_dir(dir);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().is(errc::denied));
    CHECK(says(checked.error(), "chmod 700 '" + dir + "'"));
  }
  CHECK_FALSE(check_data_dir(folder.file("missing")));
}

} // namespace data_dir_test
