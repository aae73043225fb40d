#include "merge/methods/merge.hpp"

#include "base/assert.hpp"
#include "base/sum_tree.hpp"
#include "merge/methods/elect.hpp"
#include "merge/methods/kernels.hpp"
#include "merge/methods/method.hpp"
#include "merge/methods/parts.hpp"
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
/// Parts that are measured at a time, and sums that may be kept of them.
constexpr std::uint64_t window_parts = 128;
constexpr std::uint64_t window_sums = 1u << 22;

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
      const auto count = std::min({left, part_elements, (out.size() - filled) / width});
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

struct left_out {
  const contribution* who = nullptr;
  exclusion_cause cause = exclusion_cause::other_parameters;
  std::string why;
};

/// In the order of the contributions, which are in one array.
bool stands_before(const left_out& a, const left_out& b) {
  return a.who < b.who;
}

/// Adds up what the parts of a file are measured to, in its order: those of a chunk one after the other, then the chunks.
class chunk_sums {
public:
  explicit chunk_sums(std::size_t width) : here_(width, 0.0), tree_(width) {}

  void add(std::uint64_t chunk, std::span<const double> sums) {
    go_to(chunk);
    for (std::size_t i = 0; i < sums.size(); ++i)
      here_[i] += sums[i];
  }
  std::vector<double> total(std::uint64_t chunks) {
    go_to(chunks);
    return tree_.total();
  }

private:
  void go_to(std::uint64_t chunk) {
    for (; at_ < chunk; ++at_) {
      tree_.add(here_);
      std::fill(here_.begin(), here_.end(), 0.0);
    }
  }

  std::vector<double> here_; ///< of chunk `at_`
  sum_tree tree_;
  std::uint64_t at_ = 0;
};

/// The merge of models with equal layouts: measured, then written block by block.
class merge_run {
public:
  merge_run(merge_algorithm& algorithm, std::span<const model_file* const> files,
            std::span<const double> weights, std::span<const treatment> treatments,
            const merge_progress& progress)
      : algorithm_(algorithm), files_(files), weights_(weights), treatments_(treatments), progress_(progress),
        layout_(files.front()->layout().canonical()) {}

  /// Returns nullptr when a value that is not finite came up.
  result<std::shared_ptr<const model_file>> run(model_store& out) {
    SWARM_CHECK(measure());
    if (!finite_) return nullptr;
    return write(out);
  }

private:
  struct measured_part {
    std::uint64_t chunk;
    segment what;
  };

