#pragma once

#include "base/hash_tree.hpp"

/// Sums over the chunks of a file, added up in the shape of the tree over their hashes (hash_tree.hpp): so the total is the same
/// to the bit for whoever adds up the same chunks, in whatever runs they come to it.
namespace swarm {

/// The sums that stand `levels` above those of `nodes`, which have `width` sums each, one node after the other: neighbours from
/// the left end of a tree, or from a multiple of 2^levels, on.
std::vector<double> sums_above(std::vector<double> nodes, std::size_t width, unsigned levels);

/// The total of chunks that come one after the other, with memory for one node of each level.
class sum_tree {
public:
  explicit sum_tree(std::size_t width) : width_(width) {}

  /// `width` sums, all of the next chunk.
  void add(std::span<const double> chunk);
  /// Of all that were added; zeros when there were none.
  std::vector<double> total() const;

private:
  struct node {
    unsigned level = 0;
    std::vector<double> sums;
  };
  std::size_t width_;
  std::vector<node> open_; ///< those whose siblings are to come, by falling level
};

} // namespace swarm
