#pragma once

#include "contracts/organisations/id_list.hpp"

namespace swarm::contracts {

/// The first slot of an organisation.
struct organisation_slot {
  organisation_id id = 0; ///< 0: there is no such organisation
  std::uint64_t since_block = 0;
  std::uint8_t anchors = 0;
};

/// The slots of the OrganisationRegistry, for itself and for contracts that read it. Motions are in motion_records.
///
///     slot 0  the last id that was given
///     slot 1  organisations, an id_list in order of admission
///     slot 2  mapping id -> organisation: organisation_slot, limits, name, anchors (16 slots), votes (8 slots, see
///             motion_records)
///     slot 3  mapping anchor -> id
///     slot 4  mapping keccak(name in small letters) -> id
class organisation_records {
public:
  explicit organisation_records(ledger::contract_host& host)
      : organisation_records(slots(host, organisation_registry_address())) {}
  explicit organisation_records(const slots& in);

  organisation_id last_id() const;
  void set_last_id(organisation_id id) const;
  const id_list& ids() const { return ids_; }
  organisation_id owner_of(const hash32& anchor) const;
  organisation_id named(std::string_view name) const;

  /// The place of one organisation, which may not exist. Finding it costs one hash.
  class record {
  public:
    record(const slots& in, const hash32& base) : slots_(in), base_(base) {}
    organisation_slot head() const { return slots_.get<organisation_slot>(base_); }
    organisation_limits limits() const { return slots_.get<organisation_limits>(slot_after(base_, 1)); }
    std::string name() const { return slots_.load_text(slot_after(base_, 2)); }
    std::vector<hash32> anchors() const;
    hash32 vote(std::size_t index) const { return slots_.load(vote_slot(index)); }

    void set_head(const organisation_slot& head) const { slots_.put(base_, head); }
    void set_limits(const organisation_limits& limits) const { slots_.put(slot_after(base_, 1), limits); }
    void set_vote(std::size_t index, const hash32& motion) const { slots_.store(vote_slot(index), motion); }

  private:
    friend organisation_records;
    hash32 vote_slot(std::size_t index) const { return slot_after(base_, 3 + anchors_max + index); }
    slots slots_;
    hash32 base_;
  };
  record of(organisation_id id) const;
  bool exists(organisation_id id) const { return id != 0 && of(id).head().id == id; }

  /// A new organisation with the next id and the limits of new ones. `anchors` are sorted and nobody's.
  organisation_id add(const std::string& name, const std::vector<hash32>& anchors,
                      std::uint64_t block_num) const;
  /// Clears all slots of an organisation without votes.
  void remove(organisation_id id) const;
  void set_anchors(organisation_id id, const std::vector<hash32>& anchors) const;

private:
  hash32 anchor_slot(const hash32& anchor) const;
  hash32 name_slot(std::string_view name) const;

  slots slots_;
  id_list ids_;
};

} // namespace swarm::contracts
