#include "tools/swarmd/doctor/look/dial.hpp"
#include "tools/swarmd/doctor/look/look.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

namespace look_ports_test {

using namespace swarm;
using namespace swarm::doctor;
using state = port_facts::state;
using way = port_facts::way;

namespace {

unique_fd listener() {
  auto out = listen_on("127.0.0.1", 0);
  REQUIRE(out);
  return std::move(*out);
}

/// A port that was free a moment ago.
std::uint16_t free_port() {
  return port_of(listener());
}

} // namespace

TEST_CASE("a free port, and the way to it") {
  const auto port = free_port();
  const auto found = look_at_port({"p", "127.0.0.1", port, {"127.0.0.1", port}, false}, std::nullopt);
  CHECK(found.is == state::free);
  CHECK(found.reached == way::arrives);
  CHECK(found.only_here);
  CHECK(found.told == host_port("127.0.0.1", port));
  const auto any = look_at_port({"p", "0.0.0.0", 0, {"127.0.0.1", 0}, false}, std::nullopt);
  CHECK(any.reached == way::arrives);
  CHECK(look_at_port({"p", "127.0.0.1", port, {}, false}, std::nullopt).reached == way::not_tried);
}

TEST_CASE("a way that leads to somebody else, or nowhere") {
  const auto other = listener();
  const endpoint told{"127.0.0.1", port_of(other)};
  CHECK(look_at_port({"p", "127.0.0.1", free_port(), told, false}, std::nullopt).reached == way::elsewhere);
  CHECK(look_at_port({"p", "127.0.0.1", free_port(), told, true}, std::nullopt).reached == way::answers);
  const auto nowhere =
      look_at_port({"p", "127.0.0.1", free_port(), {"127.0.0.1", free_port()}, false}, std::nullopt);
  CHECK(nowhere.reached == way::unreachable);
  CHECK(!nowhere.way_trouble.empty());
}

TEST_CASE("a port that is taken: by whom") {
  const auto other = listener();
  const port_wanted wanted{"p", "127.0.0.1", port_of(other), {"127.0.0.1", port_of(other)}, false};
  const auto foreign = look_at_port(wanted, std::nullopt);
  CHECK(foreign.is == state::foreign);
  CHECK(foreign.reached == way::not_tried);
  CHECK(foreign.holder.ends_with(fmt::format("process {}", ::getpid())));
  CHECK(look_at_port(wanted, ::getpid() + 1).is == state::foreign);
  const auto own = look_at_port(wanted, ::getpid());
  CHECK(own.is == state::own);
  CHECK(own.reached == way::answers);
}

TEST_CASE("a port that cannot be had at all") {
  const auto found =
      look_at_port({"p", "192.0.2.1", 30305, {}, false}, std::nullopt); // no address of this host
  CHECK(found.is == state::refused);
  CHECK(!found.trouble.empty());
}

} // namespace look_ports_test
