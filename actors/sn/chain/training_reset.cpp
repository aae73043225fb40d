#include "actors/sn/chain/training_reset.hpp"

#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace swarm::actors {

namespace json = boost::json;

namespace {

struct reset_request {
  std::string contract;
  bool force = false;
  std::string note;
  std::optional<std::uint64_t> beyond;
};

result<reset_request> parse(std::string_view params) {
  boost::system::error_code failed;
  const auto value = json::parse(json::string_view(params.data(), params.size()), failed);
  if (failed || !value.is_object()) return fail(errc::invalid, "params is not an object");
  const auto& from = value.as_object();
  reset_request out;
  const auto* contract = from.if_contains("contract");
  if (contract == nullptr || !contract->is_string())
    return fail(errc::invalid, "params.contract is missing: the name of a training contract");
  out.contract = std::string(contract->as_string());
  if (const auto* force = from.if_contains("force")) {
    if (!force->is_bool()) return fail(errc::invalid, "params.force must be true or false");
    out.force = force->as_bool();
  }
  if (const auto* note = from.if_contains("note")) {
    if (!note->is_string()) return fail(errc::invalid, "params.note must be a text");
    out.note = std::string(note->as_string());
  }
  if (const auto* beyond = from.if_contains("beyond")) {
    out.beyond = beyond->to_number<std::uint64_t>(failed);
    if (failed) return fail(errc::invalid, "params.beyond must be a generation");
  }
  return out;
}

result<bytes> ask(const chain_state& s, const address& training, bytes input) {
  SWARM_TRY(auto answer,
            s.chain->call({.from = s.context->key->account(), .to = training, .input = std::move(input)}));
  if (answer.status == ledger::call_status::reverted)
    return fail(errc::denied, "{}", contracts::revert_text(answer.output));
  return std::move(answer.output);
}

/// The call that starts it over.
result<bytes> reset_call(const chain_state& s, const std::string& note) {
  if (note.empty()) return contracts::encode_reset();
  constexpr std::uint64_t since_rules = 3;
  SWARM_TRY(const auto raw,
            ask(s, contracts::node_registry_address(), contracts::encode(contracts::rules_args{})));
  SWARM_TRY(const auto rules, contracts::decode_answer<contracts::rules_args>(raw));
  if (rules.version < since_rules)
    return fail(
        errc::denied,
        "a note came with version {} of the chain's rules, and this chain has version {}: its validators "
        "can vote for newer ones, with swarm-inspect rules",
        since_rules, rules.version);
  return contracts::encode(contracts::reset_with_note_args{note});
}

/// The organisations that have asked for a reset that needs more of them; `own` is set when this SN's is one.
result<json::array> asked_for_by(const chain_state& s, const address& training, bool& own) {
  const auto registry = contracts::node_registry_address();
  SWARM_TRY(const auto self_raw, ask(s, registry, contracts::encode_node(s.context->key->account())));
  SWARM_TRY(const auto self, contracts::decode_node(self_raw));
  SWARM_TRY(const auto raw, ask(s, training, contracts::encode(contracts::reset_votes_args{})));
  SWARM_TRY(const auto votes, contracts::decode_answer<contracts::reset_votes_args>(raw));
  json::array out;
  for (const auto& vote : votes) {
    out.emplace_back(vote.name);
    own = own || vote.organisation == self.organisation;
  }
  return out;
}

/// The names of the peers that train.
result<std::vector<std::string>> trainers(const chain_state& s, const address& training) {
  std::vector<std::string> out;
  for (std::uint64_t first = 0;; first += contracts::page_entries_max) {
    SWARM_TRY(const auto raw, ask(s, training, contracts::encode_peers(first, contracts::page_entries_max)));
    SWARM_TRY(const auto page, contracts::decode_peers(raw));
    for (const auto& peer : page)
      if (peer.state == contracts::peer_state::active) out.push_back(peer.name);
    if (page.size() < contracts::page_entries_max) return out;
  }
}

} // namespace

result<std::string> answer_reset(chain_state& s, std::string_view params) {
  SWARM_TRY(const auto request, parse(params));
  const auto training = contracts::training_address(request.contract);
  SWARM_TRY(const auto code, s.chain->code_of(training));
  if (code.empty())
    return fail(errc::not_found, "there is no training contract '{}' on this chain", request.contract);
  SWARM_TRY(const auto head_raw, ask(s, training, contracts::encode_head()));
  SWARM_TRY(const auto head, contracts::decode_head(head_raw));
  const bool done = request.beyond && head.generation > *request.beyond;
  if (!request.beyond) {
    SWARM_TRY(const auto busy, trainers(s, training));
    if (!busy.empty() && head.phase != contracts::round_phase::complete && !request.force)
      return fail(
          errc::conflict,
          "the training under '{}' is not over: {} of its peers train, {} among them; a reset takes their "
          "rounds away. To do it all the same add --force",
          request.contract, busy.size(), busy.front());
    SWARM_TRY(auto call, reset_call(s, request.note));
    SWARM_CHECK(ask(s, training, call)); // which says why it would be refused
    SWARM_CHECK(submit_own(s, {membership::purpose::training, training, std::move(call), true}));
  }
  json::object out{{"reset", done}, {"generation", head.generation}};
  if (!done) {
    bool asked = false;
    SWARM_TRY(auto votes, asked_for_by(s, training, asked));
    out["asked"] = request.beyond && asked;
    out["asked_by"] = std::move(votes);
  }
  return json::serialize(out);
}

} // namespace swarm::actors
