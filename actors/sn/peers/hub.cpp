#include "actors/sn/peers/hub.hpp"

#include "actors/sn/messages.hpp"
#include "actors/sn/peers/neighbor.hpp"
#include "actors/sn/sn_metrics.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "config/parse.hpp"
#include "ledger/consensus/quorum.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

/// Validators make the blocks themselves, so they are told of a new head after a pause. If they were told at
/// once, one that is a little late would ask for a block that it is just writing to its disk.
constexpr auto validators_hear_after = 20ms;

/// The most frames that wait for the actor of a neighbor to start, which takes much less than a millisecond.
constexpr std::size_t waiting_max = 1024;
constexpr auto supervisor_patience = 10s;

/// How long who is no member any more may take to fetch the block that says so, in ticks.
constexpr int ticks_to_part = 5;

/// Which versions of the P2P protocol this SN speaks: all that it can, unless a test has it rehearse how an older one
/// meets the others (SWARMD_P2P_VERSIONS=2).
p2p::version_range spoken_versions(const std::string& log_source) {
  const auto* said = std::getenv("SWARMD_P2P_VERSIONS");
  if (said == nullptr || *said == '\0') return p2p::versions_known;
  const auto wanted = p2p::read_versions(said);
  const bool possible =
      wanted && p2p::versions_known.has(wanted->first) && p2p::versions_known.has(wanted->last);
  if (possible)
    log::warning(log_source, "SWARMD_P2P_VERSIONS: of the P2P protocol versions {} are spoken",
                 p2p::text_of(*wanted));
  else
    log::warning(log_source, "SWARMD_P2P_VERSIONS is not heeded: this swarmd speaks versions {}",
                 p2p::text_of(p2p::versions_known));
  return possible ? *wanted : p2p::versions_known;
}

/// A connected SN that is no member any more.
struct parting {
  std::string why;
  std::uint64_t block_num = 0; ///< it ends once the neighbor has this block
  int ticks = ticks_to_part;   ///< or after so many
};

/// A connected SN.
struct neighbor_entry {
  p2p::neighbor_facts facts;
  bool started = false; ///< its actor, which waits for the end of the account's last one
  bool closing = false; ///< the connection is gone and its actor is ending
  caf::actor actor;     ///< once it is ready
  std::vector<std::function<void(const caf::actor&)>> waiting; ///< to be sent to it
};

struct hub_state {
  explicit hub_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}
  ~hub_state() {
    if (node) node->stop(); // the actors of neighbors hold it, too
  }
  hub_state(const hub_state&) = delete;
  hub_state& operator=(const hub_state&) = delete;

  std::string status() const {
    if (!node) return "waiting for the chain";
    return fmt::format("port {}, {} SNs connected", node->port(), neighbors.size());
  }
  std::string detail_json() const;

  std::shared_ptr<const sn_context> context;
  std::shared_ptr<p2p::p2p_node> node;
  std::map<consensus::neighbor_id, neighbor_entry> neighbors;
  /// Shared with broadcasts, which run on other threads.
  std::shared_ptr<const std::vector<address>> validators = std::make_shared<std::vector<address>>();
  p2p::head_facts head;
  bool head_due = false;              ///< validators are told soon
  std::vector<std::string> endpoints; ///< to dial, known before there was a node
  p2p::known_sns known;               ///< what the chain knows of SNs
  std::uint64_t ends_seen = 0;        ///< of memberships
  std::map<consensus::neighbor_id, parting> partings;
  std::optional<hub_metrics> metrics;
  std::vector<bytes> signs; ///< of life, to be sent with the next tick
};

std::string hub_state::detail_json() const {
  json::array out;
  if (!node) return "{}";
  const auto all = node->status();
  for (const auto& neighbor : all.neighbors) {
    auto one = neighbor_json(neighbor, *context->members);
    one["validator"] = consensus::is_validator(*validators, neighbor.facts.account);
    out.push_back(std::move(one));
  }
  return json::serialize(
      json::object{{"port", node->port()},
                   {"peers", std::move(out)},
                   {"unwanted", all.unwanted},
                   {"last_unwanted", all.last_unwanted},
                   {"newcomers", all.newcomers},
                   {"over_share", {{"count", all.over_share}, {"last", all.last_over_share}}}});
}

