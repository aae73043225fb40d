#include "actors/sn/api/rpc_actor.hpp"

#include "actors/sn/api/rpc_metrics.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "ledger/formats/sign_of_life.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto upkeep_interval = 1s;
constexpr unsigned upkeeps_per_sign = 2;      ///< own signs of life
constexpr unsigned upkeeps_without_chain = 2; ///< how long requests wait for a newcomer's chain
constexpr std::size_t early_max = 1024;

time_point now() {
  return std::chrono::steady_clock::now();
}

// The service

struct rpc_state {
  explicit rpc_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const {
    if (!service) return "waiting for the chain";
    return fmt::format("{} subscriptions, {} wait for receipts", service->subscriptions(),
                       service->waiting_for_receipts());
  }
  std::string detail_json() const {
    if (!service) return "{}";
    return json::serialize(json::object{{"subscriptions", service->subscriptions()},
                                        {"waiting_for_receipts", service->waiting_for_receipts()},
                                        {"lies_reported", service->lies().count()},
                                        {"lies", service->lies().to_json(now())},
                                        {"organisations", service->shares().to_json()}});
  }

  std::shared_ptr<const sn_context> context;
  std::shared_ptr<const ledger::chain_window> chain;
  std::optional<rpc::service> service;
  bool waits = true; ///< requests wait, as a chain that is being opened or fetched will soon be there
  std::vector<rpc_request> early; ///< requests that came meanwhile
  bool requests_due = false;      ///< a message that says so is on its way
  unsigned upkeeps = 0;
  std::uint64_t last_serial = 0; ///< the serial of this node's last sign of life
  std::optional<rpc_metrics> metrics;
};

using self_pointer = role_actor<rpc_state>*;

rpc::responder::watcher watcher_for(role_base& self, const sn_context& context) {
  auto env = self.shared_env();
  auto& to = env->metrics;
  return std::make_shared<request_metrics>(std::move(env), to, context.options.node_name)->watcher();
}

struct carry_out {
  self_pointer self;
  submit_txns& submitted; ///< told together

  void operator()(rpc::action::submit& what) const { submitted.txns.push_back(std::move(what)); }
  void operator()(rpc::action::read& what) const {
    // While there is no reader, /sn/api is being restarted, and all connections end.
    self->tell(sibling(*self, "reader"), read_requests{std::move(what.part), self->state().chain});
  }
  void operator()(rpc::action::tell_sign& what) const {
    self->tell(sibling(*self, peers_hub), gossip_sign{std::move(what.raw)});
  }
};

/// Does what the service wants. Its own remaining work comes after the messages that wait here.
void carry_on(self_pointer self) {
  auto& s = self->state();
  submit_txns submitted;
  for (auto& each : s.service->take_actions())
    std::visit(carry_out{self, submitted}, each);
  for (const auto& line : s.service->take_notices())
    log::warning(s.context->log_source, "{}", line);
  for (const auto& line : s.service->lies().take_lines())
    log::warning(s.context->log_source, "{}", line);
  if (!submitted.txns.empty()) self->tell(sibling(*self, "chain"), std::move(submitted));
  if (s.service->busy() && !std::exchange(s.requests_due, true)) self->send(self, requests_due{});
}

template <class Event>
void step(self_pointer self, Event&& event) {
  auto& s = self->state();
  if (!s.service) return;
  s.service->step(std::forward<Event>(event), now());
  carry_on(self);
}

void answer(self_pointer self, rpc_request& request) {
  auto& s = self->state();
  if (s.waits && s.early.size() < early_max) return s.early.push_back(std::move(request));
  if (!s.service)
    return request.from.send(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":")"
                             R"(this SN has no chain yet, it is asking the sentinel; try again"}})");
  step(self, rpc::event::text{std::move(request.body), std::move(request.from)});
}

void answer_early(self_pointer self) {
  auto& s = self->state();
  s.waits = false;
  for (auto& request : std::exchange(s.early, {}))
    answer(self, request);
}

/// Takes signs of life that a neighbor passes on; those that are new here go on to other SNs.
void take_signs(self_pointer self, const neighbor_signs& what) {
  auto& s = self->state();
  if (!s.service) return;
  for (const auto& raw : what.raw) {
    const auto taken = s.service->take_sign(raw, now());
    if (!taken) {
      self->tell(sibling(*self, peers_hub), consensus::penalize{what.neighbor, taken.error()});
      return;
    }
    if (taken->news) self->tell(sibling(*self, peers_hub), gossip_sign{raw});
  }
}

/// Says on the chain what it should know of seats.
void look_at_seats(self_pointer self) {
  auto& s = self->state();
  for (auto& call : s.service->seat_calls(s.context->options.seat_lease, unix_seconds(), now())) {
    if (!call.line.empty()) log::warning(s.context->log_source, "{}", call.line);
    self->tell(sibling(*self, "chain"), submit_vouching{std::move(call.input), call.try_first});
  }
}

