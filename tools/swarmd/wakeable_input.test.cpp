#include "tools/swarmd/wakeable_input.hpp"

#include "actors/swci/language/words.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <thread>

namespace wakeable_input_test {

using namespace swarm;

namespace {

struct pipe_ends {
  pipe_ends() {
    std::array<int, 2> both{};
    REQUIRE(::pipe(both.data()) == 0);
    out = unique_fd(both[0]);
    in = unique_fd(both[1]);
  }
  void write(std::string_view text) const {
    REQUIRE(::write(in.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  unique_fd out, in;
};

} // namespace

TEST_CASE("lines come as they are written, the last one without an end, too") {
  pipe_ends pipe;
  wakeable_input input(pipe.out.get());
  pipe.write("one\n\nthr");
  CHECK(input.next_line() == "one");
  CHECK(input.next_line() == "");
  pipe.write("ee\nlast");
  CHECK(input.next_line() == "three");
  pipe.in = {};
  CHECK(input.next_line() == "last");
  CHECK(input.next_line() == std::nullopt);
}

TEST_CASE("a line that is far too long is cut off, and the next one is whole") {
  pipe_ends pipe;
  wakeable_input input(pipe.out.get());
  std::thread writer([&] { pipe.write(std::string(1'000'000, 'x') + "\nnext\n"); });
  const auto line = input.next_line();
  REQUIRE(line);
  CHECK(line->size() == swci::line_bytes_max + 1);
  CHECK(input.next_line() == "next");
  writer.join();
}

TEST_CASE("whoever waits can be woken, before and meanwhile") {
  pipe_ends pipe;
  wakeable_input input(pipe.out.get());
  input.wake();
  CHECK(input.next_line() == std::nullopt);
  std::thread other([&] { input.wake(); });
  CHECK(!input.wait());
  other.join();
  pipe.write("x");
  CHECK(input.wait());
}

} // namespace wakeable_input_test
