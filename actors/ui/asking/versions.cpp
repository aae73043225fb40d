#include "actors/ui/asking/versions.hpp"

#include "actors/sl/files/targets.hpp"
#include "actors/swci/commands/reads.hpp"
#include "actors/ui/asking/offers.hpp"
#include "actors/ui/reading/answers.hpp"
#include "contracts/registry/client.hpp"

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr unsigned status_ok = 200;
constexpr std::size_t version_bytes_max = 64;

/// What this node itself says there.
result<std::string> said_by(const contracts::node_view& node, const std::string& at,
                            const transport::http_request& request, const asking& with) {
  const auto where = endpoint::parse(at);
  if (!where) return fail(errc::not_found, "{} has no address at which it could be asked", node.name);
  auto answer = with.request(*where, request);
  if (!answer) return fail(errc::unavailable, "{} does not answer: {}", node.name, answer.error().message);
  if (answer->certificate != node.identity)
    return fail(errc::denied, "another node than {} answers at {}", node.name, at);
  if (answer->status != status_ok)
    return fail(errc::not_found, "{} does not say its version: its swarmd is an earlier one", node.name);
  return std::move(answer->body);
}

result<std::string> version_of_sn(const contracts::node_view& node, const asking& with) {
  SWARM_TRY(const auto at, api_endpoint_of(node.account, with));
  const transport::http_request question{
      .method = "POST",
      .target = "/",
      .headers = {{"Content-Type", "application/json"}},
      .body = R"({"jsonrpc":"2.0","id":1,"method":"web3_clientVersion","params":[]})",
      .repeatable = true};
  SWARM_TRY(const auto body, said_by(node, at, question, with));
  json::error_code failure;
  const auto answer = json::parse(body, failure);
  return failure ? std::string() : text_in(answer, "result");
}

} // namespace

result<std::string> api_endpoint_of(const address& sn, const asking& with) {
  SWARM_TRY(const auto responses, with.sns.ask({{"swarm_nodes", {}}}));
  SWARM_TRY(const auto* nodes, session::result_of(responses.front()));
  if (const auto* all = nodes->if_array())
    for (const auto& each : *all)
      if (account_in(each, "account") == sn) return text_in(each, "apiEndpoint");
  return std::string();
}

result<json::value> version_json(const question::version& what, const asking& with) {
  const auto account = fixed_from_hex<20>(what.node);
  if (!account) return fail(errc::invalid, "'node' is 0x and 40 hexadecimal digits");
  SWARM_TRY(const auto node, swci::read(with.sns, contracts::node_registry_address(),
                                        contracts::node_args{address(*account)}));
  std::string version;
  if (node.type == contracts::node_type::sn) {
    SWARM_TRY(version, version_of_sn(node, with));
  } else if (node.type == contracts::node_type::sl) {
    SWARM_TRY(version, said_by(node, node.endpoint, {.target = std::string(actors::version_target)}, with));
  } else if (node.type == contracts::node_type::swop) {
    SWARM_TRY(version, version_of_swop(what.node, with));
  }
  if (version.empty() || version.size() > version_bytes_max)
    return fail(errc::not_found, "{} says no version", node.name.empty() ? what.node : node.name);
  return json::object{{"version", std::move(version)}};
}

} // namespace swarm::ui
