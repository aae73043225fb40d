#include "actors/swop/managers/docker/networks.hpp"

#include "actors/swop/managers/manager.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <fmt/ranges.h>

#include <algorithm>

namespace swarm::managers {

namespace ip = boost::asio::ip;
using boost::system::error_code;

namespace {

bool lies_in(const ip::address& what, const std::string& subnet) {
  error_code failure;
  if (what.is_v6()) {
    const auto range = ip::make_network_v6(subnet, failure);
    return !failure && ip::network_v6(what.to_v6(), range.prefix_length()).network() == range.network();
  }
  const auto range = ip::make_network_v4(subnet, failure);
  return !failure && ip::network_v4(what.to_v4(), range.prefix_length()).network() == range.network();
}

/// The first address of a subnet is the subnet's, the last one of IPv4 is that of all who are in it.
bool is_of_all(const ip::address& what, const std::string& subnet) {
  error_code failure;
  if (what.is_v6()) {
    const auto range = ip::make_network_v6(subnet, failure);
    return !failure && what.to_v6() == range.network();
  }
  const auto range = ip::make_network_v4(subnet, failure);
  return !failure && (what.to_v4() == range.network() || what.to_v4() == range.broadcast());
}

} // namespace

result<> check_address(const engine::network_facts& network, const std::string& address) {
  error_code failure;
  const auto wanted = ip::make_address(address, failure);
  if (failure)
    return fail(manager_errc::not_started, "'{}' is no address for the network {}", address, network.name);
  std::vector<std::string> subnets;
  std::ranges::copy_if(network.subnets, std::back_inserter(subnets),
                       [](const auto& each) { return !each.empty(); });
  const auto at = std::ranges::find_if(subnets, [&](const auto& each) { return lies_in(wanted, each); });
  if (at == subnets.end()) {
    if (subnets.empty()) return {}; // the engine knows
    return fail(manager_errc::not_started, "the address {} is not in the network {}, which has {}", address,
                network.name, fmt::join(subnets, " and "));
  }
  if (is_of_all(wanted, *at) || std::ranges::find(network.gateways, address) != network.gateways.end())
    return fail(manager_errc::not_started,
                "the address {} is that of the network {} ({}) itself: choose another one", address,
                network.name, *at);
  return {};
}

result<> check_network(engine::client& of, const container_spec& what) {
  if (engine::is_engines_own(what.network)) return {};
  const auto there = of.network(what.network);
  if (!there) {
    if (!there.error().is(engine::engine_errc::not_found)) return {}; // the call that needs it says so
    return fail(manager_errc::not_started,
                "there is no network {}: have the engine create it, or name another one in the SWOP profile",
                what.network);
  }
  return what.address.empty() ? result<>{} : check_address(*there, what.address);
}

std::string taken_by(const container_spec& what) {
  std::string out;
  if (!what.address.empty())
    out = fmt::format("the address {} in the network {}", what.address, what.network);
  for (const auto& each : what.ports)
    out += fmt::format("{}the port {} of this host", out.empty() ? "" : " and ", each.host);
  return out;
}

} // namespace swarm::managers
