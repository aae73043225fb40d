#pragma once

#include "base/bytes.hpp"

#include <string>

namespace swarm::contracts {

inline constexpr std::size_t reset_note_bytes_max = 160;

/// Who has started a contract over last, and why.
struct reset_view {
  std::uint64_t block_num = 0; ///< 0: nobody did since version 3 of the rules
  std::uint64_t ended = 0;     ///< the generation, or the run, that ended by it
  address by;
  std::string note; ///< empty: nothing was said
  bool operator==(const reset_view&) const = default;
};

} // namespace swarm::contracts
