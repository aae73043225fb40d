#include "merge/methods/treatment.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>

namespace swarm::merge {

namespace {

using files_view = std::span<const model_file* const>;

/// Bytes that are compared at a time, and those of them that one task compares.
constexpr std::uint64_t window_bytes = 16 * chunk_size;
constexpr std::uint64_t piece_bytes = chunk_size / 4;

bytes_view data_of(const model_file& file, std::size_t tensor) {
  return file.data(file.layout().tensors()[tensor]);
}

/// Stops at the first window with a difference, which for tensors in training is the first one.
bool is_same_in_all(files_view files, std::size_t tensor) {
  const auto first = data_of(*files.front(), tensor);
  for (std::uint64_t from = 0; from < first.size(); from += window_bytes) {
    const auto size = std::min<std::uint64_t>(window_bytes, first.size() - from);
    std::atomic<bool> same = true;
    tbb::parallel_for(std::uint64_t{0}, (size + piece_bytes - 1) / piece_bytes, [&](std::uint64_t i) {
      const auto at = from + i * piece_bytes;
      const auto count = std::min(piece_bytes, from + size - at);
      for (const auto* file : files.subspan(1)) {
        if (!same) return;
        note_mapped_read(count);
        if (std::memcmp(first.data() + at, data_of(*file, tensor).data() + at, count) != 0) same = false;
      }
    });
    if (!same) return false;
  }
  return true;
}

template <class T>
T load(bytes_view raw, std::size_t i) {
  T out;
  std::memcpy(&out, raw.data() + i * sizeof(T), sizeof(T));
  return out;
}

/// Elements above the bits of infinity.
template <class T>
bool has_nan(bytes_view raw, T infinity) {
  constexpr auto sign = static_cast<T>(T{1} << (8 * sizeof(T) - 1));
  for (std::size_t i = 0; i < raw.size() / sizeof(T); ++i)
    if (static_cast<T>(load<T>(raw, i) & static_cast<T>(~sign)) > infinity) return true;
  return false;
}

bool is_whole(bytes_view raw) {
  const auto value = std::bit_cast<double>(load<std::uint64_t>(raw, 0));
  return std::isfinite(value) && std::trunc(value) == value;
}

treatment treatment_of(files_view files, std::size_t tensor) {
  const auto& info = files.front()->layout().tensors()[tensor];
  const bool carried = files.size() == 1 ? !has_nan(info.type, data_of(*files.front(), tensor))
                                         : is_same_in_all(files, tensor);
  if (carried) return treatment::carried;
  std::vector<bytes_view> data;
  for (const auto* file : files)
    data.push_back(data_of(*file, tensor));
  return treatment_of_differing(info, data);
}

} // namespace

bool has_nan(dtype type, bytes_view raw) {
  switch (type) {
  case dtype::f16:
    return has_nan<std::uint16_t>(raw, 0x7c00);
  case dtype::bf16:
    return has_nan<std::uint16_t>(raw, 0x7f80);
  case dtype::f32:
    return has_nan<std::uint32_t>(raw, 0x7f800000);
  case dtype::f64:
    return has_nan<std::uint64_t>(raw, 0x7ff0000000000000);
  default:
    return false;
  }
}

treatment treatment_of_differing(const tensor_info& tensor, std::span<const bytes_view> data) {
  if (!is_floating(tensor.type)) return treatment::elected;
  const bool counts = tensor.type == dtype::f64 && tensor.shape.empty()
                      && std::all_of(data.begin(), data.end(), [](bytes_view one) { return is_whole(one); });
  return counts ? treatment::elected : treatment::merged;
}

std::vector<treatment> plan_treatments(std::span<const model_file* const> files) {
  std::vector<treatment> out;
  for (std::size_t i = 0; i < files.front()->layout().tensors().size(); ++i)
    out.push_back(treatment_of(files, i));
  return out;
}

} // namespace swarm::merge