  /// Chunk by chunk, as a checker does who has only some of them (remerge.hpp): so the totals are the same for whoever adds up
  /// the same chunks, however they are shared out.
  result<> measure() {
    const auto width = algorithm_.measures();
    if (width == 0) return algorithm_.decide({}), result<>{};
    const auto chunks = chunks_in(layout_);
    chunk_sums sums(width);
    const auto window = std::clamp<std::uint64_t>(window_sums / width, 2, window_parts);
    std::vector<measured_part> parts;
    for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
      for (const auto& piece : pieces_of(layout_, chunk)) {
        if (treatments_[piece.tensor] != treatment::merged) continue;
        const auto count = piece.size / size_of(layout_.tensors()[piece.tensor].type);
        for (std::uint64_t from = 0; from < count; from += part_elements) {
          parts.push_back(
              {chunk, {piece.tensor, piece.first + from, std::min(part_elements, count - from), nullptr}});
          if (parts.size() < window) continue;
          SWARM_CHECK(report(chunk * chunk_size, layout_.file_size()));
          if (!measure_parts(parts, sums)) return {};
        }
      }
    }
    if (!measure_parts(parts, sums)) return {};
    algorithm_.decide(sums.total(chunks));
    return {};
  }

  /// False when a value that is not finite came up.
  bool measure_parts(std::vector<measured_part>& parts, chunk_sums& totals) {
    const auto width = algorithm_.measures();
    std::vector<double> sums(parts.size() * width);
    tbb::parallel_for(std::size_t{0}, parts.size(), [&](std::size_t i) {
      const auto& part = parts[i].what;
      const auto inputs = inputs_of(part);
      if (!check_inputs(part, inputs)) return;
      algorithm_.measure(layout_.tensors()[part.tensor].type, inputs, part.count,
                         std::span(sums).subspan(i * width, width));
    });
    for (std::size_t i = 0; i < parts.size(); ++i)
      totals.add(parts[i].chunk, std::span(sums).subspan(i * width, width));
    parts.clear();
    return finite_;
  }

  result<std::shared_ptr<const model_file>> write(model_store& out) {
    SWARM_TRY(auto writer, out.create(layout_.file_size()));
    SWARM_CHECK(writer.write(layout_.canonical_header()));
    segment_cursor cursor(layout_);
    bytes block(std::min(block_bytes, std::max<std::uint64_t>(layout_.data_size(), 1)));
    std::vector<segment> segments;
    while (true) {
      SWARM_CHECK(report(writer.written(), writer.size()));
      const auto filled = cursor.fill(block, segments);
      if (filled == 0) break;
      tbb::parallel_for(std::size_t{0}, segments.size(), [&](std::size_t i) { merge_segment(segments[i]); });
      SWARM_CHECK(algorithm_.outcome());
      if (!finite_) return nullptr;
      SWARM_CHECK(writer.write(bytes_view(block).first(filled)));
    }
    return writer.finish();
  }

  result<> report(std::uint64_t done, std::uint64_t total) const {
    if (progress_ && !progress_(done, total))
      return fail(errc::cancelled, "the merge was cancelled after {} of {} bytes", done, total);
    return {};
  }

  const tensor_info& tensor_of(std::size_t file, std::size_t tensor) const {
    return files_[file]->layout().tensors()[tensor];
  }

  std::vector<const std::uint8_t*> inputs_of(const segment& part) const {
    const auto width = size_of(layout_.tensors()[part.tensor].type);
    std::vector<const std::uint8_t*> inputs(files_.size());
    for (std::size_t k = 0; k < inputs.size(); ++k)
      inputs[k] = files_[k]->data(tensor_of(k, part.tensor)).data() + part.first * width;
    note_mapped_read(inputs.size() * part.count * width);
    return inputs;
  }

  bool check_inputs(const segment& part, std::span<const std::uint8_t* const> inputs) {
    const auto type = layout_.tensors()[part.tensor].type;
    for (const auto* input : inputs)
      if (count_non_finite(type, input, part.count) != 0) finite_ = false;
    return finite_;
  }

  void merge_segment(const segment& part) {
    const auto type = layout_.tensors()[part.tensor].type;
    const auto inputs = inputs_of(part);
    switch (treatments_[part.tensor]) {
    case treatment::carried:
      std::memcpy(part.out, inputs.front(), part.count * size_of(type));
      return;
    case treatment::elected:
      return elect(type, inputs, weights_, part.out, part.count);
    case treatment::merged:
      break;
    }
    const bool measured = algorithm_.measures() > 0; // then its inputs have been looked at
    if (!measured && !algorithm_.shows_non_finite() && !check_inputs(part, inputs)) return;
    algorithm_.combine(type, inputs, part.out, part.count);
    if (count_non_finite(type, part.out, part.count) != 0) finite_ = false;
  }

  merge_algorithm& algorithm_;
  std::span<const model_file* const> files_;
  std::span<const double> weights_;
  std::span<const treatment> treatments_;
  const merge_progress& progress_;
  model_layout layout_;
  std::atomic<bool> finite_ = true;
};

/// Whether its tensors are where this project writes them. Whoever checks chunks of a merge goes by that.
bool begins_canonically(const model_file& file) {
  const auto& header = file.layout().canonical_header();
  return file.size() == header.size() + file.layout().data_size()
         && std::ranges::equal(file.raw().first(header.size()), header);
}

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
void exclude(candidates& from, std::vector<left_out>& excluded, exclusion_cause cause, const Reason& reason) {
  candidates kept;
  for (const auto* one : from) {
    if (auto why = reason(*one); !why.empty())
      excluded.push_back({one, cause, std::move(why)});
    else
      kept.push_back(one);
  }
  from = std::move(kept);
}

