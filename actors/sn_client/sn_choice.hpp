#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace swarm::actors {

/// Which SN a node talks to: the configured one, and when that does not answer, the others that the network
/// told of, in turn. Those are kept in a small file, so that a node that starts anew finds the network
/// without its own SN too.
class sn_choice {
public:
  static constexpr std::size_t others_max = 64;
  static constexpr unsigned attempts_each = 3; ///< then the next one is tried

  /// `kept_in`: empty for nowhere. `seed`: nodes that lose an SN at once do not all go to the same next one.
  sn_choice(std::string configured, std::filesystem::path kept_in, std::uint64_t seed);

  const std::string& current() const { return all_[at_]; }
  bool is_configured() const { return at_ == 0; }
  std::size_t count() const { return all_.size(); }

  /// Replaces what the network told before; ill-formed ones are left out. Touches the disk on changes only.
  result<> learn(std::vector<std::string> endpoints);
  /// An attempt failed. True: `current` is another one now.
  bool failed();
  void came_up() { failures_ = 0; }
  /// To the next one. False: there is no other.
  bool move_on();

private:
  void set_others(std::vector<std::string> endpoints);

  std::vector<std::string> all_; ///< the configured one first
  std::size_t at_ = 0;
  unsigned failures_ = 0;
  std::filesystem::path kept_in_;
  std::uint64_t seed_;
};

} // namespace swarm::actors
