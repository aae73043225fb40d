#pragma once

#include "actors/ui/views/pictures.hpp"

namespace swarm::ui {

/// What keeps a training from going on, by the uid of whom it waits for, or "peers" (feed.ts, `Wait`).
boost::json::object waits_of(const training_picture& from, const silence& silent);

/// What one peer waits for, in words; empty: nothing.
std::string wait_of(const contracts::peer_view& peer, const training_picture& in);

} // namespace swarm::ui
