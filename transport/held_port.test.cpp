#include "transport/held_port.hpp"

#include "transport/errors.hpp"
#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <set>

namespace held_port_test {

using namespace swarm;
using namespace swarm::transport;

TEST_CASE("a held port is nobody else's, and a server may come to it more than once") {
  const test::temp_folder folder;
  const test::authority authority(folder.path(), "CA");
  const auto identity = tls_identity::load(authority.issue("node"));
  REQUIRE(identity);
  io_runtime io(1);
  for (const auto* address : {"127.0.0.1", "0.0.0.0"}) {
    const auto held = hold_free_port(address);
    REQUIRE(held);
    for (int times = 0; times < 2; ++times) {
      const auto server = http_server::start(io, *identity, {.address = address, .port = held->number},
                                             [](const http_request&, const http_reply&) {});
      REQUIRE_MESSAGE(server, server.error().message);
      CHECK((*server)->port() == held->number);
    }
  }
  CHECK(hold_free_port("localhost").error().is(net_errc::address));
}

TEST_CASE("ports that are held are different ones") {
  std::vector<held_port> all;
  std::set<std::uint16_t> numbers;
  for (int i = 0; i < 200; ++i) {
    auto one = hold_free_port("0.0.0.0");
    REQUIRE(one);
    numbers.insert(one->number);
    all.push_back(std::move(*one));
  }
  CHECK(numbers.size() == all.size());
}

} // namespace held_port_test
