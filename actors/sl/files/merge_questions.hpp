#pragma once

#include "actors/sn_client/messages.hpp"

#include <caf/typed_response_promise.hpp>

#include <map>
#include <string>

namespace swarm::actors {

/// What the chain says of a merge, for `swarm-inspect model`, which asks the admin socket for "merge" with
/// {"contract", "round"}. The answer is {"contract", "generation", "round", "digest", "size"}, of the contract's present
/// generation.
class merge_questions {
public:
  static constexpr std::size_t waiting_max = 16;
  static constexpr duration answer_max = std::chrono::seconds(5);
  using promise = caf::typed_response_promise<std::string>;

  /// Ids of questions begin behind `base`.
  explicit merge_questions(std::uint64_t base) : next_id_(base) {}

  /// The question for the SN's client; `asker` is the sibling that gets the answer. Fails when too many wait, or when
  /// `params` names no round of a training.
  result<session::event::ask> ask(const std::string& params, std::string asker, promise reply,
                                  time_point now);
  /// True when the answer was to one of these questions.
  bool take(const session::action::answered& from);
  /// Gives up what has waited too long.
  void tick(time_point now);

private:
  struct waiting {
    std::string training;
    std::uint64_t round_num = 0;
    promise reply;
    time_point since;
  };
  static result<std::string> answer_to(const waiting& question, const session::action::answered& from);

  std::uint64_t next_id_;
  std::map<std::uint64_t, waiting> waiting_;
};

} // namespace swarm::actors
