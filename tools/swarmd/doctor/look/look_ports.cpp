#include "tools/swarmd/doctor/look/dial.hpp"
#include "tools/swarmd/doctor/look/look.hpp"

#include <algorithm>

namespace swarm::doctor {

namespace {

constexpr std::chrono::milliseconds connect_max{2000}, arrival_max{1000};

bool all_loopback(const std::vector<socket_address>& addresses) {
  return !addresses.empty() && std::all_of(addresses.begin(), addresses.end(), is_loopback);
}

/// Whether the address that others are told leads to `listening`, or to somebody, when that is empty.
void go_the_way(port_facts& into, const port_wanted& what, unique_fd listening) {
  using way = port_facts::way;
  const auto number = what.told.port != 0 ? what.told.port : port_of(listening);
  into.host = what.told.host;
  into.told = host_port(what.told.host, number);
  const auto where = resolve(what.told.host, number);
  if (!where) {
    into.reached = way::unresolved;
    into.way_trouble = where.error().message;
    return;
  }
  into.only_here = all_loopback(*where);
  const auto there = dial(*where, connect_max);
  if (!there) {
    into.reached = way::unreachable;
    into.way_trouble = there.error().message;
  } else if (!listening) {
    into.reached = way::answers;
  } else if (leads_to(*there, listening, arrival_max)) {
    into.reached = way::arrives;
  } else {
    into.reached = what.by_service ? way::answers : way::elsewhere;
  }
}

} // namespace

bool leads_elsewhere(const endpoint& where) {
  const auto found = resolve(where.host, where.port);
  return found && !all_loopback(*found);
}

port_facts look_at_port(const port_wanted& what, std::optional<int> running) {
  port_facts out;
  out.key = what.key;
  out.bind = what.bind;
  out.number = what.number;
  auto listening = listen_on(what.bind, what.number);
  if (!listening) {
    out.is = port_facts::state::refused;
    out.trouble = listening.error().message;
    if (!listening.error().is(errc::conflict)) return out;
    const auto holder = holder_of(what.number);
    const bool own = running && (holder.process == 0 || holder.process == *running);
    out.is = own ? port_facts::state::own : port_facts::state::foreign;
    if (holder.process != 0) out.holder = fmt::format("{}, process {}", holder.name, holder.process);
    if (!own) return out;
  }
  if (!what.told.host.empty()) go_the_way(out, what, listening ? std::move(*listening) : unique_fd());
  return out;
}

} // namespace swarm::doctor