using self_pointer = role_actor<hub_state>*;

/// Why this certificate is not that of an SN which may read this chain. It need not be registered, as an SN has to see
/// the chain before it can register; its organisation has to be one of the chain's. Where an SN is dialled, this one may
/// be far behind, and know less of organisations than the other.
std::string why_unwanted(const sn_context& context, const transport::peer_info& remote, bool dialled) {
  const members::proved who{*remote.certificate, *remote.anchor};
  if (!members::roles_of(who, *context.members).has(members::role::sn))
    return members::refusal(who, members::role::sn, *context.members);
  if (context.book->was_removed(remote.cert_fingerprint))
    return fmt::format("it was removed by a vote and comes back with another certificate than {}",
                       remote.cert_subject);
  const auto& anchor = remote.anchor->fingerprint;
  const bool unknown = dialled ? context.book->was_of_removed_organisation(anchor, remote.cert_fingerprint)
                               : !context.book->is_anchor(anchor);
  if (unknown)
    return fmt::format(
        "no organisation of this chain has the CA {} of the certificate {}; the organisations admit one "
        "by their votes",
        remote.anchor->subject, remote.cert_subject);
  return {};
}

/// Turns the node's calls, on threads of its own, into messages. Messages of consensus and transactions go
/// straight to the actors that handle them, as their delay adds to that of a block; all others go to the
/// actor of the neighbor.
p2p::p2p_callbacks callbacks_of(self_pointer self) {
  auto env = self->shared_env();
  const auto& own = self->path();
  const auto agreed = sibling_of_parent(*self, "consensus"), chain = sibling_of_parent(*self, "chain");
  p2p::p2p_callbacks out;
  out.unwanted = [context = self->state().context](const transport::peer_info& remote, bool dialled) {
    return why_unwanted(*context, remote, dialled);
  };
  out.organisation_of = [members = self->state().context->members](const transport::peer_info& remote) {
    return members::organisation_of({*remote.certificate, *remote.anchor}, *members);
  };
  out.on_neighbor = [=](p2p::neighbor_id neighbor, const p2p::neighbor_facts& facts) {
    env->dir.send(own, neighbor_up{neighbor, facts});
  };
  out.on_neighbor_gone = [=](p2p::neighbor_id neighbor, const std::string& reason) {
    env->dir.send(own, neighbor_down{neighbor, reason});
  };
  out.on_consensus = [=](p2p::neighbor_id neighbor, bytes raw, p2p::credit credit) {
    env->dir.send(
        agreed, neighbor_message{neighbor, std::make_shared<const bytes>(std::move(raw)), std::move(credit)});
  };
  out.on_txns = [=](p2p::neighbor_id, std::vector<bytes> raw, p2p::credit credit) {
    env->dir.send(chain, neighbor_txns{std::move(raw), std::move(credit)});
  };
  out.on_signs = [=](p2p::neighbor_id neighbor, std::vector<bytes> raw, p2p::credit credit) {
    env->dir.send(own, neighbor_signs{neighbor, std::move(raw), std::move(credit)});
  };
  out.on_head = [=](p2p::neighbor_id neighbor, const p2p::head_facts& head) {
    env->dir.send(own, head_heard{neighbor, head});
  };
  out.on_blocks_wanted = [=](p2p::neighbor_id neighbor, std::uint64_t id, std::uint64_t first,
                             std::uint64_t count, std::size_t bytes_max) {
    env->dir.send(own, blocks_wanted{neighbor, id, first, count, bytes_max});
  };
  out.on_part_wanted = [=](p2p::neighbor_id neighbor, std::uint64_t id, bytes question, std::size_t bytes_max,
                           p2p::credit credit) {
    env->dir.send(own, part_wanted{neighbor, id, std::move(question), bytes_max, std::move(credit)});
  };
  out.on_part = [=](p2p::neighbor_id neighbor, std::uint64_t tag, bytes answer, p2p::credit credit) {
    env->dir.send(own, part_found{neighbor, tag, std::move(answer), std::move(credit)});
  };
  out.on_blocks = [=](p2p::neighbor_id neighbor, std::uint64_t first, std::vector<p2p::sealed_block> blocks,
                      p2p::credit credit) {
    env->dir.send(own, neighbor_blocks{neighbor, first, std::move(blocks), std::move(credit)});
  };
  return out;
}

