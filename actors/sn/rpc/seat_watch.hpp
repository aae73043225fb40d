#pragma once

#include "actors/sn/rpc/liveness.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/chain_view.hpp"

#include <map>
#include <tuple>
#include <vector>

namespace swarm::rpc {

/// What one SN does so that seats follow signs of life (contracts/registry/seat_leases.hpp): it says who of its
/// organisation is silent where that has no seat left, and shows the signs of life of those of whom this is said. For an
/// organisation without a live SN others do it. SNs take turns, so that most of this is said once. Nothing is said while
/// all live, or while nobody limits seats.
class seat_watch {
public:
  /// Between two SNs that could say the same.
  static constexpr duration turn = std::chrono::seconds(1);
  static constexpr std::size_t turns_max = 4; ///< so that an answer comes in time
  /// Before the same is said again: it was lost, or refused.
  static constexpr duration again_after = std::chrono::seconds(15);
  static constexpr std::size_t notes_max = 4096;

  /// A call of the NodeRegistry. `try_first`: only if it would succeed at the head, whose time the contract then takes for
  /// now.
  struct call {
    bytes input;
    bool try_first = true;
    std::string line{}; ///< for the operator's log; empty: none
  };

  explicit seat_watch(const address& self) : self_(self) {}

  /// To come about once a second, with the registry's nodes at the head of `chain`. Who is silent for longer than `lease`
  /// gives up its seat.
  result<std::vector<call>> look(const ledger::chain_view& chain,
                                 const std::vector<contracts::node_view>& nodes, liveness& signs,
                                 duration lease, std::uint64_t unix_s, time_point now);

private:
  struct organisation_seats {
    std::vector<contracts::seat_limit_view> limits;
    std::vector<contracts::seat_lease_view> leases;
    contracts::standing_view standing;
  };
  /// What is looked at.
  struct scene {
    const std::vector<contracts::node_view>& nodes;
    liveness& signs;
    duration lease;
    std::uint64_t unix_s;
    std::uint64_t head_time;
    time_point now;
    std::vector<call> calls{};
  };
  enum class said : std::uint8_t { silent, alive, organisation };

  result<> read(const ledger::chain_view& chain, const std::vector<contracts::node_view>& nodes);
  std::size_t place_among(const scene& of, contracts::organisation_id organisation) const;
  bool is_due(said what, const address& about, const scene& of);
  void answer(const contracts::seat_lease_view& lease, scene& of);
  /// `speaks_from`: the block time from which on this SN may.
  void accuse(contracts::organisation_id organisation, const contracts::seat_lease_view& lease,
              std::uint64_t speaks_from, duration patience, scene& of);
  void accuse_organisation(contracts::organisation_id organisation, scene& of);
  void look_at(contracts::organisation_id organisation, const organisation_seats& seats, scene& of);

  address self_;
  hash32 read_at_; ///< root of the registry's storage
  std::map<contracts::organisation_id, organisation_seats> limited_;
  std::map<std::tuple<said, address>, time_point> noted_; ///< since when, or when it may be said again
};

} // namespace swarm::rpc
