#include "actors/sn_client/known_sns.hpp"

#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace known_sns_test {

using namespace swarm;
using namespace swarm::actors;

TEST_CASE("the SNs that a node knows are there after a restart; what cannot be read is nothing") {
  const transport::test::temp_folder in;
  const auto file = in.path() / "known-sns";
  CHECK(read_known_sns(file).empty());
  REQUIRE(write_known_sns(file, {"b:2", "d:4"}));
  CHECK(read_known_sns(file) == std::vector<std::string>{"b:2", "d:4"});
  REQUIRE(write_known_sns(file, {"c:3"}));
  CHECK(read_known_sns(file) == std::vector<std::string>{"c:3"});
  std::ofstream(file, std::ios::trunc) << std::string(100'000, 'x') << "\n\n:\n";
  CHECK(read_known_sns(file).empty());
  CHECK(!write_known_sns("/proc/no-such-folder/sns", {"b:2"}));
}

TEST_CASE("the network of a node is remembered; what is no hash is nothing") {
  const transport::test::temp_folder in;
  const auto file = in.path() / "genesis";
  CHECK(!read_known_genesis(file));
  hash32 hash;
  hash[0] = 7;
  CHECK(network_name({}, file).empty());
  REQUIRE(write_known_genesis(file, hash));
  CHECK(network_name({}, file) == to_hex(hash.view(), false).substr(0, 8));
  CHECK(network_name(hash32{}, file) == "00000000");
  CHECK(read_known_genesis(file) == hash);
  for (const auto* text : {"", "0x", "0x12\n", "genesis"}) {
    std::ofstream(file, std::ios::trunc) << text;
    CHECK(!read_known_genesis(file));
  }
}

} // namespace known_sns_test