/// Announces a new head to followers at once, and to validators after a moment, so that several
/// heads become one.
void announce(self_pointer self) {
  auto& s = self->state();
  s.node->announce_head_to(s.head, [&](const p2p::neighbor_facts& to) {
    return !consensus::is_validator(*s.validators, to.account);
  });
  if (!std::exchange(s.head_due, true)) self->delayed_send(self, validators_hear_after, head_due{});
}

void tell_validators(self_pointer self) {
  auto& s = self->state();
  s.head_due = false;
  s.node->announce_head_to(s.head, [&](const p2p::neighbor_facts& to) {
    return consensus::is_validator(*s.validators, to.account);
  });
}

void listen(self_pointer self, const network_facts& facts) {
  auto& s = self->state();
  s.head = facts.head;
  const bool same = *s.validators == facts.validators;
  s.validators = std::make_shared<const std::vector<address>>(facts.validators);
  if (s.node) {
    if (!same) s.node->set_validators(facts.validators);
    return announce(self);
  }
  const auto& sn = s.context->options;
  p2p::p2p_options options;
  s.metrics.emplace(self->env().metrics, sn.node_name, options.neighbors_max);
  options.bind_address = sn.bind_address;
  options.port = sn.sn_p2p_port;
  options.endpoint = s.context->p2p_endpoint();
  options.chain_id = facts.domain.chain_id;
  options.genesis = facts.domain.genesis_hash;
  options.validates = !sn.observer;
  options.program = fmt::format("swarmd {}", config::version());
  options.versions = spoken_versions(s.context->log_source);
  options.rules_known = std::min(sn.rules_known, ledger::rules_newest);
  options.dial = s.endpoints;
  options.log_source = s.context->log_source;
  auto node = p2p::p2p_node::start(
      *s.context->io, s.context->identity, s.context->key->account(),
      [key = s.context->key](const hash32& digest) { return key->sign_recoverable(digest); },
      std::move(options), facts.head, callbacks_of(self));
  if (!node) return self->fail_start(node.error());
  s.node = std::move(*node);
  s.node->set_validators(facts.validators);
  s.node->set_known(s.known);
  log::info(s.context->log_source, "listening for other SNs on port: {}", s.node->port());
}

// The actors of neighbors

std::string name_of(const p2p::neighbor_facts& neighbor) {
  return to_hex(neighbor.account.view());
}

/// Passes `what` on to the actor of the neighbor that it names.
template <class What>
void pass(self_pointer self, What& what) {
  auto& s = self->state();
  const auto found = s.neighbors.find(what.neighbor);
  if (found == s.neighbors.end() || found->second.closing) return;
  auto& to = found->second;
  if (to.actor) return self->send(to.actor, std::move(what));
  if (to.waiting.size() >= waiting_max)
    return s.node->disconnect(what.neighbor, "this SN is too busy for the connection");
  to.waiting.emplace_back(
      [self, kept = std::move(what)](const caf::actor& actor) { self->send(actor, kept); });
}

void start_neighbor(self_pointer self, consensus::neighbor_id id, neighbor_entry& one) {
  auto& s = self->state();
  one.started = true;
  log::info(s.context->log_source, "connected to {}, at block {}", one.facts.name(),
            one.facts.head.block_num);
  const auto rules = one.facts.rules_known;
  if (rules != 0 && rules < std::min(s.context->options.rules_known, ledger::rules_newest))
    log::info(s.context->log_source,
              "{}, {}, knows rules of the chain up to version {} and stops where newer ones begin: upgrade "
              "it before they "
              "are voted for",
              one.facts.name(), one.facts.program, rules);
  self->tell(sibling_of_parent(*self, "consensus"), consensus::neighbor_connected{id});
  self->tell(sibling_of_parent(*self, "chain"), newcomer{});
  self->ask(parent_path(*self), supervisor_patience,
            add_child{{.name = name_of(one.facts),
                       .start = neighbor_actor(s.context, s.node, id, one.facts),
                       .when = restart::temporary}})
      .then([](const child_added&) {},
            [=](caf::error& why) {
              self->note_error(text_of(why));
              self->state().node->disconnect(id, "this SN has no actor for the connection");
            });
}

