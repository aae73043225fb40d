// Volumes and networks.
#include "actors/swop/managers/docker/engine/detail/caller.hpp"

#include <algorithm>
#include <array>

namespace swarm::engine {

using namespace detail;

namespace {

volume_facts volume_of(const json::object& from) {
  return {text_at(from, "Name"), labels_at(from, "Labels")};
}

std::string volume_target(const std::string& name) {
  return "/volumes/" + encoded(name);
}
std::string network_target(const std::string& name) {
  return "/networks/" + encoded(name);
}

} // namespace

result<volume_facts> client::volume(const std::string& name) {
  SWARM_TRY(const auto value, impl_->ask(volume_target(name)));
  return volume_of(value.is_object() ? value.get_object() : json::object());
}

result<std::vector<volume_facts>> client::volumes(const label_map& with) {
  SWARM_TRY(const auto value, impl_->ask(target_of("/volumes", {{"filters", label_filter(with)}})));
  std::vector<volume_facts> out;
  if (value.is_object())
    for (const auto& each : array_at(value.get_object(), "Volumes"))
      if (each.is_object()) out.push_back(volume_of(each.get_object()));
  // Podman 4.3 gives those that have any of the labels.
  std::erase_if(out, [&with](const volume_facts& each) {
    return !std::ranges::all_of(with, [&each](const auto& label) {
      const auto found = each.labels.find(label.first);
      return found != each.labels.end() && found->second == label.second;
    });
  });
  return out;
}

result<> client::make_volume(const std::string& name, const label_map& labels) {
  if (volume(name)) return {}; // Podman takes a name that is taken for an error
  return done(impl_->post("/volumes/create", json::object{{"Name", name}, {"Labels", object_of(labels)}}));
}

result<> client::remove_volume(const std::string& name) {
  return done(impl_->send("DELETE", volume_target(name)));
}

bool is_engines_own(std::string_view network) {
  constexpr std::array<std::string_view, 5> names{"host", "none", "bridge", "default", "podman"};
  return network.empty() || network.find(':') != std::string_view::npos
         || std::ranges::find(names, network) != names.end();
}

result<network_facts> client::network(const std::string& name) {
  SWARM_TRY(const auto value, impl_->ask(network_target(name)));
  network_facts out;
  if (!value.is_object()) return out;
  const auto& from = value.get_object();
  out.id = text_at(from, "Id");
  out.name = text_at(from, "Name");
  out.driver = text_at(from, "Driver");
  for (const auto& each : array_at(object_at(from, "IPAM"), "Config"))
    if (each.is_object()) {
      out.subnets.push_back(text_at(each.get_object(), "Subnet"));
      out.gateways.push_back(text_at(each.get_object(), "Gateway"));
    }
  return out;
}

result<> client::make_network(const std::string& name, const std::string& subnet, const label_map& labels) {
  json::object body{
      {"Name", name}, {"CheckDuplicate", true}, {"Driver", "bridge"}, {"Labels", object_of(labels)}};
  if (!subnet.empty())
    body["IPAM"] =
        json::object{{"Driver", "default"}, {"Config", json::array{json::object{{"Subnet", subnet}}}}};
  return done(impl_->post("/networks/create", body));
}

result<> client::connect(const std::string& network, const std::string& container,
                         const std::string& address) {
  json::object body{{"Container", container}};
  if (!address.empty())
    body["EndpointConfig"] = json::object{
        {"IPAMConfig",
         json::object{{address.find(':') == std::string::npos ? "IPv4Address" : "IPv6Address", address}}}};
  return done(impl_->post(network_target(network) + "/connect", body));
}

result<> client::remove_network(const std::string& name) {
  return done(impl_->send("DELETE", network_target(name)));
}

} // namespace swarm::engine
