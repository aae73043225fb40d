#pragma once

#include "base/hash.hpp"

#include <vector>

namespace swarm::p2p {

/// Spreads hashes that others choose. It is universal hashing with this process's random numbers (pairwise
/// multiplication; Black et al., "UMAC", CRYPTO 1999), so nobody can make many hashes meet in one place.
struct secret_hash {
  std::size_t operator()(const hash32& of) const;
};

/// A set of hashes in one contiguous piece of memory, which only grows.
class hash_set {
public:
  /// Returns true when the hash was not there.
  bool insert(const hash32& hash);
  bool contains(const hash32& hash) const { return !slots_.empty() && slots_[find(hash)].used; }
  std::size_t size() const { return size_; }
  /// Removes all hashes but keeps the memory.
  void clear();

private:
  struct slot {
    hash32 hash;
    bool used = false;
  };
  /// The hash's slot, or the free one where it would be.
  std::size_t find(const hash32& hash) const;
  void grow();

  std::vector<slot> slots_; ///< a power of two of them, at least half of them free
  std::size_t size_ = 0;
};

} // namespace swarm::p2p
