#include "merge/methods/merge.hpp"

#include "base/assert.hpp"
#include "merge/methods/elect.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/methods/method.hpp"
#include "merge/methods/treatment.hpp"
#include "merge/model/header_json.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>

namespace swarm::merge {

namespace {

/// Output bytes in memory at a time: enough chunks to hash on many cores.
constexpr std::uint64_t block_bytes = 16 * chunk_size;
/// Elements of one task.
constexpr std::uint64_t segment_elements = 32768;

/// A run of elements of one tensor within the current block.
struct segment {
  std::size_t tensor;
  std::uint64_t first; ///< element
  std::uint64_t count;
  std::uint8_t* out;
};

/// Walks through the tensors of a layout in file order, block after block.
class segment_cursor {
public:
  explicit segment_cursor(const model_layout& layout) : layout_(layout) {}

  /// The next elements that fit into `out`, as segments; returns the bytes they take.
  std::uint64_t fill(std::span<std::uint8_t> out, std::vector<segment>& segments) {
    segments.clear();
    std::uint64_t filled = 0;
    while (tensor_ < layout_.tensors().size() && filled < out.size()) {
      const auto& tensor = layout_.tensors()[tensor_];
      const auto width = size_of(tensor.type);
      const auto left = tensor.size / width - element_;
      const auto count = std::min({left, segment_elements, (out.size() - filled) / width});
      if (count > 0) segments.push_back({tensor_, element_, count, out.data() + filled});
      element_ += count;
      filled += count * width;
      if (element_ < tensor.size / width) {
        if (count == 0) break; // the rest of the block is smaller than an element
        continue;
      }
      ++tensor_;
      element_ = 0;
    }
    return filled;
  }

private:
  const model_layout& layout_;
  std::size_t tensor_ = 0;
  std::uint64_t element_ = 0;
};

using candidates = std::vector<const contribution*>;

/// The merge of models with equal layouts, written block by block.
class merge_run {
public:
  merge_run(const merge_algorithm& algorithm, std::span<const model_file* const> files,
            std::span<const double> weights, std::span<const treatment> treatments)
      : algorithm_(algorithm), files_(files), weights_(weights), treatments_(treatments),
        layout_(files.front()->layout().canonical()) {}

  /// nullptr when a value that is not finite came out.
  result<std::shared_ptr<const model_file>> run(model_store& out, const merge_progress& progress) {
    SWARM_TRY(auto writer, out.create(layout_.file_size()));
    SWARM_CHECK(writer.write(layout_.canonical_header()));
    segment_cursor cursor(layout_);
    bytes block(std::min(block_bytes, std::max<std::uint64_t>(layout_.data_size(), 1)));
    std::vector<segment> segments;
    while (true) {
      if (progress && !progress(writer.written(), writer.size()))
        return fail(errc::cancelled, "the merge was cancelled after {} of {} bytes", writer.written(),
                    writer.size());
      const auto filled = cursor.fill(block, segments);
      if (filled == 0) break;
      tbb::parallel_for(std::size_t{0}, segments.size(), [&](std::size_t i) { merge_segment(segments[i]); });
      if (!finite_) return nullptr;
      SWARM_CHECK(writer.write(bytes_view(block).first(filled)));
      release(segments);
    }
    return writer.finish();
  }

private:
  const tensor_info& tensor_of(std::size_t file, std::size_t tensor) const {
    return files_[file]->layout().tensors()[tensor];
  }

  void merge_segment(const segment& part) {
    const auto type = layout_.tensors()[part.tensor].type;
    std::vector<const std::uint8_t*> inputs(files_.size());
    for (std::size_t k = 0; k < inputs.size(); ++k)
      inputs[k] = files_[k]->data(tensor_of(k, part.tensor)).data() + part.first * size_of(type);
    switch (treatments_[part.tensor]) {
    case treatment::carried:
      std::memcpy(part.out, inputs.front(), part.count * size_of(type));
      return;
    case treatment::elected:
      return elect(type, inputs, weights_, part.out, part.count);
    case treatment::merged:
      break;
    }
    algorithm_.combine(type, inputs, part.out, part.count);
    if (count_non_finite(type, part.out, part.count) != 0) finite_ = false;
  }

  /// Keeps the pages of the inputs from piling up; they are in order of the file in all files
  /// of this project.
  void release(const std::vector<segment>& segments) const {
    const auto& first = segments.front();
    const auto& last = segments.back();
    for (std::size_t k = 0; k < files_.size(); ++k) {
      const auto& layout = files_[k]->layout();
      const auto begin =
          tensor_of(k, first.tensor).offset + first.first * size_of(layout.tensors()[first.tensor].type);
      const auto& end_tensor = tensor_of(k, last.tensor);
      const auto end = end_tensor.offset + (last.first + last.count) * size_of(end_tensor.type);
      if (begin < end) files_[k]->release_pages(layout.data_offset() + begin, end - begin);
    }
  }

