#pragma once

#include "base/bytes.hpp"
#include "merge/model/dtype.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::merge {

/// What is wrong with a model file, a layout or a merge.
enum class merge_errc {
  bad_header = 1,   ///< not a safetensors header, or one that breaks a rule of the format
  bad_tensor,       ///< name, dtype, shape or size of one tensor
  too_large,        ///< over a limit below
  bad_chunk,        ///< a chunk does not have the digest of its manifest
  bad_manifest,     ///< a manifest that cannot be one
  disk_full,        ///< no room in the store's directory
  digest_mismatch,  ///< a stored file that no longer has the digest of its name
  nothing_to_merge, ///< no contribution is left
  bad_weight,       ///< a negative or non-finite weight, or all of them zero
  not_implemented,  ///< a merge method that this version does not have
  store_full,       ///< over what a store may hold
};
constexpr std::string_view error_category(merge_errc) {
  return "merge";
}

inline constexpr std::uint64_t header_size_max = 16u << 20; ///< bytes of JSON
inline constexpr std::size_t tensor_count_max = 65536;
inline constexpr std::size_t tensor_name_max = 512; ///< bytes of UTF-8
inline constexpr std::size_t tensor_dims_max = 32;

using tensor_shape = std::vector<std::uint64_t>; ///< empty for a scalar

struct tensor_spec {
  std::string name;
  dtype type = dtype::f32;
  tensor_shape shape;
};

struct tensor_info {
  std::string name;
  dtype type = dtype::f32;
  tensor_shape shape;
  std::uint64_t offset = 0; ///< bytes from the start of the data, which follows the header
  std::uint64_t size = 0;   ///< bytes
};

/// "[3, 4]"
std::string shape_text(const tensor_shape& shape);
/// The bytes of a tensor; fails when they do not fit 63 bits.
result<std::uint64_t> tensor_size(dtype type, const tensor_shape& shape);

/// Names, types, shapes and places of all tensors of a model, always sorted by falling dtype, then name.
/// Two layouts are equal when names, types and shapes are, wherever a foreign writer put the data.
class model_layout {
public:
  /// Sorts and places the tensors as safetensors writers do. Fails on duplicate, empty, over-long or
  /// non-UTF-8 names, on the name "__metadata__", and beyond the limits above.
  static result<model_layout> make(std::vector<tensor_spec> specs);
  /// Reads the front of a safetensors file. `file` may be longer than the header; `file_size` is the size of
  /// the whole file. It accepts no gap, overlap, duplicate, overflow, trailing byte or misaligned tensor.
  static result<model_layout> parse(bytes_view file, std::uint64_t file_size);

  const std::vector<tensor_info>& tensors() const { return tensors_; }
  /// Returns nullptr when no tensor has this name.
  const tensor_info* find(std::string_view name) const;
  /// Where the data starts in the file: 8 + length of the JSON text.
  std::uint64_t data_offset() const { return data_offset_; }
  std::uint64_t data_size() const { return data_size_; }
  std::uint64_t file_size() const { return data_offset_ + data_size_; }
  /// The first bytes of a file that this project writes with these tensors: length, JSON, spaces up to a
  /// multiple of 8. They are the same for equal layouts.
  const bytes& canonical_header() const { return header_; }
  /// SHA-256 of `canonical_header()`.
  const hash32& layout_digest() const { return digest_; }
  /// This layout with the data where this project writes it, for a file that
  /// starts with `canonical_header()`.
  model_layout canonical() const;

  friend bool operator==(const model_layout& a, const model_layout& b) { return a.digest_ == b.digest_; }

private:
  /// Computes `canonical_header` and its digest from the sorted tensors.
  result<> seal();

  std::vector<tensor_info> tensors_;
  std::uint64_t data_offset_ = 0;
  std::uint64_t data_size_ = 0;
  bytes header_;
  hash32 digest_;
};

/// One line for a person that names the first tensors in which `other` differs from `expected`: missing,
/// extra, other shape, other dtype. Empty when they are equal.
std::string difference(const model_layout& expected, const model_layout& other);

} // namespace swarm::merge
