#include "actors/sn/peers/neighbor.hpp"

#include "actors/sn/messages.hpp"
#include "actors/supervision/paths.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

namespace {

/// The points for one invalid message of consensus or synchronisation; at
/// p2p::session_options::offence_points_max the neighbor is disconnected.
constexpr double offence_points = 10;

struct neighbor_state {
  neighbor_state(std::shared_ptr<const sn_context> from, std::shared_ptr<p2p::p2p_node> on,
                 p2p::neighbor_id name, p2p::neighbor_facts known)
      : context(std::move(from)), node(std::move(on)), id(name), facts(std::move(known)), head(facts.head) {}
  ~neighbor_state() { node->disconnect(id, "this SN ends the connection"); }
  neighbor_state(const neighbor_state&) = delete;
  neighbor_state& operator=(const neighbor_state&) = delete;

  std::string status() const;
  std::string detail_json() const {
    const auto now = node->status(id);
    return now ? json::serialize(neighbor_json(*now, *context->members)) : std::string{};
  }

  std::shared_ptr<const sn_context> context;
  std::shared_ptr<p2p::p2p_node> node;
  p2p::neighbor_id id = 0;
  p2p::neighbor_facts facts;
  p2p::head_facts head;
};

std::string neighbor_state::status() const {
  auto out =
      fmt::format("{}, at block {}", facts.endpoint.empty() ? facts.remote : facts.endpoint, head.block_num);
  if (!facts.validates) out += ", an observer";
  const auto now = node->status(id);
  if (!now) return out + ", gone";
  out += fmt::format(", {} bytes received, {} sent", now->bytes_in, now->bytes_out);
  if (now->offence_points >= 1) out += fmt::format(", {:.0f} offence points", now->offence_points);
  return out;
}

using self_pointer = role_actor<neighbor_state>*;

void tell_head(self_pointer self, std::optional<hash32> certificate) {
  const auto& s = self->state();
  self->tell(sibling_of_parent(*self, "consensus"), neighbor_head{s.id, s.head.block_num, certificate});
}

/// Hands on what the neighbor says.
template <class Frame>
auto hand_to(self_pointer self, std::string_view whom) {
  return [self, to = sibling_of_parent(*self, whom)](Frame& frame) { self->tell(to, std::move(frame)); };
}

caf::behavior neighbor_behavior(self_pointer self) {
  const auto& s = self->state();
  tell_head(self, s.facts.cert_fingerprint);
  self->tell(sibling(*self, "hub"), neighbor_ready{s.id, caf::actor_cast<caf::actor>(self)});
  return {
      // from the neighbor
      [=](const head_heard& what) {
        self->state().head = what.head;
        tell_head(self, {});
      },
      hand_to<neighbor_signs>(self, "rpc"),
      hand_to<blocks_wanted>(self, "chain"),
      hand_to<part_wanted>(self, "chain"),
      hand_to<part_found>(self, "chain"),
      hand_to<neighbor_blocks>(self, "consensus"),
      // to the neighbor
      [=](consensus_wanted) { tell_head(self, self->state().facts.cert_fingerprint); },
      [=](const consensus::penalize& what) {
        self->state().node->penalize(what.neighbor, what.why.message, offence_points);
      },
      [=](const sync::action::ask_range& what) {
        self->state().node->ask_blocks(what.neighbor, what.first, what.count);
      },
      [=](blocks_found& what) {
        self->state().node->answer_blocks(what.neighbor, what.request_id, std::move(what.blocks));
      },
      [=](ask_part& what) { // a neighbor that cannot be asked counts as silent
        self->state().node->ask_part(what.neighbor, what.tag, std::move(what.question));
      },
      [=](part_answer& what) {
        self->state().node->answer_part(what.neighbor, what.request_id, std::move(what.answer));
      },
  };
}

} // namespace

json::object neighbor_json(const p2p::neighbor_status& of, const members::member_rules& rules) {
  return {{"account", to_hex(of.facts.account.view())},
          {"certificate", to_hex(of.facts.cert_fingerprint.view())},
          {"subject", of.facts.certificate->subject},
          {"organisation", members::organisation_of({*of.facts.certificate, *of.facts.anchor}, rules)},
          {"endpoint", of.facts.endpoint},
          {"remote", of.facts.remote},
          {"block_num", of.head.block_num},
          {"validates", of.facts.validates},
          {"program", of.facts.program},
          {"p2p_version", of.facts.version},
          {"rules_known", of.facts.rules_known},
          {"connected_s", std::chrono::duration_cast<std::chrono::seconds>(of.connected_for).count()},
          {"bytes_received", of.bytes_in},
          {"bytes_sent", of.bytes_out},
          {"queued_bytes", of.queued_bytes},
          {"offence_points", of.offence_points}};
}

start_function neighbor_actor(std::shared_ptr<const sn_context> context, std::shared_ptr<p2p::p2p_node> node,
                              p2p::neighbor_id id, p2p::neighbor_facts facts) {
  return role<neighbor_state>(neighbor_behavior, std::move(context), std::move(node), id, std::move(facts));
}

} // namespace swarm::actors
