#include "actors/sn/peers/peers_actor.hpp"

#include "actors/sn/messages.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "ledger/consensus/quorum.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

/// One invalid message of consensus or synchronisation; at p2p::session_options::offence_points_max
/// it is over.
constexpr double offence_points = 10;

/// Validators make the blocks themselves. Told at once of each, those that are a little later than others
/// would ask for what is on its way to their disk.
constexpr auto validators_hear_after = 20ms;

struct peers_state {
  explicit peers_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const {
    if (!node) return "waiting for the chain";
    std::string out = fmt::format("port {}, {} SNs connected", node->port(), neighbors.size());
    for (const auto& [id, facts] : neighbors)
      out += fmt::format(", {}", facts.endpoint.empty() ? facts.remote : facts.endpoint);
    return out;
  }
  std::string detail_json() const;

  std::shared_ptr<const sn_context> context;
  std::unique_ptr<p2p::p2p_node> node;
  std::map<consensus::neighbor_id, p2p::neighbor_facts> neighbors;
  /// Shared with broadcasts, which run on other threads.
  std::shared_ptr<const std::vector<address>> validators = std::make_shared<std::vector<address>>();
  p2p::head_facts head;
  bool head_due = false;              ///< validators are told soon
  std::vector<std::string> endpoints; ///< known before there was a node
  std::vector<bytes> signs;           ///< of life, to be sent with the next tick
};

std::string peers_state::detail_json() const {
  json::array out;
  if (!node) return "{}";
  for (const auto& neighbor : node->status().neighbors)
    out.push_back(json::object{
        {"account", to_hex(neighbor.facts.account.view())},
        {"certificate", to_hex(neighbor.facts.cert_fingerprint.view())},
        {"endpoint", neighbor.facts.endpoint},
        {"remote", neighbor.facts.remote},
        {"block_num", neighbor.head.block_num},
        {"validates", neighbor.facts.validates},
        {"validator", consensus::is_validator(*validators, neighbor.facts.account)},
        {"connected_s", std::chrono::duration_cast<std::chrono::seconds>(neighbor.connected_for).count()},
        {"bytes_received", neighbor.bytes_in},
        {"bytes_sent", neighbor.bytes_out},
        {"queued_bytes", neighbor.queued_bytes},
        {"offence_points", neighbor.offence_points}});
  return json::serialize(json::object{{"port", node->port()}, {"peers", std::move(out)}});
}

using self_pointer = role_actor<peers_state>*;

/// What the node calls on its own threads becomes messages.
p2p::p2p_callbacks callbacks_of(self_pointer self) {
  auto env = self->shared_env();
  const auto own = self->path(), agreed = sibling(*self, "consensus"), chain = sibling(*self, "chain");
  p2p::p2p_callbacks out;
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
    env->dir.send(chain, neighbor_signs{neighbor, std::move(raw), std::move(credit)});
  };
  out.on_head = [=](p2p::neighbor_id neighbor, const p2p::head_facts& head) {
    env->dir.send(agreed, neighbor_head{neighbor, head.block_num, {}});
  };
  out.on_blocks_wanted = [=](p2p::neighbor_id neighbor, std::uint64_t id, std::uint64_t first,
                             std::uint64_t count, std::size_t bytes_max) {
    env->dir.send(chain, blocks_wanted{neighbor, id, first, count, bytes_max});
  };
  out.on_part_wanted = [=](p2p::neighbor_id neighbor, std::uint64_t id, bytes question, std::size_t bytes_max,
                           p2p::credit credit) {
    env->dir.send(chain, part_wanted{neighbor, id, std::move(question), bytes_max, std::move(credit)});
  };
  out.on_part = [=](p2p::neighbor_id neighbor, std::uint64_t tag, bytes answer, p2p::credit credit) {
    env->dir.send(chain, part_found{neighbor, tag, std::move(answer), std::move(credit)});
  };
  out.on_blocks = [=](p2p::neighbor_id neighbor, std::uint64_t first, std::vector<p2p::sealed_block> blocks,
                      p2p::credit credit) {
    env->dir.send(agreed, neighbor_blocks{neighbor, first, std::move(blocks), std::move(credit)});
  };
  return out;
}

/// Followers hear of a new head at once, validators after a moment, and of several as of one.
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
  s.validators = std::make_shared<const std::vector<address>>(facts.validators);
  if (s.node) return announce(self);
  const auto& sn = s.context->options;
  p2p::p2p_options options;
  options.bind_address = sn.bind_address;
  options.port = sn.sn_p2p_port;
  options.endpoint = s.context->p2p_endpoint();
  options.chain_id = facts.domain.chain_id;
  options.genesis = facts.domain.genesis_hash;
  options.validates = !sn.observer;
  options.dial = s.endpoints;
  options.log_source = s.context->log_source;
  auto node = p2p::p2p_node::start(
      *s.context->io, s.context->identity, s.context->key->account(),
      [key = s.context->key](const hash32& digest) { return key->sign_recoverable(digest); },
      std::move(options), facts.head, callbacks_of(self));
  if (!node) return self->fail_start(node.error());
  s.node = std::move(*node);
  log::info(s.context->log_source, "listening for other SNs on port: {}", s.node->port());
}

