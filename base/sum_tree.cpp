#include "base/sum_tree.hpp"

#include "base/assert.hpp"

#include <limits>

namespace swarm {

static_assert(std::numeric_limits<double>::is_iec559, "everybody has to round alike");

namespace {

void add_to(std::vector<double>& left, std::span<const double> right) {
  for (std::size_t i = 0; i < left.size(); ++i)
    left[i] += right[i];
}

} // namespace

std::vector<double> sums_above(std::vector<double> nodes, std::size_t width, unsigned levels) {
  SWARM_ASSERT(width > 0 && nodes.size() % width == 0);
  for (; levels > 0 && nodes.size() > width; --levels) {
    const auto count = nodes.size() / width;
    for (std::size_t node = 0; node < count; ++node) {
      const auto parent = node / 2;
      for (std::size_t i = 0; i < width; ++i)
        nodes[parent * width + i] =
            node % 2 == 0 ? nodes[node * width + i] : nodes[parent * width + i] + nodes[node * width + i];
    }
    nodes.resize((count + 1) / 2 * width);
  }
  return nodes;
}

void sum_tree::add(std::span<const double> chunk) {
  SWARM_ASSERT(chunk.size() == width_);
  open_.push_back({0, {chunk.begin(), chunk.end()}});
  while (open_.size() > 1 && open_[open_.size() - 2].level == open_.back().level) {
    const auto right = std::move(open_.back().sums);
    open_.pop_back();
    add_to(open_.back().sums, right);
    ++open_.back().level;
  }
}

std::vector<double> sum_tree::total() const {
  if (open_.empty()) return std::vector<double>(width_, 0.0);
  auto out = open_.back().sums;
  for (auto left = open_.rbegin() + 1; left != open_.rend(); ++left) {
    auto sum = left->sums;
    add_to(sum, out);
    out = std::move(sum);
  }
  return out;
}

} // namespace swarm