tl::unexpected<error> nothing_left(const std::vector<left_out>& excluded) {
  std::string why;
  for (const auto& one : excluded)
    why += fmt::format("; {}: {}", one.who->label, one.why);
  return fail(merge_errc::nothing_to_merge, "no contribution can be merged{}", why);
}

/// Names the first tensor with NaN or infinite values and counts them in all; empty when there are none.
/// Looks only at tensors that a method merges: what all contributions have in common keeps nobody out.
std::string describe_non_finite(const model_file& file, std::span<const treatment> treatments) {
  constexpr std::uint64_t piece = 16 * part_elements;
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
      const auto many = std::min(piece, count - from);
      bad += count_non_finite(tensor.type, data.data() + from * width, many);
      note_mapped_read(many * width);
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

result<merged> merge_models(const merge_method& method, std::span<const contribution> contributions,
                            model_store& out, const merge_progress& progress, const algorithm_maker& custom) {
  if (method.kind == merge_method::custom && !custom)
    return fail(merge_errc::not_implemented, "merge method '{}' needs its library", text_of(method));
  candidates left;
  for (const auto& one : contributions) {
    SWARM_ASSERT(one.file != nullptr);
    if (!std::isfinite(one.weight) || one.weight < 0)
      return fail(merge_errc::bad_weight, "{}: weight {} is not a number >= 0", one.label, one.weight);
    if (one.weight > 0) left.push_back(&one);
  }
  if (left.empty() && !contributions.empty())
    return fail(merge_errc::bad_weight, "all {} contributions have weight 0", contributions.size());
  std::vector<left_out> excluded;
  exclude(left, excluded, exclusion_cause::other_parameters, [](const contribution& one) {
    return std::string(begins_canonically(*one.file) ? ""
                                                     : "its tensors are not where this project writes them");
  });
  if (!left.empty()) {
    const auto& layout = majority_layout(left);
    exclude(left, excluded, exclusion_cause::other_parameters, [&](const contribution& one) {
      const auto text = difference(layout, one.file->layout());
      return text.empty() ? text : "other parameters than most: " + text;
    });
  }
  // By content, so that whoever merges the same models in another order gets the same bits.
  std::stable_sort(left.begin(), left.end(), [](const auto* a, const auto* b) {
    return std::pair(a->file->digest(), a->weight) < std::pair(b->file->digest(), b->weight);
  });
  // That all values are finite is only found out on the way.
  while (!left.empty()) {
    std::vector<const model_file*> files;
    std::vector<double> weights;
    for (const auto* one : left) {
      files.push_back(one->file.get());
      weights.push_back(one->weight);
    }
    std::unique_ptr<merge_algorithm> algorithm;
    if (method.kind == merge_method::custom) {
      SWARM_TRY(algorithm, custom(weights));
    } else {
      algorithm = make_algorithm(method, weights);
    }
    const auto treatments = plan_treatments(files);
    SWARM_TRY(auto file, merge_run(*algorithm, files, weights, treatments, progress).run(out));
    if (file) {
      std::sort(excluded.begin(), excluded.end(), stands_before);
      merged done{file->digest(), file->size(), file, {}};
      for (auto& one : excluded)
        done.excluded.push_back({one.who->label, std::move(one.why), one.cause});
      return done;
    }
    const auto before = left.size();
    exclude(left, excluded, exclusion_cause::not_finite,
            [&](const contribution& one) { return describe_non_finite(*one.file, treatments); });
    SWARM_ASSERT(left.size() < before);
  }
  std::sort(excluded.begin(), excluded.end(), stands_before);
  return nothing_left(excluded);
}

} // namespace swarm::merge
