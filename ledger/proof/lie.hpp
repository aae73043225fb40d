#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace swarm::ledger {

/// About what somebody was caught lying who shows a chain to others.
enum class lie : std::uint8_t {
  validators,  ///< a change of the validators that is none
  head,        ///< a block that is not final on this chain
  view,        ///< what a contract says
  receipt,     ///< how a transaction ended
  network,     ///< to which network it belongs
  certificate, ///< that it is a registered SN
};

struct lie_words {
  std::string_view code;   ///< for programs; never changes
  std::string_view person; ///< "it lied about ..."
};
inline constexpr std::array lies{
    lie_words{"validators", "who the validators are"},
    lie_words{"head", "a block that is not final"},
    lie_words{"view", "what a contract says"},
    lie_words{"receipt", "how a transaction ended"},
    lie_words{"network", "the network that it belongs to"},
    lie_words{"certificate", "being a registered SN"},
};

constexpr const lie_words& words_of(lie what) {
  return lies[static_cast<std::size_t>(what)];
}
constexpr std::optional<lie> lie_of(std::string_view code) {
  for (std::size_t i = 0; i < lies.size(); ++i)
    if (lies[i].code == code) return static_cast<lie>(i);
  return std::nullopt;
}

} // namespace swarm::ledger
