#pragma once

#include "actors/supervision/child_spec.hpp"

#include <chrono>
#include <filesystem>

namespace swarm::transport {
class io_runtime;
}

namespace swarm::actors {

struct admin_options {
  std::filesystem::path socket;                 ///< "<data-dir>/admin.sock"
  transport::io_runtime* io = nullptr;          ///< must outlive the actors
  std::chrono::milliseconds answer_max{10'000}; ///< for answers of roles (`round`, `chain`)
};

/// The `/admin` actor: serves `swarm-inspect` over a Unix socket, one JSON object a line.
///
///   -> {"id":1,"method":"actor","params":{"name":"/sn/chain"}}
///   <- {"id":1,"result":{...}}   or   {"id":1,"error":{"code":"not_found","message":"...","similar":[...]}}
///
/// tree                    all actors in tree order, freshly asked for their state, but never waited for
/// actor {name}            one of them with its detail
/// top {interval_ms}       two samples; busy share, messages per second, mailbox, the busiest first
/// trace {name}            {"id":1,"event":{...}} per message until the client goes away; one per connection
/// kill {name}             ends that actor with an error as a crash does, for its supervisor to deal with
/// methods                 the names of all methods, those of the roles too (environment::methods)
///
/// A name is a path, or the end of one that fits a single actor ("chain"). A socket that another living
/// process serves ends the process (two swarmd on one data directory); any other trouble with the socket is
/// logged, and the process goes on without it. Auxiliary: it does not keep the process alive.
child_spec admin_child(admin_options options);

} // namespace swarm::actors
