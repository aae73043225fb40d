#pragma once

#include "actors/sl/files/model_fetch.hpp"
#include "actors/sl/rounds/types.hpp"
#include "base/clock.hpp"

#include <functional>
#include <vector>

/// From whom a check has the models, and how long it tries.
namespace swarm::actors {

/// Whoever brought a model has it, and whoever merged all of it has to.
std::vector<rounds::holder> holders_of(const rounds::check_task& task, const rounds::merge_input& input);

/// Who does not give what he has to is asked again for as long as the task says: a challenge that others do not bear out is held
/// against this node. A maker, who challenges nobody, has less patience with those whose nodes have ended.
class retries {
public:
  static constexpr auto pause = std::chrono::milliseconds(500);

  explicit retries(const rounds::check_task& of)
      : tries_for_(of.patience), tries_for_ended_(of.makes ? restart_max : tries_for_) {}

  /// Whether to try again after a failure; `ended`: nobody listens there.
  bool go_on(time_point now, bool ended = false);
  void reset() { since_.reset(); }

private:
  std::chrono::seconds tries_for_, tries_for_ended_;
  std::optional<time_point> since_; ///< the first failure
};

/// What became of a try to have a model that the leader says it could not have.
struct unheard_tried {
  address peer;
  bool gives = false; ///< the whole of it
};

/// Tries to fetch the models of `peers` whole, as a leader has to: one that gives less to it does so to others. `tell` gets an
/// `unheard_tried` for each of them, on an io thread or inside the call.
void try_unheard(const std::shared_ptr<const sl_context>& context,
                 const std::shared_ptr<fetch_counters>& counters,
                 const std::vector<rounds::merge_input>& peers,
                 const std::function<void(unheard_tried)>& tell);

/// That the leader should have had the model of `who`, one of `peers`.
rounds::check_outcome gives_its_model(const std::vector<rounds::merge_input>& peers, const address& who);

} // namespace swarm::actors