/// Sends this SN's own sign of life, which tells where its JSON-RPC server is.
void say_alive(self_pointer self) {
  auto& s = self->state();
  const auto view = s.chain->view();
  s.last_serial = std::max(unix_milliseconds(), s.last_serial + 1);
  auto raw =
      ledger::encode_sign_of_life(s.last_serial, view->head()->header.block_num, s.context->api_endpoint(),
                                  *s.context->key, view->chain_id(), view->genesis_hash());
  const auto taken = s.service->take_sign(raw, now());
  if (!taken) return self->note_error(taken.error().message);
  s.last_serial = std::max(s.last_serial, taken->last_serial);
  if (taken->news) self->tell(sibling(*self, peers_hub), gossip_sign{std::move(raw)});
}

void look_after(self_pointer self) {
  auto& s = self->state();
  const auto number = s.upkeeps++;
  if (!s.service && number == upkeeps_without_chain) answer_early(self);
  if (!s.service) return;
  s.metrics->look(*s.service, now());
  if (number % upkeeps_per_sign == 0) say_alive(self);
  look_at_seats(self);
  step(self, rpc::event::tick{});
}

void begin(self_pointer self, const chain_shown& what) {
  auto& s = self->state();
  if (s.chain != what.chain) { // otherwise it was told twice: by itself and in answer to the question
    s.chain = what.chain;
    s.context->book->watch(s.chain);
    s.service.emplace(s.chain, now(), rpc::service_limits{}, s.context->key->account());
    s.service->watch_with(watcher_for(*self, *s.context));
    s.metrics.emplace(self->env().metrics, s.context->options.node_name);
    self->env().methods.forward("nodes", self->path());
    look_after(self);
  }
  answer_early(self);
}

caf::behavior rpc_behavior(self_pointer self) {
  self->tell(sibling(*self, "chain"), window_wanted{});
  self->delayed_send(self, upkeep_interval, tick{});
  return {
      // from /sn/api
      [=](rpc_request& request) { answer(self, request); },
      [=](const session_gone& gone) { step(self, rpc::event::session_gone{gone.session}); },
      // from the chain
      [=](const chain_shown& what) { begin(self, what); },
      [=](const blocks_final& what) {
        for (const auto& block : what.blocks)
          step(self, rpc::event::block_final{block});
      },
      [=](const txns_submitted& what) {
        for (const auto& each : what.outcomes)
          step(self, each);
      },
      // from neighbors
      [=](const neighbor_signs& what) { take_signs(self, what); },
      [=](requests_due) {
        auto& s = self->state();
        s.requests_due = false;
        s.service->go_on(now());
        carry_on(self);
      },
      [=](tick) {
        look_after(self);
        self->delayed_send(self, upkeep_interval, tick{});
      },
      [=](const admin_query& query) -> caf::result<std::string> {
        auto& s = self->state();
        if (query.method != "nodes" || !s.service) return s.detail_json();
        auto nodes = s.service->nodes_json(now());
        return nodes ? json::serialize(json::object{{"nodes", std::move(*nodes)}}) : std::string("{}");
      },
  };
}

// The reader

struct reader_state {
  explicit reader_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const { return fmt::format("{} filters", reader.filters()); }
  std::string detail_json() const {
    return json::serialize(
        json::object{{"filters", reader.filters()}, {"organisations", reader.shares().to_json()}});
  }

  std::shared_ptr<const sn_context> context;
  rpc::reader reader;
  bool requests_due = false; ///< a message that says so is on its way
};

/// Requests that are not answered yet come after the messages that wait here, so that clients take turns.
void read_on(role_actor<reader_state>* self) {
  auto& s = self->state();
  for (const auto& line : s.reader.take_notices())
    log::warning(s.context->log_source, "{}", line);
  if (s.reader.busy() && !std::exchange(s.requests_due, true)) self->send(self, requests_due{});
}

caf::behavior reader_behavior(role_actor<reader_state>* self) {
  self->state().reader.watch_with(watcher_for(*self, *self->state().context));
  self->delayed_send(self, upkeep_interval, tick{});
  return {
      [=](read_requests& what) {
        self->state().reader.step(std::move(what.part), std::move(what.chain), now());
        read_on(self);
      },
      [=](requests_due) {
        self->state().requests_due = false;
        self->state().reader.go_on(now());
        read_on(self);
      },
      [=](tick) {
        self->state().reader.tick(now());
        self->delayed_send(self, upkeep_interval, tick{});
      },
  };
}

} // namespace

start_function rpc_actor(std::shared_ptr<const sn_context> context) {
  return role<rpc_state>(rpc_behavior, std::move(context));
}

start_function reader_actor(std::shared_ptr<const sn_context> context) {
  return role<reader_state>(reader_behavior, std::move(context));
}

} // namespace swarm::actors
