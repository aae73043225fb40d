#pragma once

#include <caf/fwd.hpp>

#include <string>

namespace swarm::actors {

/// The type of a message in words ("ledger::submit_txn", "reply int32_t", "put, string"), without "swarm::"
/// in front. The text lives as long as the process, so that a probe can point to it from any thread.
const char* message_type(const caf::mailbox_element& x);

/// A short text of the message for traces, at most 300 characters: what `to_string(const T&)` beside a
/// message struct returns; empty for structs without it.
std::string message_text(const caf::mailbox_element& x);

} // namespace swarm::actors
