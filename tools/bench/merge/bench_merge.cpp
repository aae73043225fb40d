#include "merge/methods/kernels.hpp"
#include "merge/methods/kernels/distance.hpp"
#include "merge/methods/kernels/selection.hpp"
#include "merge/methods/method.hpp"
#include "tools/bench/common/figure.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Merges of 8 models x 25M float32 in memory. The mean stands beside a copy of the same 800 MB by the same
// threads, both rated by bytes read and written per second: the mean moves 9 x 100 MB, the copy 16 x 100 MB.
// The other methods stand beside reading the 800 MB, the coordinate median beside NumPy's.

namespace {

using namespace swarm::merge;
using swarm::merge_method;

constexpr std::size_t models = 8;
std::size_t elements = 25'000'000; // --smoke: fewer, which proves only that the benchmark works
std::size_t model_bytes = elements * sizeof(float);
constexpr std::size_t rounds = 7;
constexpr std::size_t part_elements = 32768; // as merge_models hands them out

/// Memory for one model, in huge pages where the system gives them. Both sides of the comparison use it.
struct buffer {
  std::uint8_t* data;
  buffer() {
    void* at = ::mmap(nullptr, model_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    data = at == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(at);
    if (data != nullptr) ::madvise(at, model_bytes, MADV_HUGEPAGE);
  }
  buffer(const buffer&) = delete;
  ~buffer() {
    if (data != nullptr) ::munmap(data, model_bytes);
  }
};

using inputs_list = std::vector<const std::uint8_t*>;

template <class Run>
double seconds_of(const Run& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

/// The medians of several rounds of two things that take turns, after one that touches the pages.
template <class First, class Second>
std::pair<double, double> compare(const First& first, const Second& second) {
  std::vector<double> first_seconds, second_seconds;
  for (std::size_t round = 0; round <= rounds; ++round) {
    const auto a = seconds_of(first), b = seconds_of(second);
    if (round == 0) continue;
    first_seconds.push_back(a);
    second_seconds.push_back(b);
  }
  return {median(first_seconds), median(second_seconds)};
}

void copy_parallel(const buffer& from, const buffer& to) {
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, model_bytes, 1 << 20), [&](const auto& range) {
    std::memcpy(to.data + range.begin(), from.data + range.begin(), range.size());
  });
}

/// Reads every byte of all models, part by part as a method does.
std::uint64_t read_all(const inputs_list& inputs) {
  std::atomic<std::uint64_t> all = 0;
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, model_bytes / 64, part_elements / 16),
                    [&](const auto& range) {
                      std::uint64_t sums[8] = {};
                      for (const auto* input : inputs) {
                        const auto* words = reinterpret_cast<const std::uint64_t*>(input);
                        for (auto line = range.begin(); line != range.end(); ++line)
                          for (std::size_t i = 0; i < 8; ++i)
                            sums[i] += words[line * 8 + i];
                      }
                      for (const auto sum : sums)
                        all += sum;
                    });
  return all;
}

/// A whole merge in memory, part by part: measured, decided, combined. Returns the seconds before the last
/// step.
double run_method(merge_algorithm& algorithm, const inputs_list& inputs, const buffer& out) {
  const auto begin = std::chrono::steady_clock::now();
  const auto parts = (elements + part_elements - 1) / part_elements;
  const auto part_of = [&](std::size_t part) {
    inputs_list moved = inputs;
    for (auto& input : moved)
      input += part * part_elements * sizeof(float);
    return moved;
  };
  const auto count_of = [&](std::size_t part) {
    return std::min(part_elements, elements - part * part_elements);
  };
  const auto sums = algorithm.measures();
  std::vector<double> totals(sums);
  if (sums > 0) {
    std::vector<double> all(parts * sums);
    tbb::parallel_for(std::size_t{0}, parts, [&](std::size_t part) {
      algorithm.measure(dtype::f32, part_of(part), count_of(part), std::span(all).subspan(part * sums, sums));
    });
    for (std::size_t i = 0; i < all.size(); ++i)
      totals[i % sums] += all[i];
  }
  algorithm.decide(totals);
  const std::chrono::duration<double> measured = std::chrono::steady_clock::now() - begin;
  tbb::parallel_for(std::size_t{0}, parts, [&](std::size_t part) {
    algorithm.combine(dtype::f32, part_of(part), out.data + part * part_elements * sizeof(float),
                      count_of(part));
  });
  return measured.count();
}

bool measure_mean(const std::vector<buffer>& from, const std::vector<buffer>& to, const inputs_list& inputs,
                  const std::vector<double>& weights, const buffer& merged) {
  for (std::size_t k = 0; k < models; ++k) {
    auto* values = reinterpret_cast<float*>(from[k].data);
    for (std::size_t i = 0; i < elements; ++i)
      values[i] = static_cast<float>(i % 1000 + k);
  }
  const auto scaled = scale_weights(weights);
  const auto [merging, copying] =
      compare([&] { weighted_mean_parallel(dtype::f32, inputs, scaled, merged.data, elements); },
              [&] {
                for (std::size_t k = 0; k < models; ++k)
                  copy_parallel(from[k], to[k]);
              });
  // Sum of k * (k - 1) over the sum of k, k = 1..8: every element must be off by this from i % 1000.
  const auto* result = reinterpret_cast<const float*>(merged.data);
  for (std::size_t i = 0; i < elements; ++i) {
    if (std::fabs(result[i] - (static_cast<float>(i % 1000) + 168.0f / 36.0f)) > 1e-4f) {
      fmt::print(stderr, "bench_merge: element {} is wrong\n", i);
      return false;
    }
  }
  const double ratio = (static_cast<double>((models + 1) * model_bytes) / merging)
                       / (static_cast<double>(2 * models * model_bytes) / copying);
  swarm::bench::tell({.name = "merge_mean",
                      .value = merging,
                      .unit = "s",
                      .reference = "copy of the same bytes",
                      .reference_value = copying,
                      .ratio = ratio,
                      .ratio_least = 0.80});
  return true;
}

