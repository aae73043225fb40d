#pragma once

#include "contracts/organisations/records.hpp"
#include "ledger/space_rule.hpp"

namespace swarm::contracts {

/// Which part of its day's bytes an organisation's transaction may take.
enum class purse : std::uint8_t {
  common,   ///< all that members do; a tenth of the limit is kept from it
  kept,     ///< calls of the registries by SNs and SWCIs, which also may take that tenth
  newcomers ///< registrations of those who are no members, which may take a tenth at most
};

/// What an organisation has put on the chain in one day.
struct day_slot {
  std::uint32_t day = 0;       ///< since 1970, UTC
  std::uint64_t bytes = 0;     ///< in all
  std::uint64_t newcomers = 0; ///< of them for those who claim to belong to it
};

/// The bytes that organisations have put on the chain, by day. They are slots of the chain's own account: what changes
/// with every block there does not touch the registries, which are read anew when they change.
///
///     slot 2^16 + id                    day_slot of organisation `id`
///     slot 2^32 + 2^16 id + proposer    day_slot of what claims `id` in blocks that `proposer`'s SNs proposed
class chain_days {
public:
  explicit chain_days(ledger::contract_host& host) : slots_(host, ledger::system_account()) {}

  /// The day that the block belongs to. No organisation's day begins again when the time goes back; that it does not
  /// run ahead is for the rules of headers.
  day_slot of(organisation_id id) const { return now(place(id)); }
  day_slot claims(organisation_id id, organisation_id proposer) const {
    return now(claims_place(id, proposer));
  }
  void add(organisation_id id, std::uint64_t bytes, bool is_newcomers) const;
  void add_claims(organisation_id id, organisation_id proposer, std::uint64_t bytes) const;
  /// What stands there, of whatever day.
  day_slot stored(organisation_id id) const { return slots_.get<day_slot>(place(id)); }

private:
  static hash32 place(organisation_id id);
  static hash32 claims_place(organisation_id id, organisation_id proposer);
  day_slot now(const hash32& where) const;

  slots slots_;
};

chain_use_view use_of(const chain_days& days, const organisation_records& organisations, organisation_id id);

/// How much an organisation may put on the chain in a day.
struct day_limits {
  explicit day_limits(std::uint64_t bytes_per_day);
  std::uint64_t common;    ///< for everything but the calls that keep it in the network
  std::uint64_t all;       ///< with those; for them there is always some room
  std::uint64_t newcomers; ///< for registrations of those who are no members
};

inline constexpr std::uint64_t kept_bytes_min = std::uint64_t{1}
                                                << 20; ///< for the calls that are always possible
/// Newcomers' part is divided among the organisations of validators, but not into more shares than this: so many of them
/// have to lie together, in blocks of their own, to use it up.
inline constexpr std::uint64_t lanes_max = 16;

/// OrganisationRegistry limits.chain_bytes_per_day as a rule of execution. Every transaction is on the account of the
/// organisation that its sender is a member of. Who is no member may only register, on the account of the organisation
/// that the registration claims: at most a tenth of its day, and of that only a share through each organisation's own
/// blocks, as a proposer may put anything into them. A chain without organisations has no such limit.
std::shared_ptr<const ledger::space_rule> make_chain_space_rule();

} // namespace swarm::contracts
