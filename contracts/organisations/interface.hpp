#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/runtime/page.hpp"
#include "ledger/founder.hpp"

/// interfaces/IOrganisationRegistry.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005005, from genesis on.
constexpr address organisation_registry_address() {
  address out;
  out[18] = 0x50;
  out[19] = 0x05;
  return out;
}

/// 0 is no organisation.
using organisation_id = std::uint16_t;

inline constexpr std::size_t organisations_max = ledger::founders_max; ///< at a time
inline constexpr std::size_t anchors_max = ledger::founder_anchors_max;
inline constexpr std::size_t organisation_votes_max = 8; ///< of one organisation that are open
inline constexpr std::uint64_t motion_blocks = 1'000'000;
inline constexpr std::uint64_t organisations_page_max = 64; ///< organisations or motions in one answer

struct organisation_limits {
  std::uint32_t nodes = 256;
  std::uint32_t trainings = 64;
  std::uint32_t peers_per_training = 256;
  std::uint64_t chain_bytes_per_day = std::uint64_t{64} << 20;
  std::uint32_t p2p_places = 8;
  std::uint64_t model_bytes = std::uint64_t{64} << 30;
  bool operator==(const organisation_limits&) const = default;
};
/// What a motion says that is not about limits.
inline constexpr organisation_limits no_limits{0, 0, 0, 0, 0, 0};

struct organisation_view {
  organisation_id id = 0; ///< 0: there is no such organisation
  std::string name;
  std::uint64_t since_block = 0; ///< 0: a founder
  std::vector<hash32> anchors;   ///< sorted
  organisation_limits limits = no_limits;
  std::uint32_t members = 0; ///< active nodes that can vote for it
  bool operator==(const organisation_view&) const = default;
};

inline constexpr std::uint64_t day_seconds = 86'400; ///< days are those of UTC

/// What an organisation has put on the chain on the last day on which it put anything there.
struct chain_use_view {
  organisation_id organisation = 0;
  std::uint64_t day_begins = 0; ///< seconds since 1970; 0: it never put anything there
  std::uint64_t bytes = 0;      ///< in all
  std::uint64_t newcomers = 0;  ///< of them registrations that nobody had vouched for
  std::uint64_t limit = 0;      ///< of a day
  bool operator==(const chain_use_view&) const = default;
};

enum class motion_kind : std::uint8_t { none, admit, remove, set_anchors, set_limits };
constexpr motion_kind last_value(motion_kind) {
  return motion_kind::set_limits;
}
/// "admit", "remove", "replace CA", "set limits".
std::string_view to_string(motion_kind kind);

struct motion_view {
  hash32 key;
  motion_kind kind{};
  bool open = false;
  organisation_id organisation = 0; ///< 0 when it is to be admitted
  std::string name;
  std::vector<hash32> anchors; ///< sorted
  organisation_limits limits = no_limits;
  std::uint64_t expires_block = 0;
  std::vector<organisation_id> voters;
  std::uint16_t needed = 0; ///< votes, of organisations that are counted now
  bool operator==(const motion_view&) const = default;
};

struct admit_organisation_args {
  static constexpr abi::call<> function{"admit"};
  std::string name;
  std::vector<hash32> anchors;
};
struct remove_organisation_args {
  static constexpr abi::call<> function{"remove"};
  organisation_id organisation = 0;
};
struct set_anchors_args {
  static constexpr abi::call<> function{"setAnchors"};
  organisation_id organisation = 0;
  std::vector<hash32> anchors;
};
struct set_limits_args {
  static constexpr abi::call<> function{"setLimits"};
  organisation_id organisation = 0;
  organisation_limits limits;
};
struct take_back_vote_args {
  static constexpr abi::call<> function{"takeBack"};
  hash32 motion;
};

struct organisation_args {
  static constexpr abi::view<organisation_view> function{"organisation"};
  organisation_id id = 0;
};
struct organisation_count_args {
  static constexpr abi::view<u256> function{"organisationCount"};
};
struct organisations_args {
  static constexpr abi::view<std::vector<organisation_view>> function{"organisations"};
  u256 first;
  u256 count;
};
struct chain_uses_args {
  static constexpr abi::view<std::vector<chain_use_view>> function{"chainUses"};
  u256 first;
  u256 count;
};
struct organisation_named_args {
  static constexpr abi::view<organisation_id> function{"organisationNamed"};
  std::string name;
};
struct anchor_owner_args {
  static constexpr abi::view<organisation_id> function{"anchorOwner"};
  hash32 anchor;
};
struct organisation_of_args {
  static constexpr abi::view<organisation_id> function{"organisationOf"};
  address account;
};
struct motion_count_args {
  static constexpr abi::view<u256> function{"motionCount"};
};
struct motions_args {
  static constexpr abi::view<std::vector<motion_view>> function{"motions"};
  u256 first;
  u256 count;
};

struct organisation_admitted {
  static constexpr abi::event event{"OrganisationAdmitted", {1}};
  organisation_id organisation = 0;
  std::string name;
  std::vector<hash32> anchors;
  bool operator==(const organisation_admitted&) const = default;
};
struct organisation_removed {
  static constexpr abi::event event{"OrganisationRemoved", {1}};
  organisation_id organisation = 0;
  std::string name;
  bool operator==(const organisation_removed&) const = default;
};
struct anchors_changed {
  static constexpr abi::event event{"AnchorsChanged", {1}};
  organisation_id organisation = 0;
  std::vector<hash32> anchors;
  bool operator==(const anchors_changed&) const = default;
};
struct limits_changed {
  static constexpr abi::event event{"LimitsChanged", {1}};
  organisation_id organisation = 0;
  organisation_limits limits;
  bool operator==(const limits_changed&) const = default;
};
struct motion_begun {
  static constexpr abi::event event{"MotionBegun", {1, 2, 3}};
  hash32 motion;
  motion_kind kind{};
  organisation_id organisation = 0;
  std::string name;
  std::vector<hash32> anchors;
  organisation_limits limits = no_limits;
  std::uint64_t expires_block = 0;
  bool operator==(const motion_begun&) const = default;
};
struct organisation_voted {
  static constexpr abi::event event{"OrganisationVoted", {1, 2}};
  hash32 motion;
  organisation_id voter = 0;
  address account;
  bool operator==(const organisation_voted&) const = default;
};
struct vote_taken_back {
  static constexpr abi::event event{"VoteTakenBack", {1, 2}};
  hash32 motion;
  organisation_id voter = 0;
  address account;
  bool operator==(const vote_taken_back&) const = default;
};
using organisation_event = std::variant<organisation_admitted, organisation_removed, anchors_changed,
                                        limits_changed, motion_begun, organisation_voted, vote_taken_back>;

struct organisation_registry_interface {
  static constexpr std::string_view name = "OrganisationRegistry";
  using functions =
      type_list<admit_organisation_args, remove_organisation_args, set_anchors_args, set_limits_args,
                take_back_vote_args, organisation_args, organisation_count_args, organisations_args,
                chain_uses_args, organisation_named_args, anchor_owner_args, organisation_of_args,
                motion_count_args, motions_args>;
  using event = organisation_event;
};

} // namespace swarm::contracts