/// Seconds that NumPy takes for the median of as many numbers; none where there is no NumPy.
std::optional<double> numpy_seconds() {
  const auto* python = std::getenv("SWARM_BENCH_PYTHON");
  const auto command =
      fmt::format("{} -c 'import time, numpy as np\n"
                  "a = np.random.default_rng(1).standard_normal(({}, {}), dtype=np.float32)\n"
                  "t = time.perf_counter()\n"
                  "np.median(a, axis=0)\n"
                  "print(time.perf_counter() - t)' 2>/dev/null",
                  python != nullptr ? python : "python3", models, elements);
  auto* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  double seconds = 0;
  const bool good = std::fscanf(pipe, "%lf", &seconds) == 1;
  return ::pclose(pipe) == 0 && good ? std::optional(seconds) : std::nullopt;
}

/// One method beside one read of the data.
void measure_method(std::string_view name, const merge_method& method, const std::vector<double>& weights,
                    const inputs_list& inputs, const buffer& merged, std::optional<double> ratio_least) {
  std::atomic<std::uint64_t> sink = 0;
  const auto [merging, reading] = compare(
      [&] {
        const auto algorithm = make_algorithm(method, weights);
        run_method(*algorithm, inputs, merged);
      },
      [&] { sink += read_all(inputs); });
  swarm::bench::tell({.name = name,
                      .value = merging,
                      .unit = "s",
                      .reference = "reading the same bytes",
                      .reference_value = reading,
                      .ratio = reading / merging,
                      .ratio_least = ratio_least});
}

/// What an iteration of the geometric median costs when the one look at the models is shared out to them.
void measure_iteration(const std::vector<double>& weights, const inputs_list& inputs, const buffer& merged) {
  const auto algorithm = make_algorithm(merge_method::geomedian, weights);
  std::vector<double> pairs(pair_count(models));
  squared_distances(dtype::f32, inputs, elements, pairs);
  const auto iterations = find_geometric_median(distance_table(pairs, models), weights).iterations;
  std::atomic<std::uint64_t> sink = 0;
  std::vector<double> measuring;
  const auto [merging, reading] =
      compare([&] { measuring.push_back(run_method(*algorithm, inputs, merged)); },
              [&] { sink += read_all(inputs); });
  const auto each = median({measuring.begin() + 1, measuring.end()})
                    / static_cast<double>(std::max<std::size_t>(iterations, 1));
  fmt::print(stderr, "geometric median: {} iterations after one look at the models\n", iterations);
  swarm::bench::tell({.name = "merge_geomedian_iteration",
                      .value = each,
                      .unit = "s",
                      .reference = "reading the same bytes",
                      .reference_value = reading,
                      .ratio = reading / each,
                      .ratio_least = 1 / 1.5});
}

void measure_coordinate_median(const inputs_list& inputs, const buffer& merged) {
  const auto algorithm = make_algorithm(merge_method::coordmedian, std::vector<double>(models, 1));
  std::vector<double> seconds;
  for (std::size_t round = 0; round <= rounds; ++round)
    seconds.push_back(seconds_of([&] { run_method(*algorithm, inputs, merged); }));
  const auto merging = median({seconds.begin() + 1, seconds.end()});
  const auto numpy = numpy_seconds();
  if (!numpy) fmt::print(stderr, "bench_merge: no NumPy to compare with\n");
  swarm::bench::tell({.name = "merge_coordmedian",
                      .value = merging,
                      .unit = "s",
                      .reference = "numpy.median of as many numbers",
                      .reference_value = numpy.value_or(0),
                      .ratio = numpy.value_or(0) / merging,
                      .ratio_least = numpy ? std::optional(25.0) : std::nullopt});
}

void fill_with_noise(const std::vector<buffer>& from) {
  tbb::parallel_for(std::size_t{0}, models, [&](std::size_t k) {
    auto* values = reinterpret_cast<float*>(from[k].data);
    std::uint64_t state = k + 1;
    for (std::size_t i = 0; i < elements; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      values[i] = static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1p-31f;
    }
  });
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--smoke") == 0) {
    elements = 100'000;
    model_bytes = elements * sizeof(float);
  }
  std::vector<double> weights, equal(models, 1);
  inputs_list inputs;
  const buffer merged;
  const std::vector<buffer> from(models);
  {
    const std::vector<buffer> to(models);
    for (std::size_t k = 0; k < models; ++k) {
      if (from[k].data == nullptr || to[k].data == nullptr || merged.data == nullptr) {
        std::fputs("bench_merge: needs 1.7 GB of memory\n", stderr);
        return 1;
      }
      inputs.push_back(from[k].data);
      weights.push_back(static_cast<double>(k + 1));
    }
    if (!measure_mean(from, to, inputs, weights, merged)) return 1;
  }
  fill_with_noise(from);
  const auto method = [](std::string_view text) { return swarm::parse_merge_method(text).value(); };
  measure_coordinate_median(inputs, merged);
  measure_method("merge_coordmedian_weighted", merge_method::coordmedian, weights, inputs, merged, {});
  measure_method("merge_trimmedmean", method("trimmedmean:0.2"), equal, inputs, merged, {});
  measure_method("merge_krum", method("krum:2"), equal, inputs, merged, 0.5);
  measure_method("merge_geomedian", merge_method::geomedian, weights, inputs, merged, {});
  measure_iteration(weights, inputs, merged);
  measure_method("merge_clippedmean", method("clippedmean:1000"), weights, inputs, merged, {});
}
