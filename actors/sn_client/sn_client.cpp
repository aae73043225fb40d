#include "actors/sn_client/sn_client.hpp"

#include "actors/metrics/series.hpp"
#include "actors/sn_client/known_sns.hpp"
#include "actors/sn_client/session/session_machine.hpp"
#include "actors/supervision/paths.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "transport/identity/registration_proof.hpp"
#include "transport/ws/websocket.hpp"

namespace swarm::actors {

namespace json = boost::json;

namespace {

/// What is configured wins over what is remembered.
session::trust_options trust_of(const sn_client_options& from) {
  if (from.genesis_hash) return {from.genesis_hash, "--genesis-hash"};
  if (from.known_genesis.empty()) return {};
  return {read_known_genesis(from.known_genesis), from.known_genesis.native()};
}

session::session_options session_of(const sn_client_options& from) {
  auto registration = from.registration;
  if (registration) {
    registration->identity = from.identity->fingerprint();
    registration->expiry = from.identity->not_after();
  }
  session::session_options out{from.sn,
                               from.known_sns.empty() ? std::vector<std::string>{}
                                                      : read_known_sns(from.known_sns),
                               from.key,
                               std::move(registration),
                               [identity = from.identity](const transport::registration_chain& chain,
                                                          const transport::registration_claim& claim) {
                                 return transport::prove_registration(*identity, chain, claim);
                               },
                               from.identity->anchor()->fingerprint};
  if (!from.trusting) out.trust = trust_of(from);
  return out;
}

session::event::presented presented_by(const transport::peer_info& peer) {
  if (!peer.has_proof()) return {};
  return {peer.cert_fingerprint, peer.anchor->fingerprint,
          fmt::format("{}, issued under {}", peer.cert_subject, peer.anchor->subject)};
}

json::value hex_of(const std::optional<hash32>& hash) {
  return hash ? json::value(to_hex(hash->view())) : json::value(nullptr);
}

struct sn_client_state {
  explicit sn_client_state(std::shared_ptr<const sn_client_options> from)
      : options(std::move(from)), machine(session_of(*options)) {}

  std::string status() const { return machine.status(); }
  std::string detail_json() const {
    return json::serialize(json::object{{"sn", machine.sn()},
                                        {"sns_known", machine.sns_known()},
                                        {"connected", machine.connected()},
                                        {"registered", machine.registered()},
                                        {"account", to_hex(options->key->account().view())},
                                        {"contract", machine.contract()},
                                        {"block_num", machine.block_num()},
                                        {"genesis", hex_of(machine.genesis())},
                                        {"lies", machine.lies()},
                                        {"transactions_under_way", machine.txns_open()},
                                        {"reconnects", machine.reconnects()}});
  }

  std::shared_ptr<const sn_client_options> options;
  session::session_machine machine;
  std::shared_ptr<transport::ws_session> link;
  std::optional<metrics::gauge> expiry; ///< of this node's certificate
  std::optional<metrics::gauge> authority_expiry;
  time_point armed = time_point::max();    ///< when the next `wake_up` comes
  std::optional<std::string> told_trouble; ///< to the user
};

using self_pointer = role_actor<sn_client_state>*;

time_point now() {
  return std::chrono::steady_clock::now();
}

// Actions

struct perform {
  self_pointer self;

