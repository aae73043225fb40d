#include "actors/ui/asking/logs.hpp"

#include "actors/swci/commands/reads.hpp"
#include "actors/swop/lines/own_log.hpp"
#include "actors/ui/asking/versions.hpp"
#include "contracts/registry/client.hpp"

namespace swarm::ui {

namespace json = boost::json;

result<json::value> node_log_json(const std::string& uid, std::uint64_t after, const asking& with) {
  constexpr unsigned ok = 200, forbidden = 403;
  const auto account = fixed_from_hex<20>(uid);
  if (!account) return fail(errc::invalid, "'node' is 0x and 40 hexadecimal digits");
  SWARM_TRY(const auto node, swci::read(with.sns, contracts::node_registry_address(),
                                        contracts::node_args{address(*account)}));
  auto at = node.endpoint;
  if (node.type == contracts::node_type::sn) {
    SWARM_TRY(at, api_endpoint_of(node.account, with));
  }
  const auto where = endpoint::parse(at);
  if (!where || node.type == contracts::node_type::swci)
    return fail(errc::not_found, "{} has no address at which it could be asked: its log is on its host",
                node.name.empty() ? uid : node.name);
  const auto answer = with.ask_node(*where, swop::own_log_target(after));
  if (!answer) return fail(errc::unavailable, "{} does not answer: {}", node.name, answer.error().message);
  if (!answer->is_own_organisation || answer->status == forbidden)
    return fail(errc::denied, "a node tells its log to its own organisation only");
  if (answer->certificate != node.identity)
    return fail(errc::denied, "another node than {} answers at {}", node.name, at);
  if (answer->status != ok)
    return fail(errc::not_found, "{} does not tell its log: its swarmd is an earlier one", node.name);
  SWARM_TRY(const auto lines, swop::decode_own_log(answer->body));
  json::array out;
  for (const auto& each : lines)
    out.push_back(swop::log_line_json(each));
  return json::object{{"lines", std::move(out)}};
}

} // namespace swarm::ui
