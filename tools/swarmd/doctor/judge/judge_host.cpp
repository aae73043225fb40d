#include "tools/swarmd/doctor/judge/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace swarm::doctor {

namespace {

constexpr std::uint64_t mega = 1024 * 1024;
constexpr std::uint64_t disk_wrong_bytes = 128 * mega; ///< RocksDB alone keeps 32 MB free
constexpr std::uint64_t disk_warning_bytes = 1024 * mega;
constexpr std::uint64_t memory_warning_bytes = 256 * mega;
/// A block takes several syncs: slower disks hold up everybody.
constexpr double sync_warning_ms = 100;

using state = port_facts::state;
using way = port_facts::way;

line disk_line(const folder_facts& of) {
  const auto text = fmt::format("{} free for {}", size_text(of.free_bytes), of.path);
  if (of.free_bytes < disk_wrong_bytes)
    return {"disk", verdict::wrong, text, "make room, or name a directory on a larger disk with --data-dir"};
  if (of.free_bytes < disk_warning_bytes)
    return {"disk", verdict::warning, text + ", which models and blocks soon fill",
            "make room, or name a directory on a larger disk with --data-dir"};
  return {"disk", verdict::ok, text, {}};
}

line sync_line(const folder_facts& of) {
  if (!of.sync_ms) return {"sync", verdict::unchecked, "nothing can be written there", {}};
  const auto rate = 1000 / std::max(*of.sync_ms, 0.01);
  const auto text =
      fmt::format("{:.2g} ms for a page to be on the disk, {:.0f} in a second", *of.sync_ms, rate);
  if (*of.sync_ms < sync_warning_ms) return {"sync", verdict::ok, text, {}};
  return {"sync", verdict::warning, text,
          "use a local disk, best an SSD: the whole network waits for each block"};
}

line port_line(const port_facts& of) {
  const auto port = fmt::format("{} {}", of.key, of.number);
  if (of.number == 0 && of.is == state::free) return {"port", verdict::ok, of.key + " is any free one", {}};
  switch (of.is) {
  case state::free:
    return {"port", verdict::ok, port + " is free", {}};
  case state::own:
    return {"port", verdict::ok, port + " is this node's, which runs", {}};
  case state::foreign:
    return {"port", verdict::wrong,
            fmt::format("{} is taken{}", port,
                        of.holder.empty() ? std::string(" by somebody") : " by " + of.holder),
            fmt::format("end that, or choose another port with --{}", of.key)};
  case state::refused:
    break;
  }
  return {"port", verdict::wrong, fmt::format("{} on {}: {}", port, of.bind, of.trouble),
          "choose a port above 1023 and an address of this host (--bind-address)"};
}

std::string join(const std::vector<const port_facts*>& ports) {
  std::string out;
  for (const auto* each : ports)
    out += fmt::format("{}{}", out.empty() ? "" : " and ", each->told);
  return out;
}

/// `ports`: all are told by the same host name, and are reached alike.
line way_line(const std::vector<const port_facts*>& ports) {
  const auto& first = *ports.front();
  const auto where = join(ports);
  if (first.only_here)
    return {"address", verdict::wrong,
            fmt::format("others would be told {}, where each finds only its own host", where),
            "give the address by which other hosts reach this one with --host-ip"};
  switch (first.reached) {
  case way::arrives:
    return {"address", verdict::ok, fmt::format("{} leads here", where), {}};
  case way::answers:
    return {"address", verdict::ok, fmt::format("{} answers", where), {}};
  case way::elsewhere:
    return {"address", verdict::wrong, fmt::format("others are told {}, where somebody else answers", where),
            "correct --host-ip, or what forwards that port"};
  case way::unresolved:
    return {"address", verdict::wrong, fmt::format("others are told {}: {}", where, first.way_trouble),
            "correct --host-ip, or the name in DNS or /etc/hosts"};
  case way::unreachable:
    return {"address", verdict::warning,
            fmt::format("others are told {}, which leads nowhere from here: {}", where, first.way_trouble),
            "correct --host-ip or --bind-address, or open the port; behind a NAT that does not lead back to "
            "its own side "
            "try it from outside"};
  case way::not_tried:
    break;
  }
  return {
      "address", verdict::unchecked, fmt::format("whether {} leads here: the port is not free", where), {}};
}

} // namespace

lines judge_folder(const folder_facts& of, bool is_sn) {
  if (!of.trouble.empty())
    return {{"data-directory", verdict::wrong, of.trouble, "name a directory of this user with --data-dir"}};
  const auto text = of.running ? fmt::format("{}; a node runs with it (process {})", of.path, *of.running)
                    : of.there ? fmt::format("{} is there", of.path)
                               : fmt::format("{} can be made", of.path);
  lines out{{"data-directory", verdict::ok, text, {}}};
  if (!of.key_trouble.empty())
    out.push_back(
        {"node-key", verdict::wrong, of.key_trouble,
         "without this file the node is another one to the network: restore it, or remove it to begin anew"});
  out.push_back(disk_line(of));
  auto sync = sync_line(of);
  if (!is_sn && sync.is == verdict::warning)
    sync.remedy = "use a local disk, best an SSD: models are synced before peers are told of them";
  out.push_back(std::move(sync));
  return out;
}

lines judge_memory(const memory_facts& of) {
  const auto text = fmt::format("{} of {} available", size_text(of.available_bytes), size_text(of.bytes));
  if (of.available_bytes >= memory_warning_bytes) return {{"memory", verdict::ok, text, {}}};
  return {{"memory", verdict::warning, text, "end other programs, or give this host or container more"}};
}

lines judge_ports(const std::vector<port_facts>& ports) {
  lines out;
  std::map<std::tuple<std::string, way, bool>, std::vector<const port_facts*>> ways;
  for (const auto& each : ports) {
    out.push_back(port_line(each));
    const bool explained = each.is == state::foreign || each.is == state::refused;
    if (!each.told.empty() && !explained) ways[{each.host, each.reached, each.only_here}].push_back(&each);
  }
  for (const auto& [same, which] : ways)
    out.push_back(way_line(which));
  return out;
}

} // namespace swarm::doctor
