#include "actors/sl/leader/leader.hpp"

#include "actors/sl/algorithms.hpp"
#include "actors/sl/files/model_fetch.hpp"
#include "actors/supervision/paths.hpp"
#include "actors/supervision/sibling_watch.hpp"
#include "base/log.hpp"
#include "merge/methods/merge.hpp"
#include "merge/model/layout.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace swarm::actors {

namespace {

constexpr auto look_interval = std::chrono::milliseconds(100);
/// The pauses between tries, so that a contributor whose file server is just being restarted is not left out.
constexpr std::array retry_pauses{std::chrono::milliseconds(250), std::chrono::milliseconds(1000)};
/// Who fails only after this long is too slow, and would be so once more.
constexpr auto slow_failure = std::chrono::seconds(3);
/// Whom nobody can reach is tried for this long, and no longer than half of what a leader may take: its name may not be
/// known yet, a packet may be lost, its host may be starting again.
constexpr duration reach_max = std::chrono::seconds(10);
/// A contributor that cannot see the chain now does not give its model. It is given time to find another SN,
/// unless this node cannot see the chain either, when nobody loses by waiting.
constexpr auto later_pause = std::chrono::milliseconds(500);
constexpr auto later_max = std::chrono::seconds(20);

struct leader_state {
  leader_state(std::shared_ptr<const sl_context> from, rounds::action::start_merge what)
      : context(std::move(from)), task(std::move(what)) {}

  std::string status() const {
    return fmt::format("round {}, term {}: {} of {} models here", task.round_num, task.term, arrived.size(),
                       wanted);
  }

