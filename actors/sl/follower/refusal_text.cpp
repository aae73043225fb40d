#include "actors/sl/follower/refusal_text.hpp"

#include <fmt/format.h>

namespace swarm::actors {

std::string refusal_text(const rounds::action::refuse_layout& refusal,
                         const result<merge::model_layout>& theirs, merge::model_store& store) {
  auto text =
      refusal.resumes_from == 0
          ? std::string("the model's parameters differ from those of the other peers")
          : fmt::format("this program cannot go on from the merge of round {}: the model's parameters differ",
                        refusal.resumes_from);
  if (!theirs)
    text += " (their model could not be fetched for comparison: " + theirs.error().message + ")";
  else if (const auto own = store.open(refusal.own))
    text += ": " + merge::difference(*theirs, (*own)->layout());
  return text + "; all peers must run the same model definition";
}

} // namespace swarm::actors
