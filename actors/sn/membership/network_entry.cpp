#include "actors/sn/membership/network_entry.hpp"

#include "base/endpoint.hpp"
#include "contracts/contracts.hpp"
#include "ledger/chain/genesis.hpp"

#include <boost/json.hpp>

namespace swarm::membership {

namespace json = boost::json;

namespace {

constexpr std::size_t endpoints_max = 256;

void call(transport::http_client& client, const std::string& host, std::uint16_t port,
          std::string_view method, std::function<void(result<transport::http_response>)> done) {
  transport::http_request request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"{}","params":[]}})", method);
  request.repeatable = true;
  client.request(host, port, std::move(request), std::move(done));
}

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

namespace {

/// Finds out what SNs of other organisations say of a network.
class comparison : public std::enable_shared_from_this<comparison> {
public:
  comparison(std::shared_ptr<transport::http_client> client, network_entry entry, const hash32& anchor,
             std::function<void(result<network_entry>)> done)
      : client_(std::move(client)), entry_(std::move(entry)), anchor_(anchor), done_(std::move(done)) {}

  void ask_for_others(const std::string& host, std::uint16_t port) {
    call(*client_, host, port, "swarm_apiEndpoints",
         [self = shared_from_this()](const result<transport::http_response>& said) {
           if (said) self->others_ = endpoints_in(said->body);
           self->ask_next();
         });
  }

private:
  static std::vector<endpoint> endpoints_in(std::string_view response) {
    boost::system::error_code broken;
    const auto parsed = json::parse(json::string_view(response.data(), response.size()), broken);
    const auto* outer = broken ? nullptr : parsed.if_object();
    const auto* list = outer == nullptr ? nullptr : member<json::array>(*outer, "result");
    std::vector<endpoint> out;
    if (list == nullptr) return out;
    for (const auto& each : *list) {
      if (!each.is_string() || out.size() >= compared_max) continue;
      if (auto parsed_one = endpoint::parse(std::string_view(each.get_string())))
        out.push_back(std::move(*parsed_one));
    }
    return out;
  }

  void ask_next() {
    if (others_.empty()) return done_(std::move(entry_));
    const auto next = std::move(others_.back());
    others_.pop_back();
    call(*client_, next.host, next.port, "swarm_genesis",
         [self = shared_from_this(), name = host_port(next.host, next.port)](
             const result<transport::http_response>& said) { self->take(name, said); });
  }
  void take(const std::string& from, const result<transport::http_response>& said) {
    if (!said || said->status != 200 || !said->peer.anchor || said->peer.anchor->fingerprint == anchor_)
      return ask_next();
    const auto other = read_network_entry(said->body);
    if (!other) return ask_next();
    (other->genesis_hash == entry_.genesis_hash ? entry_.confirmed_by : entry_.contradicted_by) = from;
    done_(std::move(entry_));
  }

  static constexpr std::size_t compared_max = 3;
  std::shared_ptr<transport::http_client> client_;
  network_entry entry_;
  hash32 anchor_; ///< of the SN that was asked first
  std::vector<endpoint> others_;
  std::function<void(result<network_entry>)> done_;
};

} // namespace

void ask_network_entry(std::shared_ptr<transport::http_client> client, const std::string& host,
                       std::uint16_t port, bool compare, std::function<void(result<network_entry>)> done) {
  auto& by = *client;
  call(by, host, port, "swarm_genesis",
       [=, client = std::move(client), done = std::move(done)](result<transport::http_response> said) {
         if (!said) return done(tl::unexpected(std::move(said).error()));
         if (said->status != 200)
           return done(fail(errc::unavailable, "it answers {} {}", said->status, said->body.substr(0, 200)));
         auto entry = read_network_entry(said->body);
         if (!entry || !compare || !said->peer.anchor) return done(std::move(entry));
         std::make_shared<comparison>(client, std::move(*entry), said->peer.anchor->fingerprint, done)
             ->ask_for_others(host, port);
       });
}

} // namespace swarm::membership
