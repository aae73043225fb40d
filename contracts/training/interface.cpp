#include "contracts/training/interface.hpp"

#include "base/hash.hpp"

namespace swarm::contracts {

address training_address(std::string_view name) {
  constexpr std::string_view domain = "swarmd/training/";
  const auto hash = keccak256(fmt::format("{}{}", domain, name));
  address out;
  std::copy(hash.begin() + 12, hash.end(), out.begin());
  return out;
}

bool is_training_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'
           || c == '-';
  };
  return !name.empty() && name.size() <= training_name_bytes_max
         && std::all_of(name.begin(), name.end(), allowed);
}

std::string_view to_string(round_phase phase) {
  static constexpr std::array<std::string_view, 7> names{"collecting", "merging",  "complete", "revealing",
                                                         "verifying",  "disputed", "stopped"};
  return names.at(static_cast<std::size_t>(phase));
}
std::string_view to_string(verify_mode mode) {
  static constexpr std::array<std::string_view, 3> names{"before", "off", "behind"};
  return names.at(static_cast<std::size_t>(mode));
}
std::string_view to_string(challenge_kind kind) {
  static constexpr std::array<std::string_view, 3> names{"chunk", "exclusion", "not served"};
  return names.at(static_cast<std::size_t>(kind));
}
std::string_view to_string(verdict what) {
  static constexpr std::array<std::string_view, 3> names{"upheld", "refuted", "tied"};
  return names.at(static_cast<std::size_t>(what));
}
std::string_view to_string(shard_state state) {
  static constexpr std::array<std::string_view, 4> names{"awaited", "made", "declined", "made by the leader"};
  return names.at(static_cast<std::size_t>(state));
}
std::string_view to_string(bar_reason reason) {
  static constexpr std::array<std::string_view, 4> names{"it withheld its seed", "its merge was false",
                                                         "its challenge was false",
                                                         "it did not make, or check, its part of a merge"};
  return names.at(static_cast<std::size_t>(reason));
}
std::string_view to_string(peer_state state) {
  static constexpr std::array<std::string_view, 6> names{"none",     "active", "absent",
                                                         "finished", "left",   "odd"};
  return names.at(static_cast<std::size_t>(state));
}
std::string_view to_string(on_train_end mode) {
  static constexpr std::array<std::string_view, 3> names{"inactive", "snapshot", "active"};
  return names.at(static_cast<std::size_t>(mode));
}

namespace {

struct departure {
  std::string_view words;
  bool is_refusal = false;
};
constexpr std::array<departure, 15> departures{{
    {"its program is gone"},
    {"its program could not evaluate a merged model"},
    {"its program ended before the training was over"},
    {"its SL was told to stop"},
    {"its SL was started again"},
    {"its model has other parameters", true},
    {"its model cannot be merged", true},
    {"no model of its round could be merged"},
    {"nobody gives it the final model", true},
    {"checkinModelOnTrainEnd is 'inactive' on every node", true},
    {"its SL's disk does not take its model", true},
    {"it asks for another mergeMethod", true},
    {"it asks for another minPeers", true},
    {"its SL cannot serve what it sent", true},
    {"its SL gave no sign of life"},
}};
static_assert(departures.size() == static_cast<std::size_t>(last_value(leave_reason{})) + 1);

const departure& about(leave_reason reason) {
  return departures.at(static_cast<std::size_t>(reason));
}

} // namespace

std::string_view to_string(leave_reason reason) {
  return about(reason).words;
}

bool is_refusal(leave_reason reason) {
  return about(reason).is_refusal;
}

namespace {
constexpr std::array<std::string_view, 3> exclusion_names{"not available", "other parameters", "not finite"};
static_assert(exclusion_names.size() == static_cast<std::size_t>(last_value(exclusion_reason{})) + 1);
} // namespace

std::string_view to_string(exclusion_reason reason) {
  return exclusion_names.at(static_cast<std::size_t>(reason));
}

std::optional<exclusion_reason> parse_exclusion_reason(std::string_view words) {
  const auto* found = std::find(exclusion_names.begin(), exclusion_names.end(), words);
  if (found == exclusion_names.end()) return std::nullopt;
  return static_cast<exclusion_reason>(found - exclusion_names.begin());
}

} // namespace swarm::contracts
