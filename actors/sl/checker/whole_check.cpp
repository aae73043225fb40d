#include "actors/sl/checker/whole_check.hpp"

#include "actors/sl/algorithms.hpp"
#include "actors/sl/checker/sources.hpp"
#include "actors/supervision/own_mail.hpp"
#include "actors/supervision/paths.hpp"
#include "merge/methods/merge.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <map>

namespace swarm::actors {

/// From the io threads.
struct whole_model_here {
  hash32 digest;
  result<hash32> outcome;
};
struct left_out_tried {
  unheard_tried what;
};
struct fetch_again {
  hash32 digest;
};

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::whole_model_here)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::left_out_tried)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::fetch_again)

namespace swarm::actors {

namespace {

using rounds::check_outcome;

struct whole_check_state {
  whole_check_state(std::shared_ptr<const sl_context> from, rounds::check_task what)
      : context(std::move(from)), task(std::move(what)), unheard_open(task.unheard.size()) {}

  struct wanted {
    rounds::merge_input model;
    retries tried;
  };

  std::string status() const {
    return fmt::format("round {}, term {}: {} models are missing to check the merge", task.round_num,
                       task.term, missing.size());
  }

  std::shared_ptr<const sl_context> context;
  std::shared_ptr<fetch_counters> counters = std::make_shared<fetch_counters>();
  rounds::check_task task;
  std::map<hash32, wanted> missing; ///< by model
  std::size_t unheard_open;
};

using self_pointer = role_actor<whole_check_state>*;

std::vector<rounds::merge_input> models_of(const rounds::check_task& task) {
  auto out = task.inputs;
  out.insert(out.end(), task.defective.begin(), task.defective.end());
  return out;
}

void finish(self_pointer self, result<check_outcome> outcome) {
  const auto& task = self->state().task;
  self->tell(sibling_of_parent(*self, sl_names::follower), check_done{task.id, std::move(outcome)});
  self->finish();
}

/// Whether the merge leaves out those whom the task says, and nobody else.
std::optional<check_outcome> wrong_exclusion(const rounds::check_task& task, const merge::merged& merged) {
  for (const auto& peer : task.defective)
    if (std::ranges::find(merged.excluded, to_hex(peer.peer.view()), &merge::exclusion::label)
        == merged.excluded.end())
      return check_outcome{check_outcome::wrong_exclusion, 0, peer.peer,
                           fmt::format("nothing is wrong with the model of {}", peer.name)};
  return std::nullopt;
}

check_outcome wrong(std::string text) {
  return {check_outcome::wrong_chunk, 0, {}, std::move(text)};
}

result<check_outcome> compare(const sl_context& context, const rounds::check_task& task,
                              const std::function<bool()>& go_on) {
  SWARM_TRY(const auto how, method_for(context, task.method));
  std::vector<merge::contribution> contributions;
  for (const auto& model : models_of(task)) {
    SWARM_TRY(auto file, context.store->open(model.digest));
    contributions.push_back({std::move(file), model.weight, to_hex(model.peer.view())});
  }
  auto board = context.board;
  const auto merged = merge::merge_models(
      how.method, contributions, *context.store,
      [board, &go_on](std::uint64_t, std::uint64_t) { return ++board->progress, go_on(); }, how.custom);
  if (!merged && merged.error().is(merge::merge_errc::nothing_to_merge)) return wrong(merged.error().message);
  if (!merged) return tl::unexpected(merged.error());
  if (auto excluded = wrong_exclusion(task, *merged)) return std::move(*excluded);
  if (merged->digest == task.digest) return check_outcome{};
  return wrong(fmt::format("the same models give {}, not {}", to_hex(merged->digest.view()),
                           to_hex(task.digest.view())));
}

void go_on(self_pointer self) {
  auto& s = self->state();
  if (s.missing.empty() && s.unheard_open == 0)
    finish(self, compare(*s.context, s.task, [self] { return !self->told_to_end(); }));
}

void fetch(self_pointer self, const hash32& digest) {
  auto& s = self->state();
  const auto& model = s.missing.at(digest).model;
  fetch_model_async(s.context, s.counters, {digest, model.size, holders_of(s.task, model)},
                    [mail = own_mail(*self), digest](auto outcome) {
                      mail.send(whole_model_here{digest, std::move(outcome)});
                    });
}

void fetch_missing(self_pointer self) {
  auto& s = self->state();
  for (const auto& model : models_of(s.task))
    if (!s.context->store->contains(model.digest))
      s.missing.try_emplace(model.digest, whole_check_state::wanted{model, retries(s.task)});
  for (const auto& [digest, one] : s.missing)
    fetch(self, digest);
  try_unheard(s.context, s.counters, s.task.unheard,
              [mail = own_mail(*self)](const unheard_tried& what) { mail.send(left_out_tried{what}); });
}

void take_model(self_pointer self, const whole_model_here& news) {
  auto& s = self->state();
  const auto found = s.missing.find(news.digest);
  if (found == s.missing.end()) return;
  if (news.outcome) {
    s.missing.erase(found);
    return go_on(self);
  }
  const auto& why = news.outcome.error();
  if (why.is(fetch_errc::own_store)) return finish(self, tl::unexpected(why));
  auto& [model, tried] = found->second;
  if (tried.go_on(std::chrono::steady_clock::now()))
    return self->delayed_send(self, retries::pause, fetch_again{news.digest});
  finish(self, check_outcome{
                   check_outcome::unserved,
                   0,
                   {},
                   fmt::format("neither {} nor the leader gives its model: {}", model.name, why.message)});
}

caf::behavior whole_check_behavior(self_pointer self) {
  fetch_missing(self);
  go_on(self);
  return {
      [=](const whole_model_here& news) { take_model(self, news); },
      [=](const fetch_again& what) { fetch(self, what.digest); },
      [=](const left_out_tried& news) {
        auto& s = self->state();
        if (news.what.gives) return finish(self, gives_its_model(s.task.unheard, news.what.peer));
        --s.unheard_open;
        go_on(self);
      },
  };
}

} // namespace

start_function whole_check_actor(std::shared_ptr<const sl_context> context, rounds::check_task task) {
  return role<whole_check_state>(whole_check_behavior, std::move(context), std::move(task));
}

} // namespace swarm::actors
