#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace swarm::session {

/// Which SN a node talks to: the configured one, and when that does not answer, the others that the network
/// told of, in turn. Where those are kept, so that a node that starts anew finds the network without its own
/// SN too, is the shell's business.
class sn_choice {
public:
  static constexpr std::size_t others_max = 64;
  static constexpr std::size_t endpoint_bytes_max = 261; ///< a DNS name, a colon, a port
  static constexpr unsigned attempts_each = 3;           ///< then the next one is tried

  /// `others`: what `learn` led to the last time. `seed`: nodes that lose an SN at once do not all go to the
  /// same next one.
  sn_choice(std::string configured, std::vector<std::string> others, std::uint64_t seed);

  /// Whether this can be one, as an SN may tell anything.
  static bool is_endpoint(const std::string& text);

  const std::string& current() const { return all_[at_]; }
  bool is_configured() const { return at_ == 0; }
  std::size_t count() const { return all_.size(); }
  const std::vector<std::string>& all() const { return all_; }
  std::vector<std::string> others() const { return {all_.begin() + 1, all_.end()}; }

  /// Replaces what the network told before; ill-formed ones are left out. True: `others` has changed.
  bool learn(std::vector<std::string> endpoints);
  /// An attempt failed. True: `current` is another one now.
  bool failed();
  void came_up() { failures_ = 0; }
  /// To the next one. False: there is no other.
  bool move_on();
  /// The present one is not chosen again as long as there is one that is not distrusted. What it told of others is
  /// forgotten, if some are known without it.
  void distrust();

private:
  std::size_t next_one() const;
  void set_others(std::vector<std::string> endpoints);

  std::vector<std::string> all_;     ///< the configured one first
  std::set<std::string> distrusted_; ///< at most `others_max`
  std::vector<std::string> earlier_; ///< the others as they were known when the present one was chosen
  std::size_t at_ = 0;
  unsigned failures_ = 0;
  std::uint64_t seed_;
};

} // namespace swarm::session
