#include "actors/sn_client/session/json_rpc.hpp"
#include "actors/sn_client/session/views.hpp"
#include "base/clock.hpp"
#include "base/endpoint.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "tools/swarmd/doctor/look/look.hpp"
#include "transport/http/http_client.hpp"
#include "transport/proxy/proxy.hpp"

#include <algorithm>
#include <ctime>
#include <future>

namespace swarm::doctor {

namespace json = boost::json;
using transport::http_request;
using transport::http_response;

namespace {

constexpr std::chrono::milliseconds phase_max{3000}; ///< to connect, to shake hands, to answer
constexpr std::string_view product = "swarmd/v";

/// One request at a time to one SN.
class asker {
public:
  asker(transport::io_runtime& io, const identity_seen& own, endpoint to)
      : client_(
          io, own.tls,
          {.connect_timeout = phase_max, .handshake_timeout = phase_max, .progress_timeout = phase_max}),
        to_(std::move(to)) {}

  result<http_response> ask(http_request request) {
    auto promise = std::make_shared<std::promise<result<http_response>>>();
    auto answer = promise->get_future();
    client_.request(to_.host, to_.port, std::move(request),
                    [promise](result<http_response> got) { promise->set_value(std::move(got)); });
    return answer.get();
  }

  /// The answers to a batch of questions, in their order.
  result<std::vector<json::value>> ask(const std::vector<session::rpc_call>& calls) {
    SWARM_TRY(const auto answer, ask(http_request{.method = "POST",
                                                  .headers = {{"Content-Type", "application/json"}},
                                                  .body = session::encode_batch(calls, 0)}));
    boost::system::error_code failure;
    const auto read = json::parse(answer.body, failure);
    if (answer.status != 200 || failure || !read.is_array())
      return fail(transport::net_errc::http_status, "{}: its answer (status {}) is no JSON-RPC",
                  to_.to_string(), answer.status);
    std::vector<json::value> out(calls.size());
    for (const auto& each : read.get_array()) {
      const auto* one = each.if_object();
      const auto id = one != nullptr ? session::id_of(*one) : std::nullopt;
      if (id && *id < out.size()) out[*id] = each;
    }
    return out;
  }

private:
  transport::http_client client_;
  endpoint to_;
};

/// Seconds since 1970, with fractions.
double now_seconds() {
  return static_cast<double>(unix_milliseconds()) / 1000;
}

std::optional<double> date_of(const http_response& answer) {
  std::tm parts{};
  const std::string text(transport::find_header(answer.headers, "Date"));
  if (text.empty() || ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr)
    return std::nullopt;
  return static_cast<double>(::timegm(&parts)) + 0.5; // it has whole seconds
}

void take_certificate(sn_facts& into, const transport::peer_info& peer, const members::member_rules& rules) {
  if (!peer.certificate || !peer.anchor) return;
  const members::proved who{*peer.certificate, *peer.anchor};
  into.subject = peer.certificate->subject;
  into.organisation = members::organisation_of(who, rules);
  if (!members::roles_of(who, rules).has(members::role::sn))
    into.role_refusal = members::refusal(who, members::role::sn, rules);
}

session::rpc_call owner_of(const hash32& anchor) {
  return session::eth_call(contracts::organisation_registry_address(),
                           contracts::encode(contracts::anchor_owner_args{anchor}));
}

result<standing_facts> read_standing(const std::vector<json::value>& from, bool has_account) {
  standing_facts out;
  SWARM_TRY(out.organisation, session::view_at<contracts::anchor_owner_args>(from, 3));
  SWARM_TRY(const auto theirs, session::view_at<contracts::anchor_owner_args>(from, 4));
  out.has_organisations = theirs != 0 || out.organisation != 0;
  out.has_account = has_account;
  if (!has_account) return out;
  SWARM_TRY(const auto node, session::view_at<contracts::node_args>(from, 5));
  out.known = !node.account.is_zero();
  if (!out.known) return out;
  out.active = node.active;
  out.pending = node.pending;
  out.since_block = node.since_block;
  out.expiry = node.expiry;
  out.role = contracts::to_string(node.type);
  return out;
}

void read_answers(sn_facts& into, const std::vector<json::value>& from, bool has_account) {
  if (const auto version = session::text_of(from[0]); version && version->starts_with(product))
    into.version = version->substr(product.size(), version->find('/', product.size()) - product.size());
  if (const auto chain = session::quantity_of(from[1])) into.chain_id = *chain;
  if (const auto genesis = session::block_hash_of(from[2]))
    into.genesis = *genesis;
  else
    into.trouble = fmt::format("{}: {}", into.endpoint, genesis.error().message);
  if (auto standing = read_standing(from, has_account))
    into.standing = std::move(*standing);
  else
    into.standing_trouble = standing.error().message;
}

void note_failure(sn_facts& into, const error& why) {
  into.proxy_failed = transport::is_proxy_failure(why);
  into.failed = why.category == error_category(transport::net_errc{})
                    ? static_cast<transport::net_errc>(why.code)
                    : transport::net_errc::response;
  into.trouble = why.message;
}

} // namespace

sn_facts look_at_sn(const sn_wanted& what, transport::io_runtime& io, const identity_seen& own) {
  sn_facts out;
  out.endpoint = what.endpoint;
  const auto to = endpoint::parse(what.endpoint);
  if (!to) {
    note_failure(out, to.error());
    return out;
  }
  asker sn(io, own, *to);
  const auto before = now_seconds();
  const auto up = sn.ask(http_request{.target = "/is_up"});
  if (!up) {
    note_failure(out, up.error());
    return out;
  }
  if (const auto date = date_of(*up)) out.clock_ahead_s = *date - (before + now_seconds()) / 2;
  take_certificate(out, up->peer, *own.rules);
  std::vector<session::rpc_call> calls{{"web3_clientVersion", {}},
                                       {"eth_chainId", {}},
                                       {"eth_getBlockByNumber", {"0x0", false}},
                                       owner_of(own.tls->anchor()->fingerprint),
                                       owner_of(up->peer.anchor ? up->peer.anchor->fingerprint : hash32{})};
  if (what.account)
    calls.push_back(
        session::eth_call(contracts::node_registry_address(), contracts::encode_node(*what.account)));
  const auto answers = sn.ask(calls);
  if (answers)
    read_answers(out, *answers, what.account.has_value());
  else
    note_failure(out, answers.error());
  return out;
}

std::string why_no_answer(const std::string& endpoint, transport::io_runtime& io, const identity_seen& own) {
  const auto to = swarm::endpoint::parse(endpoint);
  if (!to) return to.error().message;
  const auto up = asker(io, own, *to).ask(http_request{.target = "/is_up"});
  return up ? std::string() : up.error().message;
}

} // namespace swarm::doctor
