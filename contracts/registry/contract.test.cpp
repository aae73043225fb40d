#include "contracts/registry/contract.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace registry_contract_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

node_view node_of(const memory_world& world, const address& account) {
  return decode_node(world.view({}, node_registry_address(), encode_node(account)).output).value();
}
wording refusal(memory_world& world, const address& from, const register_node_args& args) {
  const auto done = world.send(from, node_registry_address(), encode_register_node(args));
  return done.ok ? "" : revert_text(done.output);
}
register_node_args sl_args() {
  register_node_args args;
  args.type = node_type::sl;
  args.identity.fill(1);
  args.parent = test_account(9);
  args.name = "Zürich";
  args.endpoint = "sl1.example:30305";
  return args;
}

} // namespace

TEST_CASE("a node registers, changes its entry, leaves and comes back") {
  memory_world world(make_contracts());
  const auto sl = test_account(1);
  CHECK(node_of(world, sl) == node_view{});
  auto args = sl_args();
  const auto done = world.send(sl, node_registry_address(), encode_register_node(args));
  REQUIRE(done.ok);
  REQUIRE(done.events.size() == 1);
  CHECK(decode_event<node_registry_interface>(done.events[0].topics, done.events[0].data).value()
        == node_event{node_registered{
            sl, args.type, 0, args.identity, 0, 0, args.parent, args.name, args.endpoint, {}}});
  CHECK(node_of(world, sl)
        == node_view{sl, node_type::sl, true, false, 1, 0, args.identity, 0, 0, args.parent, args.name,
                     args.endpoint});

  args.name = std::string(64, 'n');
  args.endpoint = std::string(260, 'e');
  CHECK(refusal(world, sl, args) == "");
  CHECK(node_of(world, sl).name == args.name);
  CHECK(node_of(world, sl).endpoint == args.endpoint);
  CHECK(node_of(world, sl).since_block == 2);

  const auto left = world.send(sl, node_registry_address(), encode_leave_node());
  REQUIRE(left.ok);
  CHECK(decode_event<node_registry_interface>(left.events[0].topics, left.events[0].data).value()
        == node_event{node_left{sl, node_type::sl}});
  CHECK(!node_of(world, sl).active);
  CHECK(node_of(world, sl).since_block == 3);
  const auto again = world.send(sl, node_registry_address(), encode_leave_node());
  CHECK(wording(revert_text(again.output)) == to_hex(sl.view()) + " left already, in block 3");
  CHECK(refusal(world, sl, sl_args()) == "");
  CHECK(node_of(world, sl).active);
  CHECK(node_of(world, sl).endpoint == "sl1.example:30305");
  CHECK(decode_node_count(world.view({}, node_registry_address(), encode_node_count()).output).value() == 1);
}

TEST_CASE("entries out of bounds are refused in words") {
  memory_world world(make_contracts());
  const auto me = test_account(1);
  const auto with = [&](auto change) {
    auto args = sl_args();
    change(args);
    return refusal(world, me, args);
  };
  CHECK(with([](auto& a) { a.name = std::string(65, 'x'); }) == "name has 65 bytes, at most 64 are allowed");
  CHECK(with([](auto& a) { a.name = "a\x1b[31m"; }) == "name has a control character at byte 1");
  CHECK(with([](auto& a) { a.endpoint = std::string(261, 'x'); })
        == "endpoint has 261 bytes, at most 260 are allowed");
  CHECK(with([](auto& a) { a.endpoint = "two words"; })
        == "endpoint 'two words' has characters other than printable ASCII");
  CHECK(with([](auto& a) { a.type = node_type{}; })
        == "nodeType 0 is unknown, expected 1 (SN), 2 (SL), 3 (SWOP) or 4 (SWCI)");
  CHECK(with([](auto& a) { a.type = static_cast<node_type>(5); })
        == "register(uint8,uint16,bytes32,uint64,uint64,address,string,string,bytes): call data is not its "
           "canonical ABI encoding: item "
           "1: "
           "value 5, expected 0 to 4");
  CHECK(with([](auto& a) { a.type = node_type::sn; })
        == "an SN has no parent, got " + to_hex(test_account(9).view()));
  const auto never = world.send(me, node_registry_address(), encode_leave_node());
  CHECK(wording(revert_text(never.output)) == to_hex(me.view()) + " is not registered");
  CHECK(with([](auto&) {}) == "");
  CHECK(with([](auto& a) { a.type = node_type::swci; })
        == to_hex(me.view()) + " is registered as SL and cannot become SWCI");
}

TEST_CASE("nodes are listed in pages and limited in number") {
  memory_world world(make_contracts());
  for (std::uint16_t i = 0; i < nodes_max; ++i)
    REQUIRE(register_node(world, test_account(i), node_type::sl, "n").ok);
  const auto full = register_node(world, test_account(nodes_max), node_type::sl);
  CHECK(wording(revert_text(full.output)) == "the network is full: 4096 nodes are registered");
  CHECK(register_node(world, test_account(7), node_type::sl, "renewed").ok);
  const auto page = [&world](std::uint64_t first, std::uint64_t count) {
    return decode_nodes(world.view({}, node_registry_address(), encode_nodes(first, count)).output).value();
  };
  CHECK(page(0, 1000).size() == 256);
  CHECK(page(4000, 256).size() == 96);
  CHECK(page(4096, 1).empty());
  REQUIRE(page(7, 1).size() == 1);
  CHECK(page(7, 1)[0].account == test_account(7));
  CHECK(page(7, 1)[0].name == "renewed");
}

TEST_CASE("types of nodes have names for people") {
  CHECK(to_string(node_type::swci) == "SWCI");
}

} // namespace registry_contract_test