void add_neighbor(self_pointer self, const neighbor_up& up) {
  auto& s = self->state();
  const bool before = std::any_of(s.neighbors.begin(), s.neighbors.end(), [&](const auto& one) {
    return one.second.facts.account == up.facts.account;
  });
  auto& one = s.neighbors[up.neighbor];
  one.facts = up.facts;
  if (!before) start_neighbor(self, up.neighbor, one);
}

void neighbor_is_ready(self_pointer self, const neighbor_ready& ready) {
  auto& s = self->state();
  const auto found = s.neighbors.find(ready.neighbor);
  if (found == s.neighbors.end() || found->second.closing) return;
  found->second.actor = ready.self;
  for (const auto& send : std::exchange(found->second.waiting, {}))
    send(ready.self);
}

/// The actor has ended, so consensus hears nothing more of this connection. The account may have another
/// connection by now.
void forget_neighbor(self_pointer self, consensus::neighbor_id id) {
  auto& s = self->state();
  const auto account = s.neighbors.at(id).facts.account;
  s.neighbors.erase(id);
  self->tell(sibling_of_parent(*self, "consensus"), consensus::neighbor_gone{id});
  for (auto& [next, one] : s.neighbors)
    if (one.facts.account == account && !one.started) return start_neighbor(self, next, one);
}

void drop_neighbor(self_pointer self, const neighbor_down& down) {
  auto& s = self->state();
  const auto found = s.neighbors.find(down.neighbor);
  if (found == s.neighbors.end()) return;
  auto& one = found->second;
  if (!one.started) return void(s.neighbors.erase(found));
  log::info(s.context->log_source, "no longer connected to {}: {}", one.facts.name(), down.reason);
  one.closing = true;
  one.actor = nullptr;
  one.waiting.clear();
  const auto forget = [self, id = down.neighbor] { forget_neighbor(self, id); };
  self->ask(parent_path(*self), supervisor_patience, remove_child{name_of(one.facts)})
      .then([forget](const child_removed&) { forget(); },
            [forget](caf::error&) { forget(); }); // the actor has ended by itself
}

/// Consensus was restarted: it is told who is connected, and each neighbor's actor tells it the
/// neighbor's head.
void introduce_neighbors(self_pointer self) {
  for (const auto& [id, one] : self->state().neighbors) {
    if (!one.started || one.closing) continue;
    self->tell(sibling_of_parent(*self, "consensus"), consensus::neighbor_connected{id});
    if (one.actor) self->send(one.actor, consensus_wanted{});
  }
}

void report_neighbors(self_pointer self) {
  membership::neighbors_seen out;
  for (const auto& [id, one] : self->state().neighbors)
    if (one.started && !one.closing)
      out.nodes.push_back({one.facts.account, one.facts.cert_fingerprint, one.facts.validates});
  self->tell(sibling_of_parent(*self, "membership"), std::move(out));
}

/// The connections of SNs end with their membership, as soon as they have the block that ended it: who were cut off
/// before it had to believe others. Who has left ends by itself, and who has renewed its certificate goes on.
void end_neighbors(self_pointer self) {
  using cause = membership::ended_membership::cause;
  auto& s = self->state();
  if (!s.node) return;
  for (const auto& each : s.context->book->ended_since(s.ends_seen)) {
    if (each.how == cause::left || each.how == cause::replaced) continue;
    for (const auto& [id, one] : s.neighbors)
      if (one.facts.account == each.account) s.partings.try_emplace(id, parting{each.why, each.block_num});
  }
  for (auto it = s.partings.begin(); it != s.partings.end();) {
    auto& [id, one] = *it;
    const auto now = s.node->status(id);
    if (now && now->head.block_num < one.block_num && one.ticks-- > 0) {
      ++it;
      continue;
    }
    s.node->disconnect(id, one.why);
    it = s.partings.erase(it);
  }
}

// All of them

