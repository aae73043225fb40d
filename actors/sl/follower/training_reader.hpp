#pragma once

#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sn_client/messages.hpp"

#include <optional>

namespace swarm::actors {

/// How a training contract is read through `/sl/sn`, and how the answers become a view for the rounds.
class training_reader {
public:
  /// Without a name there is no contract yet.
  explicit training_reader(std::string name = {}) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  session::event::follow request() const;
  /// Views are to have what was merged in this round; 0: in none. True: `request` is another one now.
  bool watch_merge_of(std::uint64_t round_num);
  /// None: the training has more peers than were asked for, so `request` is another one now.
  /// errc::not_found: there is no such contract.
  result<std::optional<rounds::contract_view>> take(const session::action::contract_read& from);

private:
  std::string name_;
  std::size_t pages_ = 1; ///< of 256 peers
  std::uint64_t merge_of_ = 0;
};

} // namespace swarm::actors
