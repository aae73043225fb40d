#pragma once

#include "actors/sn/rpc/caller.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "ledger/proof/lie.hpp"

#include <boost/json/fwd.hpp>

#include <list>
#include <map>
#include <string>
#include <vector>

namespace swarm::rpc {

/// What members say of SNs that lied to them. It is a claim, for people: nothing follows from it. Each organisation has
/// room for so many claims, and so many lines in the log.
class lie_reports {
public:
  static constexpr std::size_t of_organisation_max = 16; ///< kept; then its oldest one goes
  static constexpr std::size_t organisations_max = 256;  ///< that have any
  static constexpr duration line_interval =
      std::chrono::minutes(1); ///< between two lines for one organisation

  /// A claim, in words for people where there are any.
  struct claim {
    hash32 accused; ///< the certificate that was presented
    ledger::lie about{};
    std::string accused_name;         ///< of the SN that registered that certificate
    std::string accused_organisation; ///< likewise
    std::string reporter;
    std::string reporter_organisation;
  };
  /// Takes a claim of a member.
  void take(claim what, const party& by, time_point now);
  /// Lines for the log since the last call.
  std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }

  /// The newest of each organisation first.
  boost::json::array to_json(time_point now) const;
  /// All that were taken, kept or not.
  std::uint64_t count() const { return count_; }

private:
  struct kept {
    claim what;
    std::uint64_t times = 0;
    time_point last;
  };
  struct organisation {
    std::list<kept> claims; ///< the newest first
    time_point line_at = time_point::min();
    std::uint64_t unsaid = 0; ///< new claims since the last line
  };

  std::map<hash32, organisation> by_; ///< by the reporter's anchor
  std::vector<std::string> lines_;
  std::uint64_t count_ = 0;
};

} // namespace swarm::rpc
