#pragma once

#include "merge/methods/merge.hpp"
#include "merge/methods/parts.hpp"

#include <functional>

/// Chunks of a merged model, made again by whoever checks the merge, without the rest of the models.
namespace swarm::merge {

/// One contribution to the merge: what its file consists of, before any of its bytes are here.
struct checked_input {
  hash32 digest;
  std::vector<hash32> chunks; ///< of its manifest
  double weight = 1;
};

/// What a checker finds of a chunk.
enum class remerge_errc {
  other_place = 1, ///< a contribution does not begin as files of this project do, so that nobody may merge it
  not_finite,      ///< the chunk of the merge is not finite, so that a contribution should have been left out
};
constexpr std::string_view error_category(remerge_errc) {
  return "remerge";
}

/// Makes chunks of the model that `merge_models` makes of the same contributions, to the bit, by methods of this project. One
/// that looks at whole models goes by single elements, too, once it has the totals of what all chunks are measured to.
/// Pure; `measure` and `chunk` may be called from several threads.
class remerge {
public:
  /// The bytes of chunk `index` of contribution `input`, in the order in which `make` was given them, or empty while
  /// they are not here.
  using source = std::function<bytes_view(std::size_t input, std::uint64_t index)>;

  /// All contributions have the layout `layout` and a weight that is finite and > 0. Errors: errc::invalid for a manifest
  /// of another size or a method that is not of this project; nothing_to_merge.
  static result<remerge> make(const merge_method& method, const model_layout& layout,
                              std::vector<checked_input> inputs);

  std::uint64_t chunk_count() const;
  /// The chunks of all contributions that `chunk` and `measure` read: this one, and those at the ends of a tensor that may be the same
  /// in all. Ascending.
  std::vector<std::uint64_t> needs(std::uint64_t index) const;
  /// How many sums a chunk is measured to; 0 for methods that need none.
  std::size_t measures() const { return algorithm_->measures(); }
  /// What chunk `index` adds to the totals of whole models. Added up as in `sum_tree` (base/sum_tree.hpp) they are those by
  /// which `merge_models` goes. Only of methods that measure.
  result<std::vector<double>> measure(std::uint64_t index, const source& bytes_of) const;
  /// The totals, once, before any `chunk` is made by a method that measures.
  void decide(std::span<const double> totals);
  /// The bytes that chunk `index` of the merge has to have. errc::invalid as long as there are no totals, where they are needed.
  result<bytes> chunk(std::uint64_t index, const source& bytes_of) const;

private:
  remerge(model_layout layout, std::vector<checked_input> inputs);
  bool is_same_chunk(std::uint64_t index) const;
  bool may_be_same(std::size_t tensor) const;
  std::vector<std::uint64_t> ends_of(std::size_t tensor) const;
  bool is_same(std::size_t tensor, const source& bytes_of) const;
  bool is_carried(const chunk_piece& part, const source& bytes_of) const;
  result<> check_here(std::uint64_t index, const source& bytes_of) const;
  std::vector<bytes_view> bytes_of_all(const chunk_piece& part, const source& bytes_of) const;
  result<> measure_part(const chunk_piece& part, std::span<const std::uint8_t* const> inputs,
                        std::vector<double>& sums) const;
  result<> check_header(std::uint64_t index, const source& bytes_of) const;
  result<> make_part(const chunk_piece& part, const source& bytes_of, std::uint8_t* out) const;
  result<> combine(const chunk_piece& part, std::span<const std::uint8_t* const> inputs,
                   std::uint8_t* out) const;

  model_layout layout_;
  std::vector<checked_input> inputs_;
  std::vector<std::size_t> order_; ///< that in which `merge_models` adds them up
  std::vector<double> weights_;    ///< in this order
  std::shared_ptr<merge_algorithm> algorithm_;
  bool decided_ = false; ///< or nothing is measured
};

} // namespace swarm::merge
