#include "actors/sl/checker/whole_check.hpp"

#include "actors/sl/algorithms.hpp"
#include "actors/sl/files/model_fetch.hpp"
#include "actors/supervision/paths.hpp"
#include "merge/methods/merge.hpp"

#include <map>

namespace swarm::actors {

namespace {

using rounds::check_outcome;

struct whole_check_state {
  whole_check_state(std::shared_ptr<const sl_context> from, rounds::check_task what)
      : context(std::move(from)), task(std::move(what)) {}

  std::string status() const {
    return fmt::format("round {}, term {}: {} models are missing to check the merge", task.round_num,
                       task.term, missing.size());
  }

  std::shared_ptr<const sl_context> context;
  rounds::check_task task;
  std::map<hash32, std::string> missing; ///< by model, whose it is
};

using self_pointer = role_actor<whole_check_state>*;

std::vector<rounds::merge_input> models_of(const rounds::check_task& task) {
  auto out = task.inputs;
  out.insert(out.end(), task.defective.begin(), task.defective.end());
  return out;
}

void finish(self_pointer self, result<check_outcome> outcome) {
  const auto& task = self->state().task;
  self->tell(sibling_of_parent(*self, sl_names::follower),
             check_done{task.round_num, task.term, task.attempt, std::move(outcome)});
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
  if (!merged && merged.error().is(merge::merge_errc::nothing_to_merge))
    return check_outcome{check_outcome::wrong_chunk, 0, {}, merged.error().message};
  if (!merged) return tl::unexpected(merged.error());
  if (auto wrong = wrong_exclusion(task, *merged)) return std::move(*wrong);
  if (merged->digest == task.digest) return check_outcome{};
  return check_outcome{check_outcome::wrong_chunk,
                       0,
                       {},
                       fmt::format("the same models give {}, not {}", to_hex(merged->digest.view()),
                                   to_hex(task.digest.view()))};
}

void go_on(self_pointer self) {
  auto& s = self->state();
  if (s.missing.empty()) finish(self, compare(*s.context, s.task, [self] { return !self->told_to_end(); }));
}

caf::behavior whole_check_behavior(self_pointer self) {
  auto& s = self->state();
  for (const auto& model : models_of(s.task))
    if (!s.context->store->contains(model.digest)) s.missing.emplace(model.digest, model.name);
  for (const auto& model : models_of(s.task)) {
    if (!s.missing.contains(model.digest)) continue;
    std::vector<rounds::holder> holders{{model.peer, model.endpoint}, s.task.leader};
    self->tell(sibling_of_parent(*self, sl_names::files),
               fetch_model{model.digest, model.size, std::move(holders), self->path()});
  }
  go_on(self);
  return {
      [=](const model_fetched& news) {
        auto& st = self->state();
        if (!news.layout && news.layout.error().is(fetch_errc::own_store))
          return finish(self, tl::unexpected(news.layout.error()));
        if (!news.layout)
          return finish(self,
                        check_outcome{check_outcome::wrong_chunk,
                                      0,
                                      {},
                                      fmt::format("neither {} nor the leader gives its model: {}",
                                                  st.missing[news.digest], news.layout.error().message)});
        st.missing.erase(news.digest);
        go_on(self);
      },
  };
}

} // namespace

start_function whole_check_actor(std::shared_ptr<const sl_context> context, rounds::check_task task) {
  return role<whole_check_state>(whole_check_behavior, std::move(context), std::move(task));
}

} // namespace swarm::actors
