#include "merge/methods/remerge.hpp"

#include "merge/methods/elect.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/methods/treatment.hpp"
#include "merge/model/header_json.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>
#include <set>

namespace swarm::merge {

result<remerge> remerge::make(const merge_method& method, const model_layout& layout,
                              std::vector<checked_input> inputs) {
  remerge out(layout.canonical(), std::move(inputs));
  if (out.inputs_.empty()) return fail(merge_errc::nothing_to_merge, "there is nothing to merge");
  for (const auto& input : out.inputs_)
    if (input.chunks.size() != out.chunk_count())
      return fail(errc::invalid, "the model {} has {} chunks, its layout {}", to_hex(input.digest.view()),
                  input.chunks.size(), out.chunk_count());
  if (method.kind == merge_method::custom)
    return fail(errc::invalid, "a merge by '{}' is made as a whole, not chunk by chunk", text_of(method));
  out.algorithm_ = make_algorithm(method, out.weights_);
  out.decided_ = out.measures() == 0;
  return out;
}

remerge::remerge(model_layout layout, std::vector<checked_input> inputs)
    : layout_(std::move(layout)), inputs_(std::move(inputs)), order_(inputs_.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
    const auto key = [this](std::size_t i) { return std::pair(inputs_[i].digest, inputs_[i].weight); };
    return key(a) < key(b);
  });
  for (const auto i : order_)
    weights_.push_back(inputs_[i].weight);
}

std::uint64_t remerge::chunk_count() const {
  return chunks_in(layout_);
}

bool remerge::is_same_chunk(std::uint64_t index) const {
  return std::all_of(inputs_.begin(), inputs_.end(), [&](const checked_input& one) {
    return one.chunks[index] == inputs_.front().chunks[index];
  });
}

/// No chunk that has nothing but this tensor says that it is not.
bool remerge::may_be_same(std::size_t tensor) const {
  const auto& info = layout_.tensors()[tensor];
  const auto begin = layout_.data_offset() + info.offset;
  for (auto index = (begin + chunk_size - 1) / chunk_size; (index + 1) * chunk_size <= begin + info.size;
       ++index)
    if (!is_same_chunk(index)) return false;
  return true;
}

/// The chunks that the tensor shares with others and that differ, by which it may.
std::vector<std::uint64_t> remerge::ends_of(std::size_t tensor) const {
  const auto& info = layout_.tensors()[tensor];
  const auto begin = layout_.data_offset() + info.offset;
  const auto end = begin + info.size;
  std::set<std::uint64_t> ends;
  if (begin % chunk_size != 0 || end < (begin / chunk_size + 1) * chunk_size) ends.insert(begin / chunk_size);
  if (end % chunk_size != 0) ends.insert(end / chunk_size);
  std::erase_if(ends, [this](std::uint64_t index) { return is_same_chunk(index); });
  return {ends.begin(), ends.end()};
}

std::vector<std::uint64_t> remerge::needs(std::uint64_t index) const {
  std::set<std::uint64_t> out{index};
  if (inputs_.size() > 1)
    for (const auto tensor : tensors_in(layout_, index * chunk_size, (index + 1) * chunk_size))
      if (may_be_same(tensor))
        for (const auto end : ends_of(tensor))
          out.insert(end);
  return {out.begin(), out.end()};
}

bool remerge::is_same(std::size_t tensor, const source& bytes_of) const {
  if (!may_be_same(tensor)) return false;
  const auto& info = layout_.tensors()[tensor];
  const auto begin = layout_.data_offset() + info.offset;
  for (const auto index : ends_of(tensor)) {
    const auto from = std::max(begin, index * chunk_size) - index * chunk_size;
    const auto to = std::min(begin + info.size, (index + 1) * chunk_size) - index * chunk_size;
    const auto first = bytes_of(0, index).subspan(from, to - from);
    for (std::size_t i = 1; i < inputs_.size(); ++i)
      if (std::memcmp(first.data(), bytes_of(i, index).data() + from, to - from) != 0) return false;
  }
  return true;
}

/// As `plan_treatments` has it. Of a single contribution NaN is found in the part that has it.
bool remerge::is_carried(const chunk_piece& part, const source& bytes_of) const {
  if (inputs_.size() > 1) return is_same(part.tensor, bytes_of);
  return !has_nan(layout_.tensors()[part.tensor].type, bytes_of(0, part.chunk).subspan(part.at, part.size));
}

result<> remerge::check_here(std::uint64_t index, const source& bytes_of) const {
  for (const auto needed : needs(index))
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (bytes_of(i, needed).size() != std::min(chunk_size, layout_.file_size() - needed * chunk_size))
        return fail(errc::unavailable, "chunk {} of the model {} is not here", needed,
                    to_hex(inputs_[i].digest.view()));
  return check_header(index, bytes_of);
}

/// Chunk `index` of all contributions has what the header of this layout has there.
result<> remerge::check_header(std::uint64_t index, const source& bytes_of) const {
  const auto& header = layout_.canonical_header();
  const auto first = index * chunk_size;
  if (first >= header.size()) return {};
  const auto part = bytes_view(header).subspan(first, std::min(chunk_size, header.size() - first));
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (!std::ranges::equal(bytes_of(i, index).first(part.size()), part))
      return fail(remerge_errc::other_place, "the model {} does not begin as models of this layout do",
                  to_hex(inputs_[i].digest.view()));
  return {};
}

