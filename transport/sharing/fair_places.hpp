#pragma once

#include "base/bytes.hpp"

#include <map>
#include <optional>

namespace swarm::transport {

/// Who a connection belongs to, as its certificate proves.
struct place_owner {
  hash32 organisation; ///< fingerprint of the anchor
  hash32 certificate;
  auto operator<=>(const place_owner&) const = default;
};

/// Connections that have said who they are. Whoever comes gets a place while there is one. Then organisations share them:
/// who has less than another takes the newest one of who has most, and so do the certificates of one organisation among
/// themselves. So making certificates wins nothing from another organisation.
class fair_places {
public:
  explicit fair_places(std::size_t places) : places_(places) {}

  struct answer {
    bool taken = false;
    std::optional<std::uint64_t> displaced; ///< has to go for it, and counts as gone
    place_owner displaced_owner;
  };
  /// Ids are never used twice, and grow.
  answer take(std::uint64_t id, const place_owner& owner);
  /// Nothing happens when it has no place.
  void give_back(std::uint64_t id);

  bool has(std::uint64_t id) const { return owners_.contains(id); }
  std::size_t size() const { return owners_.size(); }
  std::size_t size_of(const hash32& organisation) const;

private:
  using counts = std::map<hash32, std::size_t>;

  /// Whose newest place a newcomer of this owner may take.
  std::optional<place_owner> who_yields(const place_owner& to) const;

  std::size_t places_;
  std::map<std::uint64_t, place_owner> owners_;
  std::map<hash32, counts> held_; ///< by organisation and certificate
};

} // namespace swarm::transport