  const merge_algorithm& algorithm_;
  std::span<const model_file* const> files_;
  std::span<const double> weights_;
  std::span<const treatment> treatments_;
  model_layout layout_;
  std::atomic<bool> finite_ = true;
};

/// The commonest layout, the earliest of equally common ones.
const model_layout& majority_layout(const candidates& from) {
  std::map<hash32, std::size_t> votes;
  for (const auto* one : from)
    ++votes[one->file->layout().layout_digest()];
  const auto more = [&](const auto* a, const auto* b) {
    return votes[a->file->layout().layout_digest()] < votes[b->file->layout().layout_digest()];
  };
  return (*std::max_element(from.begin(), from.end(), more))->file->layout();
}

/// Moves those for which `reason` finds a reason from `from` to the exclusions.
template <class Reason>
void exclude(candidates& from, std::vector<std::pair<const contribution*, std::string>>& excluded,
             const Reason& reason) {
  candidates kept;
  for (const auto* one : from) {
    if (auto why = reason(*one); !why.empty())
      excluded.emplace_back(one, std::move(why));
    else
      kept.push_back(one);
  }
  from = std::move(kept);
}

tl::unexpected<error> nothing_left(const std::vector<std::pair<const contribution*, std::string>>& excluded) {
  std::string why;
  for (const auto& [one, reason] : excluded)
    why += fmt::format("; {}: {}", one->label, reason);
  return fail(merge_errc::nothing_to_merge, "no contribution can be merged{}", why);
}

/// Names the first tensor with NaN or infinite values and counts them in all; empty when there are none.
/// Looks only at tensors that a method merges: what all contributions have in common keeps nobody out.
std::string describe_non_finite(const model_file& file, std::span<const treatment> treatments) {
  constexpr std::uint64_t piece = 16 * segment_elements;
  std::string first;
  std::uint64_t bad_values = 0, bad_tensors = 0;
  for (std::size_t t = 0; t < treatments.size(); ++t) {
    if (treatments[t] != treatment::merged) continue;
    const auto& tensor = file.layout().tensors()[t];
    const auto data = file.data(tensor);
    const auto width = size_of(tensor.type);
    const auto count = data.size() / width;
    std::atomic<std::uint64_t> bad = 0;
    tbb::parallel_for(std::uint64_t{0}, (count + piece - 1) / piece, [&](std::uint64_t i) {
      const auto from = i * piece;
      bad += count_non_finite(tensor.type, data.data() + from * width, std::min(piece, count - from));
    });
    if (bad == 0) continue;
    if (first.empty())
      first =
          fmt::format("{} has {} NaN or infinite values of {}", quote_name(tensor.name), bad.load(), count);
    bad_values += bad;
    ++bad_tensors;
  }
  if (bad_tensors > 1) first += fmt::format("; {} in {} tensors", bad_values, bad_tensors);
  return first;
}

} // namespace

result<merged> merge_models(merge_method method, std::span<const contribution> contributions,
                            model_store& out, const merge_progress& progress) {
  SWARM_TRY(const auto algorithm, make_algorithm(method));
  candidates left;
  for (const auto& one : contributions) {
    SWARM_ASSERT(one.file != nullptr);
    if (!std::isfinite(one.weight) || one.weight < 0)
      return fail(merge_errc::bad_weight, "{}: weight {} is not a number >= 0", one.label, one.weight);
    if (one.weight > 0) left.push_back(&one);
  }
  if (left.empty() && !contributions.empty())
    return fail(merge_errc::bad_weight, "all {} contributions have weight 0", contributions.size());
  std::vector<std::pair<const contribution*, std::string>> excluded;
  if (!left.empty()) {
    const auto& layout = majority_layout(left);
    exclude(left, excluded, [&](const contribution& one) {
      const auto text = difference(layout, one.file->layout());
      return text.empty() ? text : "other parameters than most: " + text;
    });
  }
  // A value that is not finite stays so through every merge, so only a result is looked at until
  // one shows up.
  while (!left.empty()) {
    std::vector<const model_file*> files;
    std::vector<double> weights;
    for (const auto* one : left) {
      files.push_back(one->file.get());
      weights.push_back(one->weight);
    }
    SWARM_CHECK(algorithm->prepare(files, weights));
    const auto treatments = plan_treatments(files);
    SWARM_TRY(auto file, merge_run(*algorithm, files, weights, treatments).run(out, progress));
    if (file) {
      std::sort(excluded.begin(), excluded.end()); // by address in the span: the order of the contributions
      merged done{file->digest(), file->size(), file, {}};
      for (auto& [one, reason] : excluded)
        done.excluded.push_back({one->label, std::move(reason)});
      return done;
    }
    const auto before = left.size();
    exclude(left, excluded,
            [&](const contribution& one) { return describe_non_finite(*one.file, treatments); });
    SWARM_ASSERT(left.size() < before);
  }
  std::sort(excluded.begin(), excluded.end());
  return nothing_left(excluded);
}

} // namespace swarm::merge
