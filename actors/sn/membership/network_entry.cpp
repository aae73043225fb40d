#include "actors/sn/membership/network_entry.hpp"

#include "contracts/contracts.hpp"
#include "ledger/chain/genesis.hpp"

#include <boost/json.hpp>

namespace swarm::membership {

namespace json = boost::json;

namespace {

constexpr std::size_t endpoints_max = 256;

template <class T = json::string>
const T* member(const json::object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  if constexpr (std::is_same_v<T, json::array>)
    return found == nullptr ? nullptr : found->if_array();
  else
    return found == nullptr ? nullptr : found->if_string();
}

} // namespace

result<network_entry> read_network_entry(std::string_view response) {
  boost::system::error_code broken;
  const auto parsed = json::parse(json::string_view(response.data(), response.size()), broken);
  const auto* outer = broken ? nullptr : parsed.if_object();
  const auto* answer = outer == nullptr ? nullptr : outer->if_contains("result");
  const auto* facts = answer == nullptr ? nullptr : answer->if_object();
  if (facts == nullptr) return fail(errc::invalid, "no answer to swarm_genesis: {}", response.substr(0, 200));
  const auto* params = member(*facts, "genesis");
  const auto* hash = member(*facts, "genesisHash");
  const auto* neighbors = member<json::array>(*facts, "p2pEndpoints");
  if (params == nullptr || hash == nullptr || neighbors == nullptr)
    return fail(errc::invalid, "the answer to swarm_genesis lacks genesis, genesisHash or p2pEndpoints");
  network_entry out;
  SWARM_TRY(out.genesis, from_hex(std::string_view(params->data(), params->size())));
  SWARM_TRY(const auto decoded, ledger::decode_genesis(out.genesis));
  SWARM_TRY(out.own_genesis_hash, ledger::genesis_hash_of(decoded, contracts::make_contracts()));
  SWARM_TRY(const auto digest, from_hex(std::string_view(hash->data(), hash->size())));
  SWARM_TRY(out.genesis_hash, hash32::from_view(digest));
  for (const auto& one : *neighbors) {
    if (!one.is_string() || out.p2p_endpoints.size() >= endpoints_max) continue;
    out.p2p_endpoints.emplace_back(one.get_string().data(), one.get_string().size());
  }
  return out;
}

void ask_network_entry(transport::http_client& client, const std::string& host, std::uint16_t port,
                       std::function<void(result<network_entry>)> done) {
  transport::http_request request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"jsonrpc":"2.0","id":1,"method":"swarm_genesis","params":[]})";
  request.repeatable = true;
  client.request(host, port, std::move(request),
                 [done = std::move(done)](result<transport::http_response> response) {
                   if (!response) return done(tl::unexpected(std::move(response).error()));
                   if (response->status != 200)
                     return done(fail(errc::unavailable, "it answers {} {}", response->status,
                                      response->body.substr(0, 200)));
                   done(read_network_entry(response->body));
                 });
}

} // namespace swarm::membership
