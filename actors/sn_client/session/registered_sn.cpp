#include "actors/sn_client/session/registered_sn.hpp"

#include "actors/sn_client/session/views.hpp"
#include "contracts/organisations/client.hpp"

namespace swarm::session {

namespace {

constexpr std::size_t questions = 3;

} // namespace

std::vector<rpc_call> questions_about_sn(const address& sn, const event::presented& certificate) {
  const auto registry = contracts::node_registry_address();
  return {eth_call(registry, contracts::encode_node(sn)),
          eth_call(registry, contracts::encode(contracts::pending_of_args{sn})),
          eth_call(contracts::organisation_registry_address(),
                   contracts::encode(contracts::anchor_owner_args{certificate.anchor}))};
}

result<sn_record> sn_record::read(const std::vector<boost::json::value>& from) {
  const auto first = from.size() - std::min(from.size(), questions);
  sn_record out;
  SWARM_TRY(out.node, view_at<contracts::node_args>(from, first));
  SWARM_TRY(out.waits, view_at<contracts::pending_of_args>(from, first + 1));
  SWARM_TRY(const auto owner, view_at<contracts::anchor_owner_args>(from, first + 2));
  out.organisations = owner != 0 || out.node.organisation != 0 || out.waits.statement.organisation != 0;
  return out;
}

std::string sn_record::trouble() const {
  if (!organisations) return {};
  if (node.account.is_zero()) return "it names no account, or one that is no node of this network";
  const auto account = to_hex(node.account.view());
  if (node.type != contracts::node_type::sn)
    return fmt::format("{} is registered as {}", account, contracts::to_string(node.type));
  if (!node.active)
    return fmt::format("{} is no member: its registration waits, has ended, or was removed", account);
  return {};
}

std::string sn_record::trouble_with(const event::presented& certificate) const {
  auto out = trouble();
  if (!out.empty() || !organisations || node.identity == certificate.identity) return out;
  if (!waits.statement.account.is_zero() && waits.statement.identity == certificate.identity) return out;
  return fmt::format("the SN {} is registered with another one", to_hex(node.account.view()));
}

} // namespace swarm::session
