#include "actors/sn/rpc/service.hpp"

#include "actors/sn/rpc/reader.hpp"

namespace swarm::rpc {

namespace json = boost::json;

namespace {

constexpr std::size_t small_body_bytes = 64 * 1024;

/// Parses a text. Deep nesting is refused, as no call needs more than a few levels.
result<json::value> parse(const std::string& body) {
  json::parse_options limits;
  limits.max_depth = 16;
  boost::system::error_code failure;
  auto out = json::parse(body, failure, {}, limits);
  if (failure) return fail(rpc_errc::parse_error, "not JSON: {}", failure.message());
  return out;
}

/// Whether a request is for a reader; one that names no method is not.
bool is_for_reader(const json::value& request) {
  const auto* object = request.if_object();
  const auto* method = object != nullptr ? object->if_contains("method") : nullptr;
  const auto* name = method != nullptr ? method->if_string() : nullptr;
  return name != nullptr && reader::answers({name->data(), name->size()});
}

} // namespace

service::service(std::shared_ptr<const ledger::chain_window> chain, time_point now,
                 const service_limits& limits, const address& own)
    : chain_(std::move(chain)),
      view_(chain_->view()), limits_{limits.response_bytes_max, std::make_shared<rate_limiter>(limits.rate)},
      own_(own), seats_(own), last_block_(view_->head()->header.block_num) {
  now_ = now;
}

void service::step(event::text what, time_point now) {
  const bool idle = !busy();
  const auto from = what.from.of();
  queue_.push(from, {std::move(what), std::nullopt, nullptr});
  if (idle) go_on(now);
}

void service::set_aside(text_part rest) {
  const auto from = rest.from().of();
  queue_.put_back(from, {{}, std::move(rest), std::exchange(held_, nullptr)});
}

/// Parses a text and takes it apart, or refuses it.
std::optional<text_part> service::next() {
  auto taken = queue_.pop();
  if (taken.rest) {
    held_ = std::move(taken.held);
    return std::move(taken.rest);
  }
  auto& [body, from] = taken.fresh;
  const auto refuse = [&to = from](error why) {
    to.send(response_text(nullptr, tl::unexpected(std::move(why))));
    return std::nullopt;
  };
  // The large text of a client that is over its rate is not parsed. Small ones are, so that the refusal
  // carries their id.
  if (body.size() > small_body_bytes)
    if (const auto admitted = admit(*limits_.rate, from.client, now_); !admitted)
      return refuse(admitted.error());
  const auto parsing = body.size() / cost::body_bytes_per_unit;
  limits_.rate->charge(from.client, parsing, now_);
  count(from, parsing);
  auto parsed = parse(body);
  if (!parsed) return refuse(parsed.error());
  auto* requests = parsed->if_array();
  if (requests != nullptr && requests->empty())
    return refuse(fail(rpc_errc::invalid_request, "an empty batch").value());
  if (requests != nullptr && requests->size() > batch_max)
    return refuse(
        fail(rpc_errc::invalid_request, "a batch of {}, at most {} are answered", requests->size(), batch_max)
            .value());
  const auto size = requests != nullptr ? requests->size() : 1;
  text_part own, others;
  own.answers = others.answers =
      std::make_shared<text_answers>(std::move(from), size, requests != nullptr, limits_);
  for (std::size_t i = 0; i < size; ++i) {
    auto& request = requests != nullptr ? (*requests)[i] : *parsed;
    auto& part = is_for_reader(request) ? others : own;
    part.requests.push_back({i, std::move(request)});
  }
  if (own.requests.empty()) {
    actions_.emplace_back(action::read{std::move(others)});
    return std::nullopt;
  }
  if (!others.requests.empty()) held_ = std::make_shared<held_reads>(held_reads{std::move(others)});
  return own;
}

void service::release(const std::shared_ptr<held_reads>& reads) {
  if (reads && --reads->open == 0) actions_.emplace_back(action::read{std::move(reads->part)});
}

void service::run(std::string_view method, const params& given, const reply& to) {
  look_at_head();
  if (method == "eth_sendRawTransactionSync") return send_sync(given, to);
  if (method == "eth_sendRawTransaction") return send_raw(given, to);
  if (const auto found = methods().find(method); found != methods().end())
    return to((this->*found->second)(given, to.from()), now_);
  to(fail(rpc_errc::method_not_found, "the method {} does not exist/is not available", shown(method, 64)),
     now_);
}

bool service::knows(std::string_view method) {
  return method == "eth_sendRawTransactionSync" || method == "eth_sendRawTransaction"
         || methods().contains(method) || reader::answers(method);
}

const std::map<std::string_view, service::handler>& service::methods() {
  static const std::map<std::string_view, handler> table{
      {"web3_clientVersion", &service::client_version},
      {"net_version", &service::net_version},
      {"net_listening", &service::net_listening},
      {"eth_chainId", &service::chain_id},
      {"eth_blockNumber", &service::block_number},
      {"eth_syncing", &service::syncing},
      {"eth_accounts", &service::accounts},
      {"eth_coinbase", &service::coinbase},
      {"eth_gasPrice", &service::zero_price},
      {"eth_maxPriorityFeePerGas", &service::zero_price},
      {"eth_subscribe", &service::subscribe},
      {"eth_unsubscribe", &service::unsubscribe},
      {"swarm_heartbeat", &service::heartbeat},
      {"swarm_silentNodes", &service::silent_nodes},
      {"swarm_apiEndpoints", &service::api_endpoints},
      {"swarm_nodes", &service::nodes},
      {"swarm_genesis", &service::genesis},
      {"swarm_validatorSigns", &service::validator_signs},
      {"swarm_reportLie", &service::report_lie},
  };
  return table;
}

} // namespace swarm::rpc
