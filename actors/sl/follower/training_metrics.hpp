#pragma once

#include "actors/metrics/registry.hpp"
#include "actors/sl/rounds/peer_machine.hpp"
#include "merge/store/model_store.hpp"

#include <map>
#include <optional>

namespace swarm::actors {

/// What an SL tells /metrics (actors/metrics/series.hpp) of its training, of which it has one at a time: the values of the
/// former one are taken away, so that contracts are no endless number of labels.
class training_metrics {
public:
  training_metrics(metrics::registry& to, std::string node);

  /// May be called at any time, and does something about twice a second.
  void look(const rounds::peer_machine& machine, const std::string& contract, const address& self,
            const merge::model_store& store, time_point now);
  void merge_begins(const rounds::action::start_merge& what, time_point now);
  /// `fetched`: when it had done with fetching models.
  void merge_ends(const rounds::event::merge_done& done, time_point fetched, time_point now);
  /// To be called whenever the machine may have seen something new: whether a merge that this SL led was accepted.
  void merge_seen(const rounds::peer_machine& machine, time_point now);

private:
  struct values;
  void show(const values& to, const rounds::contract_view& view, const address& self);

  metrics::registry& to_;
  const std::string node_;
  metrics::gauge in_session_, waiting_, model_bytes_;
  time_point next_look_{};
  std::string contract_; ///< of the values
  std::shared_ptr<const values> values_;
  struct place {
    std::uint64_t generation = 0, round_num = 0;
    std::uint32_t term = 0;
  };
  place seen_;
  struct led_merge {
    std::uint64_t round_num = 0;
    std::uint32_t term = 0;
    std::uint64_t bytes = 0;
    time_point since;
  };
  std::optional<led_merge> led_;
  struct proposal {
    std::uint64_t round_num = 0;
    hash32 digest;
    time_point since;
  };
  std::optional<proposal> proposed_; ///< a merge that others are to make again
};

} // namespace swarm::actors
