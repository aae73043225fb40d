#include "actors/sn/membership/membership_actor.hpp"

#include "actors/sn/membership/machine/membership_machine.hpp"
#include "actors/sn/membership/network_entry.hpp"
#include "actors/sn/messages.hpp"
#include "actors/supervision/paths.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "transport/identity/registration_proof.hpp"

#include <boost/json.hpp>
#include <caf/typed_response_promise.hpp>

#include <atomic>

namespace swarm::actors {

namespace json = boost::json;

namespace {

constexpr std::size_t leave_promises_max = 64;

/// What the operator wished, for as long as the process runs: it outlives this actor.
struct wishes {
  std::atomic<bool> leaving = false;
};

struct sentinel_place {
  std::string host;
  std::uint16_t port = 0;
};

sentinel_place sentinel_of(const config::sn_options& options) {
  if (options.sentinel_api_service)
    return {options.sentinel_api_service->host, options.sentinel_api_service->port};
  return {options.sentinel_ip, options.sentinel_api_port};
}

membership::machine_options machine_options_of(const sn_context& context, bool leaving) {
  const auto sentinel = sentinel_of(context.options);
  return {.self = context.key->account(),
          .prove =
              [identity = context.identity](const auto& chain, const auto& claim) {
                return transport::prove_registration(*identity, chain, claim);
              },
          .node_name = context.options.node_name,
          .endpoint = context.p2p_endpoint(),
          .trainings = context.options.contracts,
          .sentinel = host_port(sentinel.host, sentinel.port),
          .genesis_hash = context.options.genesis_hash,
          .leaving = leaving,
          .seed = get_be64(context.key->account().data())};
}

struct membership_state {
  membership_state(std::shared_ptr<const sn_context> from, std::shared_ptr<wishes> kept)
      : context(std::move(from)), wished(std::move(kept)),
        machine(machine_options_of(*context, wished->leaving)) {}

  std::string status() const { return machine.status(); }
  std::string detail_json() const {
    return json::serialize(json::object{{"registered", machine.registered()}});
  }

  std::shared_ptr<const sn_context> context;
  std::shared_ptr<wishes> wished;
  membership::membership_machine machine;
  std::uint64_t timer_serial = 0;
  std::shared_ptr<transport::http_client> client; ///< while the sentinel is asked
  std::vector<caf::typed_response_promise<std::string>> leave_promises;
};

using self_pointer = role_actor<membership_state>*;

struct carry_out {
  self_pointer self;

  template <class Action>
  void to_chain(Action& what) const {
    self->tell(sibling(*self, "chain"), std::move(what));
  }

  void operator()(membership::action::set_timer& what) const {
    self->delayed_send(self, what.after, membership_due{++self->state().timer_serial});
  }
  void operator()(membership::action::read_facts& what) const { to_chain(what); }
  void operator()(membership::action::submit& what) const { to_chain(what); }
  void operator()(membership::action::open_chain& what) const {
    self->state().client.reset();
    to_chain(what);
  }
  void operator()(membership::action::dial& what) const {
    self->tell(sibling(*self, peers_hub), std::move(what));
  }
  void operator()(membership::action::say& what) const {
    const auto& source = self->state().context->log_source;
    if (what.warning) return log::warning(source, "{}", what.text);
    log::info(source, "{}", what.text);
  }
  void operator()(membership::action::give_up& what) const { self->end_process(1, std::move(what.why)); }
  void operator()(const membership::action::ask_sentinel&) const;
  void operator()(membership::action::answer_leave& what) const;
};

void carry_out::operator()(const membership::action::ask_sentinel&) const {
  auto& s = self->state();
  if (!s.client) s.client = std::make_shared<transport::http_client>(*s.context->io, s.context->identity);
  const auto sentinel = sentinel_of(s.context->options);
  membership::ask_network_entry(
      s.client, sentinel.host, sentinel.port, !s.context->options.genesis_hash,
      [env = self->shared_env(), path = self->path()](result<membership::network_entry> entry) {
        env->dir.send(path, entry_arrived{std::make_shared<membership::entry_found>(
                                membership::entry_found{std::move(entry)})});
      });
}

void carry_out::operator()(membership::action::answer_leave& what) const {
  for (auto& promise : std::exchange(self->state().leave_promises, {})) {
    if (!what.outcome)
      promise.deliver(to_caf(what.outcome.error()));
    else
      promise.deliver(json::serialize(
          json::object{{"left", what.outcome->left}, {"block_num", what.outcome->block_num}}));
  }
}

template <class Event>
void step(self_pointer self, const Event& event) {
  auto& s = self->state();
  s.machine.step(event, std::chrono::steady_clock::now());
  s.wished->leaving = s.machine.leaving();
  for (auto& action : s.machine.take_actions())
    std::visit(carry_out{self}, action);
}

caf::behavior membership_behavior(self_pointer self) {
  self->env().methods.forward("leave", self->path());
  step(self, membership::start{});
  return {
      [=](const membership_due& due) {
        if (due.serial == self->state().timer_serial) step(self, membership::timer_fired{});
      },
      [=](const membership::facts_read& what) { step(self, what); },
      [=](const membership::no_chain& what) { step(self, what); },
      [=](const membership::submitted& what) { step(self, what); },
      [=](const membership::neighbors_seen& what) { step(self, what); },
      [=](const membership::double_vote_seen& what) { step(self, what); },
      [=](const entry_arrived& what) { step(self, *what.found); },
      [=](const admin_query&) -> caf::result<std::string> { // "leave"
        if (self->state().leave_promises.size() >= leave_promises_max)
          return to_caf(make_error(errc::limit, "too many wait for this SN to leave"));
        auto promise = self->make_response_promise<caf::typed_response_promise<std::string>>();
        self->state().leave_promises.push_back(promise);
        step(self, membership::leave_wanted{});
        return promise;
      },
  };
}

} // namespace

start_function membership_actor(std::shared_ptr<const sn_context> context) {
  return role<membership_state>(membership_behavior, std::move(context), std::make_shared<wishes>());
}

} // namespace swarm::actors