void add_neighbor(self_pointer self, const neighbor_up& up) {
  auto& s = self->state();
  s.neighbors[up.neighbor] = up.facts;
  log::info(s.context->log_source, "connected to {}, at block {}", up.facts.name(), up.facts.head.block_num);
  const auto agreed = sibling(*self, "consensus");
  self->tell(agreed, consensus::neighbor_connected{up.neighbor});
  self->tell(agreed, neighbor_head{up.neighbor, up.facts.head.block_num, up.facts.cert_fingerprint});
}

void drop_neighbor(self_pointer self, const neighbor_down& down) {
  auto& s = self->state();
  const auto found = s.neighbors.find(down.neighbor);
  if (found == s.neighbors.end()) return;
  log::info(s.context->log_source, "no longer connected to {}: {}", found->second.name(), down.reason);
  s.neighbors.erase(found);
  self->tell(sibling(*self, "consensus"), consensus::neighbor_gone{down.neighbor});
}

void report_neighbors(self_pointer self) {
  neighbors_seen out;
  for (const auto& [id, facts] : self->state().neighbors)
    out.nodes.push_back({facts.account, facts.cert_fingerprint, facts.validates});
  self->tell(sibling(*self, "chain"), std::move(out));
}

/// Many nodes' signs in a frame; what is too much for one is sent at once.
void send_signs(self_pointer self) {
  auto& s = self->state();
  if (s.node) s.node->send_signs(std::exchange(s.signs, {}));
  s.signs.clear();
}

void dial(self_pointer self, const dial_neighbors& what) {
  auto& s = self->state();
  for (const auto& endpoint : what.endpoints) {
    if (endpoint.empty() || endpoint == s.context->p2p_endpoint()) continue;
    if (std::find(s.endpoints.begin(), s.endpoints.end(), endpoint) != s.endpoints.end()) continue;
    s.endpoints.push_back(endpoint);
    if (!s.node) continue;
    if (auto dialled = s.node->dial(endpoint); !dialled) self->note_error(dialled.error().message);
  }
}

caf::behavior peers_behavior(self_pointer self) {
  self->tell(sibling(*self, "chain"), network_wanted{});
  self->delayed_send(self, 1s, tick{});
  return {
      [=](const network_facts& facts) { listen(self, facts); },
      [=](const dial_neighbors& what) { dial(self, what); },
      [=](const neighbor_up& up) { add_neighbor(self, up); },
      [=](const neighbor_down& down) { drop_neighbor(self, down); },
      [=](consensus_wanted) { // consensus has started anew
        for (const auto& [id, facts] : self->state().neighbors)
          add_neighbor(self, {id, facts});
      },
      [=](head_due) { tell_validators(self); },
      [=](tick) {
        report_neighbors(self);
        send_signs(self);
        self->delayed_send(self, 1s, tick{});
      },
      // to neighbors
      [=](const consensus::broadcast& what) {
        auto& s = self->state();
        if (s.node)
          s.node->broadcast_consensus(*what.raw, [validators = s.validators](const p2p::neighbor_facts& to) {
            return consensus::is_validator(*validators, to.account);
          });
      },
      [=](const consensus::send_to& what) {
        if (auto& node = self->state().node) node->send_consensus(what.neighbor, *what.raw);
      },
      [=](const consensus::send_decided& what) {
        auto& s = self->state();
        if (s.node) s.node->announce_head(s.head, what.neighbor);
      },
      [=](const consensus::penalize& what) {
        if (auto& node = self->state().node) node->penalize(what.neighbor, what.why.message, offence_points);
      },
      [=](const sync::action::ask_range& what) {
        if (auto& node = self->state().node) node->ask_blocks(what.neighbor, what.first, what.count);
      },
      [=](const blocks_found& what) {
        if (auto& node = self->state().node) node->answer_blocks(what.neighbor, what.request_id, what.blocks);
      },
      [=](const ask_part& what) { // who cannot be asked is taken for silent
        if (auto& node = self->state().node) node->ask_part(what.neighbor, what.tag, what.question);
      },
      [=](const part_answer& what) {
        if (auto& node = self->state().node) node->answer_part(what.neighbor, what.request_id, what.answer);
      },
      [=](const gossip_txn& what) {
        if (auto& node = self->state().node) node->gossip_txn(what.raw);
      },
      [=](const gossip_sign& what) {
        auto& s = self->state();
        s.signs.push_back(what.raw);
        if (s.signs.size() == p2p::signs_max) send_signs(self);
      },
      [=](const admin_query&) { return self->state().detail_json(); },
  };
}

} // namespace

start_function peers_actor(std::shared_ptr<const sn_context> context) {
  return role<peers_state>(peers_behavior, std::move(context));
}

} // namespace swarm::actors
