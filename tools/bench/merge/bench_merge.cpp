#include "merge/methods/kernels.hpp"
#include "tools/bench/common/figure.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

// The weighted mean of 8 models x 25M float32 in memory beside a copy of the same 800 MB by the same threads.
// Both are rated by bytes read and written per second: the mean moves 9 x 100 MB, the copy 16 x 100 MB.

namespace {

using namespace swarm::merge;

constexpr std::size_t models = 8;
std::size_t elements = 25'000'000; // --smoke: fewer, which proves only that the benchmark works
std::size_t model_bytes = elements * sizeof(float);
constexpr std::size_t rounds = 7;
constexpr double target = 0.80;

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

void copy_parallel(const buffer& from, const buffer& to) {
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, model_bytes, 1 << 20), [&](const auto& range) {
    std::memcpy(to.data + range.begin(), from.data + range.begin(), range.size());
  });
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--smoke") == 0) {
    elements = 100'000;
    model_bytes = elements * sizeof(float);
  }
  const std::vector<buffer> from(models), to(models);
  const buffer merged;
  std::vector<const std::uint8_t*> inputs;
  std::vector<double> weights;
  for (std::size_t k = 0; k < models; ++k) {
    if (from[k].data == nullptr || to[k].data == nullptr || merged.data == nullptr) {
      std::fputs("bench_merge: needs 1.7 GB of memory\n", stderr);
      return 1;
    }
    auto* values = reinterpret_cast<float*>(from[k].data);
    for (std::size_t i = 0; i < elements; ++i)
      values[i] = static_cast<float>(i % 1000 + k);
    inputs.push_back(from[k].data);
    weights.push_back(static_cast<double>(k + 1));
  }
  const auto scaled = scale_weights(weights);
  std::vector<double> merge_seconds, copy_seconds;
  for (std::size_t round = 0; round <= rounds; ++round) {
    const auto merging =
        seconds_of([&] { weighted_mean_parallel(dtype::f32, inputs, scaled, merged.data, elements); });
    const auto copying = seconds_of([&] {
      for (std::size_t k = 0; k < models; ++k)
        copy_parallel(from[k], to[k]);
    });
    if (round == 0) continue; // the first touches the pages
    merge_seconds.push_back(merging);
    copy_seconds.push_back(copying);
  }
  // Sum of k * (k - 1) over the sum of k, k = 1..8: every element must be off by this from i % 1000.
  const auto* result = reinterpret_cast<const float*>(merged.data);
  for (std::size_t i = 0; i < elements; ++i) {
    if (std::fabs(result[i] - (static_cast<float>(i % 1000) + 168.0f / 36.0f)) > 1e-4f) {
      fmt::print(stderr, "bench_merge: element {} is wrong\n", i);
      return 1;
    }
  }
  const double merging = median(merge_seconds), copying = median(copy_seconds);
  const double ratio = (static_cast<double>((models + 1) * model_bytes) / merging)
                       / (static_cast<double>(2 * models * model_bytes) / copying);
  swarm::bench::tell({.name = "merge_mean",
                      .value = merging,
                      .unit = "s",
                      .reference = "copy of the same bytes",
                      .reference_value = copying,
                      .ratio = ratio,
                      .ratio_least = target});
}
