#include "actors/swci/commands/reads.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/training_registry/client.hpp"

#include <algorithm>
#include <set>

namespace swarm::swci {

namespace json = boost::json;

result<address> find_training(network& sns, const std::string& name) {
  SWARM_TRY(const auto at,
            read(sns, contracts::training_registry_address(), contracts::training_address_of_args{name}));
  if (at.is_zero())
    return fail(errc::not_found, "there is no contract '{}': LIST CONTRACTS shows those there are", name);
  return at;
}

result<contracts::organisation_id> find_organisation(network& sns, const std::string& name) {
  SWARM_TRY(const auto id,
            read(sns, contracts::organisation_registry_address(), contracts::organisation_named_args{name}));
  if (id == 0)
    return fail(errc::not_found, "there is no organisation '{}': LIST ORGANISATIONS shows those there are",
                name);
  return id;
}

result<> require_rules(network& sns, std::uint64_t version, std::string_view what) {
  SWARM_TRY(const auto rules, read(sns, contracts::node_registry_address(), contracts::rules_args{}));
  if (rules.version >= version) return {};
  return fail(errc::denied,
              "{} came with version {} of the chain's rules, and this chain has version {}: its validators "
              "can vote for "
              "newer ones, with swarm-inspect rules",
              what, version, rules.version);
}

result<network*> network_of(command_world& world) {
  if (world.sns == nullptr)
    return fail(errc::not_found, "there is no context: CREATE CONTEXT name WITH IP address makes one");
  return world.sns;
}

result<moments> moments_of(network& sns, const std::vector<std::uint64_t>& block_nums) {
  moments out{{0, {}}};
  std::set<std::uint64_t> wanted(block_nums.begin(), block_nums.end());
  wanted.erase(0);
  if (wanted.empty()) return out;
  std::vector<session::rpc_call> calls;
  for (const auto block_num : wanted)
    calls.push_back({"eth_getBlockByNumber", {fmt::format("{:#x}", block_num), false}});
  SWARM_TRY(const auto responses, sns.ask(std::move(calls)));
  auto at = wanted.begin();
  for (const auto& each : responses) {
    // A block that a snapshot left out has no time here.
    const auto found = session::result_of(each);
    const auto* block = found ? (*found)->if_object() : nullptr;
    const auto* time = block != nullptr ? block->if_contains("timestamp") : nullptr;
    const auto seconds = time != nullptr ? session::quantity_of(json::object{{"result", *time}}) : 0;
    out[*at++] = {seconds.value_or(0)};
  }
  return out;
}

result<std::optional<creation>> creation_of(network& sns, const address& registry, const hash32& event,
                                            const address& contract) {
  const auto topic = "0x" + std::string(24, '0') + to_hex(contract.view()).substr(2);
  json::object filter{{"address", to_hex(registry.view())},
                      {"fromBlock", "0x0"},
                      {"topics", json::array{to_hex(event.view()), topic}}};
  SWARM_TRY(const auto responses, sns.ask({{"eth_getLogs", {std::move(filter)}}}));
  SWARM_TRY(const auto* found, session::result_of(responses.front()));
  const auto* logs = found->if_array();
  if (logs == nullptr || logs->empty()) return std::optional<creation>{};
  const auto* log = logs->front().if_object();
  const auto* topics = log != nullptr ? log->if_contains("topics") : nullptr;
  const auto* block = log != nullptr ? log->if_contains("blockNumber") : nullptr;
  if (topics == nullptr || !topics->is_array() || topics->get_array().size() != 3 || block == nullptr)
    return fail(errc::invalid, "the SN's answer is no list of events");
  creation out;
  SWARM_TRY(out.block_num, session::quantity_of(json::object{{"result", *block}}));
  const auto* by = topics->get_array()[2].if_string();
  if (by == nullptr) return fail(errc::invalid, "the SN's answer is no list of events");
  SWARM_TRY(const auto word, fixed_from_hex<32>(std::string_view(*by)));
  std::copy_n(word.data() + 12, 20, out.by.data());
  return std::optional(out);
}

result<std::vector<address>> silent_nodes(network& sns) {
  SWARM_TRY(const auto responses, sns.ask({{"swarm_silentNodes", {}}}));
  SWARM_TRY(const auto texts, session::texts_of(responses.front(), contracts::nodes_max));
  std::vector<address> out;
  for (const auto& text : texts)
    if (const auto account = fixed_from_hex<20>(text)) out.push_back(*account);
  return out;
}

std::string uid_of(const address& account) {
  return account.is_zero() ? std::string{} : to_hex(account.view());
}

result<address> account_of(std::string_view uid) {
  const auto account = fixed_from_hex<20>(uid);
  if (!account) return fail(errc::invalid, "'{}' is not a node's UID: LIST NODES shows those there are", uid);
  return *account;
}

} // namespace swarm::swci
