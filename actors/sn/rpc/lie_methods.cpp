#include "actors/sn/rpc/service.hpp"
#include "contracts/organisations/client.hpp"

#include <algorithm>

/// What members say of SNs that lied to them.
namespace swarm::rpc {

namespace json = boost::json;

namespace {

const contracts::node_view* holder_of(const std::vector<contracts::node_view>& nodes,
                                      const hash32& identity) {
  const auto found =
      std::ranges::find_if(nodes, [&](const auto& node) { return node.active && node.identity == identity; });
  return found == nodes.end() ? nullptr : &*found;
}

} // namespace

/// What the chain calls this organisation.
std::string service::organisation_name(contracts::organisation_id id) const {
  if (id == 0) return "no organisation";
  const auto said = view_->call({.from = {},
                                 .to = contracts::organisation_registry_address(),
                                 .input = contracts::encode(contracts::organisation_args{id}),
                                 .value = {},
                                 .gas_limit = {}});
  const auto found = said ? contracts::decode_answer<contracts::organisation_args>(said->output)
                          : result<contracts::organisation_view>{};
  return found && !found->name.empty() ? found->name : fmt::format("organisation {}", id);
}

/// [certificate, about]: an SN that presented the certificate with this fingerprint lied to the caller about this, a word
/// of ledger::lies.
method_result service::report_lie(const params& given, const caller& from) {
  SWARM_TRY(const auto accused, given.hash(0, "certificate"));
  SWARM_TRY(const auto code, given.text(1, "about"));
  const auto about = ledger::lie_of(code);
  if (!about) return fail(rpc_errc::invalid_params, "nobody lies about '{}'", code.substr(0, 40));
  SWARM_TRY(const auto* all, registry());
  const auto* reporter = holder_of(*all, from.client);
  if (reporter == nullptr)
    return fail(rpc_errc::role_not_allowed,
                "only members are heard, with the certificate that they registered");
  lie_reports::claim claim{.accused = accused, .about = *about};
  claim.reporter = fmt::format("{} {}", contracts::to_string(reporter->type), reporter->name);
  claim.reporter_organisation = organisation_name(reporter->organisation);
  if (const auto* sn = holder_of(*all, accused); sn != nullptr && sn->type == contracts::node_type::sn) {
    claim.accused_name = sn->name.empty() ? to_hex(sn->account.view()) : sn->name;
    claim.accused_organisation = organisation_name(sn->organisation);
  }
  lies_.take(std::move(claim), from.of(), now_);
  return json::value(true);
}

} // namespace swarm::rpc
