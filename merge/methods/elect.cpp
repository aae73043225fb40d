#include "merge/methods/elect.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace swarm::merge {

namespace {

struct electorate {
  std::span<const std::uint8_t* const> inputs;
  std::span<const double> weights;
};

/// The only value that can have a majority: every other one is outweighed on the way (Boyer and Moore).
template <class T>
T candidate_of(std::span<const T> values, std::span<const double> weights) {
  T candidate = values[0];
  double lead = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (values[k] == candidate) {
      lead += weights[k];
    } else if (lead >= weights[k]) {
      lead -= weights[k];
    } else {
      candidate = values[k];
      lead = weights[k] - lead;
    }
  }
  return candidate;
}

template <class T>
T elected(std::span<const T> values, std::span<const double> weights) {
  const T candidate = candidate_of(values, weights);
  double votes = 0, others = 0;
  for (std::size_t k = 0; k < values.size(); ++k)
    (values[k] == candidate ? votes : others) += weights[k];
  return votes > others ? candidate : *std::max_element(values.begin(), values.end());
}

template <class T>
void elect_all(const electorate& voters, std::uint8_t* out, std::size_t count) {
  std::vector<T> values(voters.inputs.size());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < values.size(); ++k)
      std::memcpy(&values[k], voters.inputs[k] + i * sizeof(T), sizeof(T));
    const T value = elected(std::span<const T>(values), voters.weights);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

void elect_flags(const electorate& voters, std::uint8_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    double trues = 0, falses = 0;
    for (std::size_t k = 0; k < voters.inputs.size(); ++k)
      (voters.inputs[k][i] != 0 ? trues : falses) += voters.weights[k];
    out[i] = trues > falses ? 1 : 0;
  }
}

} // namespace

void elect(dtype type, std::span<const std::uint8_t* const> inputs, std::span<const double> weights,
           std::uint8_t* out, std::size_t count) {
  const electorate voters{inputs, weights};
  switch (type) {
  case dtype::boolean:
    return elect_flags(voters, out, count);
  case dtype::u8:
    return elect_all<std::uint8_t>(voters, out, count);
  case dtype::i8:
    return elect_all<std::int8_t>(voters, out, count);
  case dtype::i16:
    return elect_all<std::int16_t>(voters, out, count);
  case dtype::u16:
    return elect_all<std::uint16_t>(voters, out, count);
  case dtype::i32:
    return elect_all<std::int32_t>(voters, out, count);
  case dtype::u32:
    return elect_all<std::uint32_t>(voters, out, count);
  case dtype::i64:
    return elect_all<std::int64_t>(voters, out, count);
  case dtype::u64:
    return elect_all<std::uint64_t>(voters, out, count);
  case dtype::f64:
    return elect_all<double>(voters, out, count);
  default:
    SWARM_ASSERT(false);
  }
}

} // namespace swarm::merge
