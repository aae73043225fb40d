#include "actors/swop/managers/docker/engine/detail/container_json.hpp"

#include "actors/swop/managers/docker/engine/detail/caller.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::engine::detail {

namespace {

json::array texts(const std::vector<std::string>& from) {
  return json::array(from.begin(), from.end());
}

json::array mounts_json(const std::vector<container_mount>& from) {
  json::array out;
  for (const auto& each : from)
    out.push_back(json::object{{"Type", each.is_volume() ? "volume" : "bind"},
                               {"Source", each.source},
                               {"Target", each.target},
                               {"ReadOnly", !each.writable}});
  return out;
}

/// HOST[:CONTAINER[:rwm]]
json::object device_json(std::string_view text) {
  const auto next = [&] {
    const auto end = text.find(':');
    const auto out = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return std::string(out);
  };
  auto host = next();
  auto inside = next();
  auto rights = next();
  if (inside.empty()) inside = host;
  if (rights.empty()) rights = "rwm";
  return {{"PathOnHost", std::move(host)},
          {"PathInContainer", std::move(inside)},
          {"CgroupPermissions", std::move(rights)}};
}

json::object gpus_json(std::string_view text) {
  json::array one_of; // lists of lists; in braces a list of one list is a copy to some compilers
  one_of.push_back(json::array{"gpu"});
  json::object out{{"Driver", ""}, {"Capabilities", std::move(one_of)}};
  constexpr std::string_view prefix = "device=";
  int count = 0;
  const auto* const first = text.data();
  const auto* const end = first + text.size();
  if (const auto at = text.find(prefix); at != std::string_view::npos) {
    json::array ids;
    auto rest = text.substr(at + prefix.size());
    while (!rest.empty()) {
      const auto stop = std::min(rest.find(','), rest.size());
      auto id = rest.substr(0, stop);
      while (!id.empty() && (id.front() == '"' || id.front() == '\''))
        id.remove_prefix(1);
      while (!id.empty() && (id.back() == '"' || id.back() == '\''))
        id.remove_suffix(1);
      if (!id.empty()) ids.emplace_back(id);
      rest.remove_prefix(std::min(stop + 1, rest.size()));
    }
    out["DeviceIDs"] = std::move(ids);
  } else if (const auto read = std::from_chars(first, end, count); read.ptr == end && count > 0) {
    out["Count"] = count;
  } else {
    out["Count"] = -1;
  }
  return out;
}

void add_limits(const container_wanted& what, json::object& host) {
  if (what.memory_bytes) {
    host["Memory"] = *what.memory_bytes;
    host["MemorySwap"] = *what.memory_bytes; // with swap, so none
  }
  if (what.cpu_percent) host["NanoCpus"] = *what.cpu_percent * 10'000'000;
  if (what.processes) host["PidsLimit"] = *what.processes;
  if (what.shared_memory_bytes) host["ShmSize"] = *what.shared_memory_bytes;
  if (what.scratch_bytes)
    host["Tmpfs"] = json::object{{"/tmp", fmt::format("size={},mode=1777", *what.scratch_bytes)}};
  json::array uses;
  for (const auto& each : what.uses)
    uses.push_back(json::object{{"Name", each.name}, {"Soft", each.most}, {"Hard", each.most}});
  if (!uses.empty()) host["Ulimits"] = std::move(uses);
}

void add_options(const host_options& from, json::object& host) {
  json::array devices;
  for (const auto& each : from.devices)
    devices.push_back(device_json(each));
  if (!devices.empty()) host["Devices"] = std::move(devices);
  if (!from.gpus.empty()) host["DeviceRequests"] = json::array{gpus_json(from.gpus)};
  if (!from.ipc.empty()) host["IpcMode"] = from.ipc;
  if (!from.group_add.empty()) host["GroupAdd"] = texts(from.group_add);
  if (!from.cap_add.empty()) host["CapAdd"] = texts(from.cap_add);
  if (!from.security_opt.empty()) host["SecurityOpt"] = texts(from.security_opt);
  if (from.privileged) host["Privileged"] = true;
}

void add_network(const container_wanted& what, json::object& body, json::object& host) {
  if (!what.network.empty()) host["NetworkMode"] = what.network;
  if (!what.dns.empty()) host["Dns"] = texts(what.dns);
  json::object endpoint;
  if (!what.address.empty()) {
    const auto* kind = what.address.find(':') == std::string::npos ? "IPv4Address" : "IPv6Address";
    endpoint["IPAMConfig"] = json::object{{kind, what.address}};
  }
  // Others find it by its host name: engines themselves tell them only names of containers.
  if (!what.host_name.empty() && !is_engines_own(what.network))
    endpoint["Aliases"] = json::array{what.host_name};
  if (!endpoint.empty())
    body["NetworkingConfig"] =
        json::object{{"EndpointsConfig", json::object{{what.network, std::move(endpoint)}}}};
  json::object exposed, bindings;
  for (const auto& each : what.ports) {
    const auto name = fmt::format("{}/tcp", each.container);
    exposed[name] = json::object();
    bindings[name] = json::array{json::object{{"HostIp", ""}, {"HostPort", fmt::format("{}", each.host)}}};
  }
  if (exposed.empty()) return;
  body["ExposedPorts"] = std::move(exposed);
  host["PortBindings"] = std::move(bindings);
}

} // namespace