result<bytes> remerge::chunk(std::uint64_t index, const source& bytes_of) const {
  if (!decided_) return fail(errc::invalid, "what the models are measured to is not known yet");
  SWARM_CHECK(check_here(index, bytes_of));
  const auto first = index * chunk_size;
  bytes out(std::min(chunk_size, layout_.file_size() - first));
  const auto& header = layout_.canonical_header();
  if (first < header.size())
    std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(first),
                std::min<std::uint64_t>(out.size(), header.size() - first), out.begin());
  for (const auto& part : pieces_of(layout_, index))
    SWARM_CHECK(make_part(part, bytes_of, out.data() + part.at));
  SWARM_CHECK(algorithm_->outcome());
  return out;
}

result<std::vector<double>> remerge::measure(std::uint64_t index, const source& bytes_of) const {
  SWARM_CHECK(check_here(index, bytes_of));
  std::vector<double> out(measures(), 0.0);
  for (const auto& part : pieces_of(layout_, index)) {
    const auto data = bytes_of_all(part, bytes_of);
    if (is_carried(part, bytes_of)
        || treatment_of_differing(layout_.tensors()[part.tensor], data) != treatment::merged)
      continue;
    std::vector<const std::uint8_t*> inputs;
    for (const auto& one : data)
      inputs.push_back(one.data());
    SWARM_CHECK(measure_part(part, inputs, out));
  }
  return out;
}

void remerge::decide(std::span<const double> totals) {
  algorithm_->decide(totals);
  decided_ = true;
}

/// In the order in which they are merged.
std::vector<bytes_view> remerge::bytes_of_all(const chunk_piece& part, const source& bytes_of) const {
  std::vector<bytes_view> out;
  for (const auto i : order_)
    out.push_back(bytes_of(i, part.chunk).subspan(part.at, part.size));
  return out;
}

/// Adds what this part is measured to.
result<> remerge::measure_part(const chunk_piece& part, std::span<const std::uint8_t* const> inputs,
                               std::vector<double>& sums) const {
  const auto& info = layout_.tensors()[part.tensor];
  const auto width = size_of(info.type);
  const auto count = part.size / width;
  const auto parts = (count + part_elements - 1) / part_elements;
  std::vector<double> each(parts * sums.size());
  std::atomic<bool> finite = true;
  tbb::parallel_for(std::uint64_t{0}, parts, [&](std::uint64_t i) {
    const auto from = i * part_elements;
    const auto many = std::min(part_elements, count - from);
    std::vector<const std::uint8_t*> here;
    for (const auto* input : inputs) {
      here.push_back(input + from * width);
      if (count_non_finite(info.type, here.back(), many) != 0) finite = false;
    }
    if (finite)
      algorithm_->measure(info.type, here, many, std::span(each).subspan(i * sums.size(), sums.size()));
  });
  if (!finite)
    return fail(remerge_errc::not_finite, "chunk {} of a model has NaN or infinite values in {}", part.chunk,
                quote_name(info.name));
  for (std::size_t i = 0; i < each.size(); ++i)
    sums[i % sums.size()] += each[i];
  return {};
}

result<> remerge::make_part(const chunk_piece& part, const source& bytes_of, std::uint8_t* out) const {
  const auto data = bytes_of_all(part, bytes_of);
  std::vector<const std::uint8_t*> inputs;
  for (const auto& one : data)
    inputs.push_back(one.data());
  const auto& info = layout_.tensors()[part.tensor];
  if (is_carried(part, bytes_of)) {
    std::memcpy(out, inputs.front(), part.size);
    return {};
  }
  if (treatment_of_differing(info, data) == treatment::elected) {
    elect(info.type, inputs, weights_, out, part.size / size_of(info.type));
    return {};
  }
  return combine(part, inputs, out);
}

result<> remerge::combine(const chunk_piece& part, std::span<const std::uint8_t* const> inputs,
                          std::uint8_t* out) const {
  const auto& info = layout_.tensors()[part.tensor];
  const auto width = size_of(info.type);
  const auto count = part.size / width;
  std::atomic<bool> finite = true;
  tbb::parallel_for(std::uint64_t{0}, (count + part_elements - 1) / part_elements, [&](std::uint64_t i) {
    const auto from = i * part_elements;
    const auto many = std::min(part_elements, count - from);
    std::vector<const std::uint8_t*> here;
    for (const auto* input : inputs)
      here.push_back(input + from * width);
    if (!algorithm_->shows_non_finite())
      for (const auto* input : here)
        if (count_non_finite(info.type, input, many) != 0) finite = false;
    if (!finite) return;
    algorithm_->combine(info.type, here, out + from * width, many);
    if (count_non_finite(info.type, out + from * width, many) != 0) finite = false;
  });
  if (finite) return {};
  return fail(remerge_errc::not_finite, "chunk {} of the merge has NaN or infinite values in {}", part.chunk,
              quote_name(info.name));
}

} // namespace swarm::merge
