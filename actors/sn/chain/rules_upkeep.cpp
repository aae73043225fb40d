#include "actors/sn/chain/rules_upkeep.hpp"

#include "base/log.hpp"
#include "contracts/registry/client.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

namespace {

result<std::uint64_t> number_in(const json::object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  if (found == nullptr) return fail(errc::invalid, "params.{} is missing", name);
  boost::system::error_code failed;
  const auto out = found->to_number<std::uint64_t>(failed);
  if (failed) return fail(errc::invalid, "params.{} must be a whole number", name);
  return out;
}

} // namespace

result<> look_at_rules(chain_state& s) {
  SWARM_CHECK(s.chain->check_rules());
  SWARM_TRY(const auto rules, s.chain->rules());
  const auto known = s.context->options.rules_known;
  if (rules.next <= known || std::exchange(s.warned_of_rules, rules.next) == rules.next) return {};
  log::error(
      s.context->log_source,
      "the validators have decided that version {} of the chain's rules begins with block {}, and this "
      "swarmd knows versions up to {}: it will stop there; install a newer one before",
      rules.next, rules.from_block, known);
  return {};
}

result<std::string> answer_rules(chain_state& s, std::string_view params) {
  boost::system::error_code failed;
  const auto value = json::parse(json::string_view(params.data(), params.size()), failed);
  if (failed || !value.is_object()) return fail(errc::invalid, "params is not an object");
  const auto& from = value.as_object();
  if (from.empty()) {
    SWARM_TRY(const auto rules, s.chain->rules());
    const auto in_force = rules.at(s.chain->head()->header.block_num + 1);
    const bool more = rules.next > in_force;
    return json::serialize(json::object{{"version", in_force},
                                        {"next", more ? rules.next : 0},
                                        {"from_block", more ? rules.from_block : 0},
                                        {"known", s.context->options.rules_known}});
  }
  SWARM_TRY(const auto version, number_in(from, "version"));
  SWARM_TRY(const auto from_block, number_in(from, "from_block"));
  SWARM_TRY(const auto hash, submit_own(s, {membership::purpose::vote, contracts::node_registry_address(),
                                            contracts::encode_vote_rules(version, from_block), true}));
  return json::serialize(json::object{{"txn", to_hex(hash.view())}});
}

} // namespace swarm::actors
