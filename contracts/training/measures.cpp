#include "contracts/training/measures.hpp"

#include "base/hash.hpp"

#include <bit>

namespace swarm::contracts {

std::size_t sums_of(const merge_method& method, std::size_t models) {
  switch (method.kind) {
  case merge_method::geomedian:
  case merge_method::krum:
  case merge_method::multikrum:
    return models * (models - 1) / 2; // a squared distance for each pair
  case merge_method::clippedmean:
    return models; // from the median
  case merge_method::mean:
  case merge_method::coordmedian:
  case merge_method::trimmedmean:
  case merge_method::custom:
    break;
  }
  return 0;
}

std::vector<hash32> pack_sums(std::span<const double> sums) {
  std::vector<hash32> out(words_of_sums(sums.size()));
  for (std::size_t i = 0; i < sums.size(); ++i)
    put_be64(out[i / 4].data() + i % 4 * 8, std::bit_cast<std::uint64_t>(sums[i]));
  return out;
}

result<std::vector<double>> unpack_sums(std::span<const hash32> words, std::size_t count) {
  constexpr std::uint64_t infinity = 0x7ff0000000000000;
  if (words.size() != words_of_sums(count))
    return fail(errc::invalid, "{} sums are in {} words, not in {}", count, words_of_sums(count),
                words.size());
  std::vector<double> out;
  for (std::size_t i = 0; i < 4 * words.size(); ++i) {
    const auto raw = get_be64(words[i / 4].data() + i % 4 * 8);
    if (raw > (i < count ? infinity : 0))
      return fail(errc::invalid, "number {} is {}", i, i < count ? "no sum" : "behind the last sum");
    if (i < count) out.push_back(std::bit_cast<double>(raw));
  }
  return out;
}

hash32 digest_of_sums(std::span<const hash32> words) {
  bytes all;
  for (const auto& word : words)
    append(all, word.view());
  return sha256(all);
}

} // namespace swarm::contracts