/// Sends the signs of many nodes in one frame, or in several when one does not hold them.
void send_signs(self_pointer self) {
  auto& s = self->state();
  if (s.node) s.node->send_signs(std::exchange(s.signs, {}));
  s.signs.clear();
}

/// What the chain knows of SNs: who has a place at this one, and where they are dialled.
void take_known(hub_state& s, const membership::action::dial::chain_knows& what) {
  s.known = {};
  for (const auto& each : what.sns)
    s.known.sns.push_back({each.account, each.certificate, each.endpoint});
  for (const auto& [anchor, owner] : what.anchors)
    s.known.anchors[anchor] = {owner.organisation, owner.p2p_places};
  if (s.node) s.node->set_known(s.known);
}

void dial(self_pointer self, const membership::action::dial& what) {
  auto& s = self->state();
  if (what.known) return take_known(s, *what.known);
  for (const auto& endpoint : what.endpoints) {
    if (endpoint.empty() || endpoint == s.context->p2p_endpoint()) continue;
    if (std::find(s.endpoints.begin(), s.endpoints.end(), endpoint) != s.endpoints.end()) continue;
    s.endpoints.push_back(endpoint);
    if (!s.node) continue;
    if (auto dialled = s.node->dial(endpoint); !dialled) self->note_error(dialled.error().message);
  }
}

void broadcast(self_pointer self, const consensus::broadcast& what) {
  auto& s = self->state();
  if (s.node)
    s.node->broadcast_consensus(*what.raw, [validators = s.validators](const p2p::neighbor_facts& to) {
      return consensus::is_validator(*validators, to.account);
    });
}

void show_neighbors(self_pointer self) {
  auto& s = self->state();
  if (s.node) s.metrics->look(s.node->status(), *s.validators, s.context->key->account());
}

/// A handler that passes on to the actor of the neighbor.
template <class What>
auto passing(self_pointer self) {
  return [self](What& what) { pass(self, what); };
}

caf::behavior hub_behavior(self_pointer self) {
  self->tell(sibling_of_parent(*self, "chain"), network_wanted{});
  self->delayed_send(self, 1s, tick{});
  return {
      [=](const consensus::broadcast& what) { broadcast(self, what); },
      [=](const consensus::send_to& what) {
        if (auto& node = self->state().node) node->send_consensus(what.neighbor, *what.raw);
      },
      [=](const consensus::send_decided& what) {
        auto& s = self->state();
        if (s.node) s.node->announce_head(s.head, what.neighbor);
      },
      [=](const network_facts& facts) { listen(self, facts); },
      [=](const membership::action::dial& what) { dial(self, what); },
      [=](consensus_wanted) { introduce_neighbors(self); },
      [=](const gossip_txn& what) {
        if (auto& node = self->state().node) node->gossip_txn(what.raw);
      },
      [=](const gossip_sign& what) {
        auto& s = self->state();
        s.signs.push_back(what.raw);
        if (s.signs.size() == p2p::signs_max) send_signs(self);
      },
      [=](const neighbor_up& up) { add_neighbor(self, up); },
      [=](const neighbor_ready& ready) { neighbor_is_ready(self, ready); },
      [=](const neighbor_down& down) { drop_neighbor(self, down); },
      // what the actor of a neighbor understands
      passing<head_heard>(self),
      passing<neighbor_signs>(self),
      passing<blocks_wanted>(self),
      passing<part_wanted>(self),
      passing<part_found>(self),
      passing<neighbor_blocks>(self),
      passing<consensus::penalize>(self),
      passing<sync::action::ask_range>(self),
      passing<blocks_found>(self),
      passing<ask_part>(self),
      passing<part_answer>(self),
      // time
      [=](head_due) { tell_validators(self); },
      [=](tick) {
        end_neighbors(self);
        report_neighbors(self);
        send_signs(self);
        show_neighbors(self);
        self->delayed_send(self, 1s, tick{});
      },
      [=](const admin_query&) { return self->state().detail_json(); },
  };
}

} // namespace

start_function hub_actor(std::shared_ptr<const sn_context> context) {
  return role<hub_state>(hub_behavior, std::move(context));
}

} // namespace swarm::actors