  void operator()(session::action::connect& a) const {
    auto& s = self->state();
    const auto to = endpoint::parse(a.endpoint);
    if (!to) return self->end_process(1, to.error().message);
    transport::ws_callbacks callbacks;
    callbacks.on_open = [env = self->shared_env(), path = self->path(),
                         serial = a.serial](const transport::peer_info& peer) {
      env->dir.send(path, session::event::link_up{serial, presented_by(peer)});
    };
    callbacks.on_message = [env = self->shared_env(), path = self->path(),
                            serial = a.serial](transport::ws_message message) {
      env->dir.send(path, link_message{serial, std::move(message.data), std::move(message.credit)});
    };
    callbacks.on_close = [env = self->shared_env(), path = self->path(),
                          serial = a.serial](const error& why) {
      env->dir.send(path, session::event::link_down{serial, why.message});
    };
    s.link = transport::ws_connect(*s.options->io, s.options->identity, to->host, to->port, "/", {},
                                   std::move(callbacks));
  }
  void operator()(session::action::disconnect&) const {
    self->state().link->close(transport::ws_close_code::going_away, "another connection is made");
  }
  void operator()(session::action::send& a) const {
    if (auto sent = self->state().link->send_text(std::move(a.text)); !sent)
      self->note_error(sent.error().message);
  }
  void operator()(session::action::call_done& a) const { tell_user(std::move(a)); }
  void operator()(session::action::contract_read& a) const { tell_user(std::move(a)); }
  void operator()(session::action::answered& a) const {
    if (a.asker.empty()) return tell_user(std::move(a));
    const auto asker = sibling(*self, a.asker);
    self->tell(asker, std::move(a));
  }
  void operator()(session::action::keep_sns& a) const {
    const auto& file = self->state().options->known_sns;
    if (file.empty()) return;
    if (auto kept = write_known_sns(file, a.endpoints); !kept) self->note_error(kept.error().message);
  }
  void operator()(session::action::keep_genesis& a) const {
    const auto& file = self->state().options->known_genesis;
    if (file.empty()) return;
    if (auto kept = write_known_genesis(file, a.hash); !kept) self->note_error(kept.error().message);
  }
  void operator()(session::action::note& a) const {
    if (a.level == log::level::error) return self->note_error(std::move(a.text));
    if (log::enabled(a.level)) log::write(a.level, self->state().options->log_source, a.text);
  }

  void tell_user(auto message) const {
    self->tell(sibling(*self, self->state().options->user), std::move(message));
  }
};

void tell_trouble(self_pointer self) {
  auto& s = self->state();
  const auto trouble = s.machine.registered() ? std::string{} : s.machine.status();
  if (trouble != s.told_trouble
      && self->tell(sibling(*self, s.options->user), sn_standing{trouble, s.machine.sn()}))
    s.told_trouble = trouble;
}

/// Hands the machine an event, carries out what it wants, and sees to it that it hears when time has passed.
void step(self_pointer self, const auto& event) {
  auto& s = self->state();
  s.machine.step(event, now());
  for (auto& action : s.machine.take_actions())
    std::visit(perform{self}, action);
  tell_trouble(self);
  const auto due = s.machine.wake_at();
  if (due >= s.armed) return;
  s.armed = due;
  self->delayed_send(self, std::max(duration::zero(), due - now()), wake_up{due});
}

void show_expiry(const sn_client_state& s) {
  const auto& identity = *s.options->identity;
  s.expiry->set(static_cast<double>(identity.not_after()));
  s.authority_expiry->set(static_cast<double>(identity.anchor()->not_after));
}

caf::behavior sn_client_behavior(self_pointer self) {
  auto& s = self->state();
  const auto expiry_of = [&](const char* use) {
    return self->env().metrics.gauge_of(metrics::certificate_expiry,
                                        {{"node", s.options->node_name}, {"use", use}});
  };
  s.expiry.emplace(expiry_of("own"));
  s.authority_expiry.emplace(expiry_of("authority"));
  show_expiry(s);
  step(self, session::event::tick{unix_milliseconds()});
  return {
      [=](const wake_up& call) {
        if (call.due == self->state().armed) self->state().armed = time_point::max();
        const auto& identity = *self->state().options->identity;
        step(self, session::event::renewed{identity.fingerprint(), identity.anchor()->fingerprint,
                                           identity.not_after()});
        show_expiry(self->state());
        step(self, session::event::tick{unix_milliseconds()});
      },
      [=](const session::event::link_up& news) { step(self, news); },
      [=](const session::event::link_down& news) { step(self, news); },
      [=](const link_message& news) {
        step(self, session::event::received{news.serial, as_text(news.text)});
      },
      [=](const session::event::follow& wanted) {
        self->state().told_trouble.reset(); // its user may have started anew
        step(self, wanted);
      },
      [=](const session::event::read& again) { step(self, again); },
      [=](const session::event::submit& call) { step(self, call); },
      [=](const session::event::ask& call) { step(self, call); },
  };
}

} // namespace

start_function sn_client_actor(std::shared_ptr<const sn_client_options> options) {
  return role<sn_client_state>(sn_client_behavior, std::move(options));
}

} // namespace swarm::actors
