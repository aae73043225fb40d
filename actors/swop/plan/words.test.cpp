#include "actors/swop/plan/words.hpp"

#include <doctest/doctest.h>

namespace words_test {

using namespace swarm::actors;

TEST_CASE("words are what is between blanks") {
  CHECK(words_of("  model/mnist.py\t--cuda  2 ")
        == std::vector<std::string>{"model/mnist.py", "--cuda", "2"});
  CHECK(words_of(" \t").empty());
}

TEST_CASE("sizes as docker run takes them") {
  CHECK(bytes_of("100") == 100);
  CHECK(bytes_of("100b") == 100);
  CHECK(bytes_of("64m") == 64 << 20);
  CHECK(bytes_of("8GB") == std::uint64_t{8} << 30);
  CHECK(bytes_of("2Kib") == 2048);
  CHECK(bytes_of("1t") == std::uint64_t{1} << 40);
  for (const char* none : {"", "g", "0", "-1", "1x", "1 g", "99999999999999999999", "18446744073709551615k"})
    CHECK_FALSE(bytes_of(none));
}

} // namespace words_test
