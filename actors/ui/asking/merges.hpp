#pragma once

#include "actors/ui/asking/ask.hpp"

/// Merges as files: proofs, and models that some SL still has.
namespace swarm::ui {

/// `Proof` of feed.ts: what PROVE writes.
result<boost::json::value> proof_json(const question::proof& what, const asking& with);
/// Fetches a model as GET MODEL does, so that browsers can have it, and says where: `ModelFile` of feed.ts. May take as
/// long as the model is large. The models that were here before go.
result<boost::json::value> model_json(const question::model& what, const asking& with);

} // namespace swarm::ui
