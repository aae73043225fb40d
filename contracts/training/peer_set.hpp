#pragma once

#include "contracts/training/interface.hpp"

#include <array>

namespace swarm::contracts {

/// Some of a training's peers by their index, a bit for each.
class peer_set {
public:
  static constexpr std::size_t bits_per_word = 256;
  static constexpr std::size_t words_max = peers_max / bits_per_word;

  bool has(std::uint16_t index) const { return (byte_of(index) & mask_of(index)) != 0; }
  void set(std::uint16_t index, bool on) {
    auto& byte = words[index / bits_per_word][index % bits_per_word / 8];
    byte = static_cast<std::uint8_t>(on ? byte | mask_of(index) : byte & ~mask_of(index));
  }
  /// In ascending order.
  std::vector<std::uint16_t> indexes() const {
    std::vector<std::uint16_t> out;
    for (std::uint16_t i = 0; i < peers_max; ++i)
      if (has(i)) out.push_back(i);
    return out;
  }

  std::array<hash32, words_max> words{}; ///< the first peer is the highest bit of the first word

private:
  std::uint8_t byte_of(std::uint16_t index) const {
    return words[index / bits_per_word][index % bits_per_word / 8];
  }
  static std::uint8_t mask_of(std::uint16_t index) { return static_cast<std::uint8_t>(0x80 >> index % 8); }
};

} // namespace swarm::contracts
