#include "actors/sn/chain/organisation_vote.hpp"

#include "contracts/organisations/client.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

namespace {

/// What the organisations' contract says at the head.
template <class View>
result<contracts::abi::answer_of<View>> read(const chain_state& s, const View& question) {
  SWARM_TRY(auto answer, s.chain->call({.from = s.context->key->account(),
                                        .to = contracts::organisation_registry_address(),
                                        .input = contracts::encode(question)}));
  return contracts::decode_answer<View>(answer.output);
}

result<std::string> text_in(const json::object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  if (found == nullptr || !found->is_string()) return fail(errc::invalid, "params.{} is missing", name);
  return std::string(found->get_string());
}

result<hash32> hash_in(std::string_view text, std::string_view name) {
  auto raw = from_hex(text);
  if (!raw || raw->size() != 32)
    return fail(errc::invalid, "params.{} must be 0x and 64 hexadecimal digits", name);
  return hash32::from_view(*raw);
}

result<std::vector<hash32>> anchors_in(const json::object& from) {
  const auto* list = from.if_contains("anchors");
  if (list == nullptr || !list->is_array()) return fail(errc::invalid, "params.anchors is missing");
  std::vector<hash32> out;
  for (const auto& one : list->get_array()) {
    if (!one.is_string()) return fail(errc::invalid, "params.anchors must be texts");
    SWARM_TRY(const auto anchor, hash_in(std::string_view(one.get_string()), "anchors"));
    out.push_back(anchor);
  }
  return out;
}

template <class Number>
result<> take_limit(const json::object& from, std::string_view name, Number& into) {
  const auto* found = from.if_contains(name);
  if (found == nullptr) return {};
  boost::system::error_code failed;
  into = found->to_number<Number>(failed);
  if (failed) return fail(errc::invalid, "params.limits.{} is out of range", name);
  return {};
}

result<contracts::organisation_limits> limits_in(const json::object& from,
                                                 contracts::organisation_limits now) {
  const auto* found = from.if_contains("limits");
  if (found == nullptr || !found->is_object()) return fail(errc::invalid, "params.limits is missing");
  const auto& limits = found->get_object();
  SWARM_CHECK(take_limit(limits, "nodes", now.nodes));
  SWARM_CHECK(take_limit(limits, "trainings", now.trainings));
  SWARM_CHECK(take_limit(limits, "peers_per_training", now.peers_per_training));
  SWARM_CHECK(take_limit(limits, "chain_bytes_per_day", now.chain_bytes_per_day));
  SWARM_CHECK(take_limit(limits, "p2p_places", now.p2p_places));
  SWARM_CHECK(take_limit(limits, "model_bytes", now.model_bytes));
  return now;
}

/// The call that the request is for.
result<bytes> call_of(const chain_state& s, const json::object& from) {
  SWARM_TRY(const auto kind, text_in(from, "motion"));
  if (kind == "take back") {
    SWARM_TRY(const auto key, text_in(from, "key"));
    SWARM_TRY(const auto motion, hash_in(key, "key"));
    return contracts::encode(contracts::take_back_vote_args{motion});
  }
  SWARM_TRY(auto name, text_in(from, "name"));
  if (kind == "admit") {
    SWARM_TRY(auto anchors, anchors_in(from));
    return contracts::encode(contracts::admit_organisation_args{std::move(name), std::move(anchors)});
  }
  SWARM_TRY(const auto id, read(s, contracts::organisation_named_args{name}));
  if (id == 0) return fail(errc::not_found, "there is no organisation '{}' on this chain", name);
  if (kind == "remove") return contracts::encode(contracts::remove_organisation_args{id});
  if (kind == "replace CA") {
    SWARM_TRY(auto anchors, anchors_in(from));
    return contracts::encode(contracts::set_anchors_args{id, std::move(anchors)});
  }
  if (kind != "set limits")
    return fail(errc::invalid,
                "params.motion must be admit, remove, replace CA, set limits or take back, not '{}'", kind);
  SWARM_TRY(const auto now, read(s, contracts::organisation_args{id}));
  SWARM_TRY(const auto limits, limits_in(from, now.limits));
  return contracts::encode(contracts::set_limits_args{id, limits});
}

result<std::optional<contracts::motion_view>> find_motion(const chain_state& s, const hash32& key) {
  for (std::uint64_t first = 0;; first += contracts::organisations_page_max) {
    SWARM_TRY(auto page, read(s, contracts::motions_args{first, contracts::organisations_page_max}));
    for (auto& one : page)
      if (one.key == key) return std::optional(std::move(one));
    if (page.size() < contracts::organisations_page_max) return std::nullopt;
  }
}

/// What came of a vote that is in a block.
result<json::object> outcome_of(const chain_state& s, const ledger::txn_outcome& done) {
  if (!done.consensus.ok) return fail(errc::denied, "{}", contracts::revert_text(done.revert_output));
  std::optional<hash32> voted;
  for (const auto& log : done.consensus.logs) {
    SWARM_TRY(const auto event, contracts::decode_organisation_event(log.topics, log.data));
    if (const auto* vote = std::get_if<contracts::organisation_voted>(&event)) voted = vote->motion;
  }
  json::object out{{"final", true}, {"outcome", "done"}};
  if (!voted) return out;
  SWARM_TRY(const auto motion, find_motion(s, *voted));
  if (!motion) return out;
  out["outcome"] = "open";
  out["votes"] = motion->voters.size();
  out["needed"] = motion->needed;
  out["key"] = to_hex(motion->key.view());
  return out;
}

result<json::object> look_for(const chain_state& s, std::string_view txn) {
  SWARM_TRY(const auto hash, hash_in(txn, "txn"));
  SWARM_TRY(const auto place, s.chain->find_txn(hash));
  if (!place) return json::object{{"final", false}};
  return outcome_of(s, place->block->outcomes.at(place->index));
}

} // namespace

result<std::string> answer_vote(chain_state& s, std::string_view params) {
  boost::system::error_code failed;
  const auto value = json::parse(json::string_view(params.data(), params.size()), failed);
  if (failed || !value.is_object()) return fail(errc::invalid, "params is not an object");
  const auto& from = value.get_object();
  if (from.contains("txn")) {
    SWARM_TRY(const auto txn, text_in(from, "txn"));
    SWARM_TRY(const auto found, look_for(s, txn));
    return json::serialize(found);
  }
  SWARM_TRY(auto call, call_of(s, from));
  SWARM_TRY(const auto hash,
            submit_own(s, {membership::purpose::vote, contracts::organisation_registry_address(),
                           std::move(call), true}));
  return json::serialize(json::object{{"txn", to_hex(hash.view())}});
}

} // namespace swarm::actors
