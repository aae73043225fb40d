#include "tools/swarmd/health.hpp"

#include "transport/unix/unix_socket.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace swarm {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds answer_max{4};

std::string text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(json::string_view(name.data(), name.size()));
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// The actors as `tree` lists them.
result<json::array> actors_at(const std::filesystem::path& socket) {
  SWARM_TRY(auto client, transport::unix_client::open(socket));
  client.set_timeout(answer_max);
  SWARM_TRY(const auto line, client.request(R"({"id":1,"method":"tree","params":{}})"));
  boost::system::error_code failed;
  const auto answer = json::parse(line, failed);
  const auto* actors = failed ? nullptr : answer.find_pointer("/result/actors", failed);
  if (!actors || !actors->is_array()) return fail(errc::corrupt, "its answer has no actors");
  return actors->as_array();
}

} // namespace

int health(const std::filesystem::path& data_dir) {
  const auto actors = actors_at(data_dir / "admin.sock");
  if (!actors) {
    std::printf("not well: %s\n", actors.error().message.c_str());
    return 1;
  }
  for (const auto& each : *actors) {
    const auto* actor = each.if_object();
    if (!actor || text_of(*actor, "path") != "/root") continue;
    const auto phase = text_of(*actor, "phase");
    std::printf("%s: %zu actors, the root is %s\n", phase == "running" ? "well" : "not well", actors->size(),
                phase.c_str());
    return phase == "running" ? 0 : 1;
  }
  std::printf("not well: there is no root among its actors\n");
  return 1;
}

} // namespace swarm
