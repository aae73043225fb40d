#pragma once

#include "contracts/organisations/id_list.hpp"

namespace swarm::contracts {

/// What organisations vote on.
struct motion {
  hash32 key; ///< of all that follows
  motion_kind kind{};
  organisation_id organisation = 0; ///< 0 when it is to be admitted
  std::string name;                 ///< of that one
  std::vector<hash32> anchors;      ///< sorted
  organisation_limits limits = no_limits;
};

/// Two motions on the same subject cannot both have an organisation's vote.
bool is_same_subject(const motion& a, const motion& b);

/// The first slot of a motion.
struct motion_slot {
  motion_kind kind{}; ///< none: there is no such motion
  organisation_id organisation = 0;
  std::uint8_t anchors = 0;
  std::uint32_t index = 0; ///< in the list
  std::uint64_t expires_block = 0;
};

/// The slots of the OrganisationRegistry that hold motions. Whoever votes for a motion has its key among the votes of
/// the organisation's record; a key there counts only while the motion has that voter, so that the end of a
/// motion writes nothing but its own slots.
///
///     slot 5  number of motions
///     slot 6  array of their keys
///     slot 7  mapping key -> motion: motion_slot, voters (an id_list), limits, name, anchors (16 slots)
class motion_records {
public:
  explicit motion_records(const slots& in) : slots_(in) {}

  std::uint64_t count() const;
  hash32 key_at(std::uint64_t index) const;

  /// The place of one motion, which may not exist. Finding it costs one hash.
  class record {
  public:
    record(const slots& in, const hash32& base) : slots_(in), base_(base) {}
    motion_slot head() const { return slots_.get<motion_slot>(base_); }
    void set_head(const motion_slot& head) const { slots_.put(base_, head); }
    id_list voters() const { return {slots_, slot_after(base_, 1)}; }
    organisation_limits limits() const { return slots_.get<organisation_limits>(slot_after(base_, 2)); }
    std::string name() const { return slots_.load_text(slot_after(base_, 3)); }
    std::vector<hash32> anchors() const;

  private:
    friend motion_records;
    slots slots_;
    hash32 base_;
  };
  record of(const hash32& key) const;
  motion read(const hash32& key) const;

  void add(const motion& what, std::uint64_t expires_block) const;
  /// Clears all its slots. The last of the list takes its place there.
  void remove(const hash32& key) const;

private:
  slots slots_;
};

} // namespace swarm::contracts