  std::shared_ptr<const sl_context> context;
  rounds::action::start_merge task;
  struct wanted_model {
    const rounds::merge_input* input = nullptr;
    std::size_t failures = 0;
    time_point first_asked_at{};
    time_point asked_at{};
    std::optional<time_point> again;       ///< when it is asked for once more
    std::optional<time_point> later_since; ///< when its holder first said that it cannot say yet
  };
  sibling_watch files;
  std::map<hash32, wanted_model> missing;
  std::size_t wanted = 0;
  std::map<hash32, result<hash32>> arrived; ///< by model digest: its layout, or why it could not be fetched
};

std::string label_of(const rounds::merge_input& input) {
  return fmt::format("{} ({})", input.name, to_hex(input.peer.view()));
}

contracts::exclusion_reason on_chain(merge::exclusion_cause cause) {
  return cause == merge::exclusion_cause::not_finite ? contracts::exclusion_reason::not_finite
                                                     : contracts::exclusion_reason::other_parameters;
}

/// Merges the models that have arrived; those that could not be fetched, do not fit or are not finite are
/// left out and named. It stops early when `go_on` returns false.
result<rounds::merge_outcome> merge_all(const leader_state& state, const std::function<bool()>& go_on) {
  rounds::merge_outcome outcome;
  outcome.excluded = state.task.refused;
  std::vector<merge::contribution> contributions;
  std::map<std::string, address> by_label;
  const auto leave_out = [&](const address& peer, contracts::exclusion_reason reason, std::string text) {
    outcome.excluded.push_back({peer, reason, std::move(text)});
  };
  for (const auto& input : state.task.inputs) {
    const auto& arrival = state.arrived.at(input.digest);
    auto file = arrival ? state.context->store->open(input.digest) : tl::unexpected(arrival.error());
    if (!file) {
      leave_out(input.peer, contracts::exclusion_reason::not_available,
                "its model could not be had: " + file.error().message);
      continue;
    }
    by_label[label_of(input)] = input.peer;
    contributions.push_back({std::move(*file), input.weight, label_of(input)});
  }
  SWARM_TRY(const auto how, method_for(*state.context, state.task.method));
  auto board = state.context->board;
  auto merged = merge::merge_models(
      how.method, contributions, *state.context->store,
      [board, &go_on](std::uint64_t, std::uint64_t) { return ++board->progress, go_on(); }, how.custom);
  if (!merged && merged.error().is(merge::merge_errc::nothing_to_merge)) {
    for (const auto& [label, peer] : by_label)
      leave_out(peer, contracts::exclusion_reason::not_finite, merged.error().message);
    return outcome;
  }
  if (!merged) return tl::unexpected(std::move(merged).error());
  for (const auto& out : merged->excluded) {
    leave_out(by_label.at(out.label), on_chain(out.cause), out.reason);
    by_label.erase(out.label);
  }
  for (const auto& [label, peer] : by_label)
    outcome.contributors.push_back(peer);
  for (const auto& out : outcome.excluded)
    if (state.task.leads)
      log::warning(state.context->log_source, "round {}: {} left out of the merge: {}", state.task.round_num,
                   to_hex(out.peer.view()), out.text);
  outcome.digest = merged->digest;
  outcome.size = merged->size;
  return outcome;
}

/// Asks for models that are due, and for all that are missing when the file server was restarted.
void ask_for_models(role_actor<leader_state>* self) {
  auto& s = self->state();
  const auto now = std::chrono::steady_clock::now();
  const auto [files, is_new] = s.files.find(self->dir(), sibling_of_parent(*self, sl_names::files));
  self->delayed_send(self, look_interval, tick{});
  // A contributor is given its time, which has an end: no fault of this leader.
  if (!s.missing.empty()) ++s.context->board->progress;
  if (!files) return;
  for (auto& [digest, model] : s.missing) {
    if (!is_new && (!model.again || now < *model.again)) continue;
    model.again.reset();
    model.asked_at = now;
    if (model.first_asked_at == time_point{}) model.first_asked_at = now;
    const auto& input = *model.input;
    self->send(files, fetch_model{{digest, input.size, {{input.peer, input.endpoint}}}, self->path()});
  }
}

bool may_wait(const leader_state& s, leader_state::wanted_model& model) {
  const auto now = std::chrono::steady_clock::now();
  if (!model.later_since || !s.context->chain->sn_answers) model.later_since = now;
  if (now - *model.later_since >= later_max) return false;
  model.again = now + later_pause;
  return true;
}

/// The merge comes to nothing for want of room on this node, which is no fault of the contributors.
void fail_merge(role_actor<leader_state>* self, const error& why) {
  const auto& task = self->state().task;
  self->tell(sibling_of_parent(*self, sl_names::follower),
             merge_done{task.round_num, task.term, tl::unexpected(why)});
  self->finish();
}

/// How long somebody is tried who cannot be reached for this reason; none: so it is not.
std::optional<duration> time_to_reach(const leader_state& s, const error& why) {
  const duration at_most = duration(s.context->options.leader_failure_base_timeout) / 2;
  if (why.is(fetch_errc::not_there)) return std::min<duration>(restart_max, at_most);
  if (why.is(fetch_errc::unreachable)) return std::min(reach_max, at_most);
  return std::nullopt;
}

/// Whether to try once more to fetch this model.
bool try_again(leader_state& s, const model_fetched& arrival) {
  const auto found = s.missing.find(arrival.digest);
  if (found == s.missing.end() || arrival.layout) return false;
  auto& model = found->second;
  if (arrival.layout.error().is(fetch_errc::later) && may_wait(s, model)) return true;
  const auto now = std::chrono::steady_clock::now();
  const auto pause = retry_pauses.at(std::min(model.failures, retry_pauses.size() - 1));
  const auto reach = time_to_reach(s, arrival.layout.error());
  const bool gives_up = reach ? now + pause - model.first_asked_at >= *reach
                              : model.failures >= retry_pauses.size() || now - model.asked_at >= slow_failure;
  if (gives_up) return false;
  ++model.failures;
  model.again = now + pause;
  return true;
}

caf::behavior leader_behavior(role_actor<leader_state>* self) {
  auto& state = self->state();
  if (state.task.leads) {
    state.context->board->round_num = state.task.round_num;
    state.context->board->term = state.task.term;
  }
  for (const auto& input : state.task.inputs)
    state.missing[input.digest].input = &input;
  state.wanted = state.missing.size();
  ask_for_models(self);
  return {
      [=](tick) { ask_for_models(self); },
      [=](const model_fetched& arrival) {
        auto& s = self->state();
        if (!arrival.layout && arrival.layout.error().is(fetch_errc::own_store))
          return fail_merge(self, arrival.layout.error());
        if (try_again(s, arrival)) return;
        s.missing.erase(arrival.digest);
        s.arrived.insert_or_assign(arrival.digest, arrival.layout);
        if (s.arrived.size() < s.wanted) return;
        if (s.task.leads) s.context->board->fetched = std::chrono::steady_clock::now();
        auto merged = merge_all(s, [self] { return !self->told_to_end(); });
        self->tell(sibling_of_parent(*self, sl_names::follower),
                   merge_done{s.task.round_num, s.task.term, std::move(merged)});
        self->finish();
      },
  };
}

} // namespace

child_spec leader_spec(std::string name, std::shared_ptr<const sl_context> context,
                       rounds::action::start_merge task) {
  supervisor_spec spec{.name = std::move(name),
                       .how = strategy::one_for_one,
                       .intensity = {.max_restarts = 1, .period = std::chrono::hours(24)},
                       .children = {}};
  spec.children = {{.name = "merge",
                    .start = role<leader_state>(leader_behavior, std::move(context), std::move(task)),
                    .when = restart::transient,
                    .detached = true}};
  return nested(std::move(spec), restart::temporary);
}

} // namespace swarm::actors
