#pragma once

#include "actors/sl/rounds/actions.hpp"
#include "merge/store/model_store.hpp"

namespace swarm::actors {

/// Tells a program's user in what its model, which is in `store`, differs from that of its peers, or from the merge that
/// it was to go on from. `theirs` is the other layout, or why it could not be had.
std::string refusal_text(const rounds::action::refuse_layout& refusal,
                         const result<merge::model_layout>& theirs, merge::model_store& store);

} // namespace swarm::actors
