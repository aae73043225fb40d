#pragma once

#include "ledger/chain/chain_view.hpp"

#include <boost/json/fwd.hpp>

#include <map>
#include <optional>

namespace swarm::actors {

/// The validators that vote again by their operators' word, as the operators of all others are to see it.
class reentries {
public:
  /// A line to log. None when the same validator did so less than `quiet_blocks` ago: a liar fills no log.
  std::optional<std::string> take(const ledger::chain_view& chain, const address& who,
                                  std::uint64_t block_num);
  /// Those of the last blocks, for status.
  std::string status_line(std::uint64_t head_num) const;
  boost::json::array to_json() const;

  static constexpr std::uint64_t quiet_blocks = 100;

private:
  struct one {
    std::string text; ///< account, name and organisation
    std::uint64_t block_num = 0;
    std::uint64_t logged_at = 0;
  };
  std::map<address, one> known_;
};

} // namespace swarm::actors