json::object container_json(const container_wanted& what) {
  json::array environment;
  for (const auto& [name, value] : what.environment)
    environment.emplace_back(fmt::format("{}={}", name, value));
  json::object host{
      {"Mounts", mounts_json(what.mounts)},
      {"LogConfig", json::object{{"Type", "json-file"},
                                 {"Config", json::object{{"max-size", fmt::format("{}", what.log_bytes)},
                                                         {"max-file", fmt::format("{}", what.log_files)}}}}}};
  json::object out{
      {"Image", what.image}, {"Env", std::move(environment)}, {"Labels", object_of(what.labels)}};
  if (!what.entrypoint.empty()) out["Entrypoint"] = texts(what.entrypoint);
  if (!what.command.empty()) out["Cmd"] = texts(what.command);
  if (!what.working_directory.empty()) out["WorkingDir"] = what.working_directory;
  if (!what.user.empty()) out["User"] = what.user;
  if (!what.host_name.empty()) out["Hostname"] = what.host_name;
  add_limits(what, host);
  add_options(what.options, host);
  add_network(what, out, host);
  out["HostConfig"] = std::move(host);
  return out;
}

container_facts facts_of(const json::object& from) {
  const auto& state = object_at(from, "State");
  const auto& config = object_at(from, "Config");
  container_facts out{.id = text_at(from, "Id"),
                      .name = text_at(from, "Name"),
                      .image = text_at(config, "Image"),
                      .labels = labels_at(config, "Labels"),
                      .state = text_at(state, "Status"),
                      .exit_code = static_cast<int>(number_at(state, "ExitCode")),
                      .out_of_memory = flag_at(state, "OOMKilled"),
                      .memory_bytes = static_cast<std::uint64_t>(
                          std::max<std::int64_t>(0, number_at(object_at(from, "HostConfig"), "Memory"))),
                      .error = one_line(text_at(state, "Error")),
                      .started_ms = time_of(text_at(state, "StartedAt")),
                      .ended_ms = time_of(text_at(state, "FinishedAt")),
                      .address = {},
                      .mounts = {}};
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  // Podman takes the one time from another clock than the other.
  if (out.ended_ms > 0) out.ended_ms = std::max(out.ended_ms, out.started_ms);
  for (const auto& [network, facts] : object_at(object_at(from, "NetworkSettings"), "Networks"))
    if (facts.is_object() && out.address.empty()) out.address = text_at(facts.get_object(), "IPAddress");
  for (const auto& each : array_at(from, "Mounts"))
    if (each.is_object())
      out.mounts.push_back({text_at(each.get_object(), "Source"), text_at(each.get_object(), "Destination"),
                            flag_at(each.get_object(), "RW")});
  return out;
}

} // namespace swarm::engine::detail
