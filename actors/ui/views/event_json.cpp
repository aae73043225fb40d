#include "actors/ui/views/event_json.hpp"

#include "contracts/training/client.hpp"

#include <cmath>

namespace swarm::ui {

namespace json = boost::json;
using namespace swarm::contracts;

namespace {

std::string bytes_text(std::uint64_t size) {
  if (size < 10'000) return fmt::format("{} bytes", size);
  if (size < 10'000'000) return fmt::format("{:.1f} kB", static_cast<double>(size) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(size) / 1e6);
}

std::string number_text(std::int64_t micro) {
  const auto value = from_micro(micro);
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "not a number";
}

/// What an event is about, and its words for people.
struct described {
  std::string_view kind;
  std::string text;
  std::optional<address> peer{};
  std::optional<address> by{};
};

described describe(const peer_registered& e) {
  return {"peer_registered",
          fmt::format("registers: minPeers {}, {}, weightage {}", e.min_peers, e.merge_method, e.weightage),
          e.peer};
}
described describe(const peer_left& e) {
  return {"peer_left", fmt::format("leaves: {}", to_string(e.reason)), e.peer};
}
described describe(const peer_odd& e) {
  return {"peer_odd", fmt::format("wants something else than most: {}", to_string(e.reason)), e.peer};
}
described describe(const agreement_changed& e) {
  return {"agreement_changed", fmt::format("{} organisations agree: minPeers {}, {}", e.organisations,
                                           e.min_peers, e.merge_method)};
}
described describe(const peer_accused& e) {
  return {"peer_accused", "is said to give no sign of life", e.peer, e.by};
}
described describe(const peer_answered& e) {
  return {"peer_answered", "gives a sign of life", e.peer, e.by};
}
described describe(const peer_absent& e) {
  return {"peer_absent", "is no longer waited for", e.peer};
}
described describe(const checked_in& e) {
  if (e.commitment.is_zero()) return {"checked_in", "checks in without a model", e.peer};
  return {"checked_in",
          fmt::format("checks in, {}, trained from round {}{}", bytes_text(e.size), e.base_round,
                      e.finished ? ", finished" : ""),
          e.peer};
}
described describe(const reveals_opened& e) {
  return {"reveals_opened", fmt::format("the round is closed to others; {} peers are in it", e.participants)};
}
described describe(const revealed& e) {
  return {"revealed", fmt::format("reveals its model, {}, weightage {}", bytes_text(e.size), e.weightage),
          e.peer};
}
described describe(const withheld& e) {
  return {"withheld", "has not revealed its model and is out of the round", e.peer};
}
described describe(const round_closed& e) {
  return {"round_closed",
          fmt::format("{} of {} peers have brought models; this one leads", e.contributors, e.participants),
          e.leader};
}
described describe(const round_reopened&) {
  return {"round_reopened", "nobody is left who could lead: the round is collected anew"};
}
described describe(const leader_suspected& e) {
  return {"leader_suspected", fmt::format("is suspected as the leader of term {}", e.term), e.leader, e.by};
}
described describe(const leader_changed& e) {
  return {"leader_changed", fmt::format("leads now, in term {}", e.term), e.leader};
}
described describe(const shard_committed& e) {
  if (e.roots.empty()) return {"shard_committed", fmt::format("declines shard {}", e.shard), e.peer};
  return {"shard_committed", fmt::format("has made shard {}", e.shard), e.peer};
}
described describe(const shard_measured& e) {
  if (e.sums.empty()) return {"shard_measured", fmt::format("declines shard {}", e.shard), e.peer};
  return {"shard_measured", fmt::format("has measured shard {} of the models", e.shard), e.peer};
}
described describe(const models_measured&) {
  return {"models_measured", "all models are measured; the shards of the merge are made by that"};
}
described describe(const merge_committed& e) {
  return {"merge_committed",
          fmt::format("proposes a merge of {} models, {}{}{}", e.contributors.size(), bytes_text(e.size),
                      e.excluded.empty() ? "" : fmt::format(", {} left out", e.excluded.size()),
                      e.shards == 0 ? "" : fmt::format(", made in {} shards", e.shards)),
          e.leader};
}
described describe(const seed_revealed& e) {
  return {"seed_revealed", "reveals its seed", e.peer};
}
described describe(const checks_dealt& e) {
  return {"checks_dealt", fmt::format("{} chunks are dealt out to {} peers to check", e.chunks, e.checkers)};
}
described describe(const attested& e) {
  return {"attested", "attests the merge", e.peer};
}
described describe(const merge_challenged& e) {
  return {"merge_challenged",
          e.kind == challenge_kind::unserved ? std::string("cannot check, as it is not served")
                                             : fmt::format("challenges {} {}", to_string(e.kind), e.number),
          e.by};
}
described describe(const judged& e) {
  return {"judged", e.holds ? "says that the merge is right" : "says that the merge is wrong", e.peer};
}
described describe(const challenge_decided& e) {
  return {"challenge_decided",
          fmt::format("the merge is {}: {} for it, {} against it", to_string(e.outcome), e.holds, e.against)};
}
described describe(const barred& e) {
  return {"barred",
          fmt::format("may neither lead nor check before round {}: {}", e.until, to_string(e.reason)),
          e.peer};
}
described describe(const merge_accepted& e) {
  return {"merge_accepted",
          e.checkers.empty() ? std::string("the merge counts, unchecked")
                             : fmt::format("the merge counts, attested by {}", e.checkers.size()),
          e.leader};
}
described describe(const round_stopped& e) {
  return {"round_stopped", "peers do not agree on the merge: the training stops", e.leader, e.challenger};
}
described describe(const verify_set& e) {
  return {"verify_set",
          e.mode == verify_mode::off      ? "merges are not verified from now on"
          : e.mode == verify_mode::behind ? "merges are verified behind from now on"
                                          : "merges are verified from now on",
          std::nullopt, e.by};
}
described describe(const loss_reported& e) {
  return {"loss_reported",
          fmt::format("reports loss {}, metric {}, epoch {} of {}", number_text(e.loss_micro),
                      number_text(e.metric_micro), e.epochs_done, e.epochs_total),
          e.peer};
}
described describe(const training_complete&) {
  return {"training_complete", "the training is over"};
}
described describe(const reset_asked& e) {
  return {"reset_asked", fmt::format("organisation {} asks for a reset", e.organisation), std::nullopt, e.by};
}
described describe(const reset_noted& e) {
  return {"reset_noted", fmt::format("a reset, because: {}", e.note), std::nullopt, e.by};
}
described describe(const organisation_invited& e) {
  return {"organisation_invited", fmt::format("organisation {} is invited", e.organisation), std::nullopt,
          e.by};
}
described describe(const training_reset& e) {
  return {"training_reset", "the training starts over", std::nullopt, e.by};
}

} // namespace

json::object event_json(const training_event& from, const event_place& at) {
  const auto words = std::visit([](const auto& e) { return describe(e); }, from);
  json::object out{{"kind", words.kind}, {"text", words.text}, {"block_num", at.block_num}, {"txn", at.txn}};
  if (words.peer) out["peer"] = to_hex(words.peer->view());
  if (words.by) out["by"] = to_hex(words.by->view());
  return out;
}

std::optional<std::uint64_t> round_of(const training_event& from) {
  return std::visit(
      [](const auto& e) -> std::optional<std::uint64_t> {
        if constexpr (requires { e.round_num; })
          return e.round_num;
        else
          return std::nullopt;
      },
      from);
}

std::optional<std::uint64_t> generation_of(const training_event& from) {
  return std::visit(
      [](const auto& e) -> std::optional<std::uint64_t> {
        if constexpr (requires { e.generation; })
          return e.generation;
        else
          return std::nullopt;
      },
      from);
}

} // namespace swarm::ui
