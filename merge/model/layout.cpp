#include "merge/model/layout.hpp"

#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "merge/model/header_json.hpp"
#include "merge/model/manifest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace swarm::merge {

namespace {

bool file_order(const tensor_info& a, const tensor_info& b) {
  return a.type != b.type ? a.type > b.type : a.name < b.name;
}

std::uint64_t get_le64(bytes_view from) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i)
    value = value << 8 | from[static_cast<std::size_t>(i)];
  return value;
}

bytes make_header(const std::vector<tensor_info>& tensors) {
  auto json = write_header_json(tensors);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  bytes out(8 + json.size());
  for (std::size_t i = 0; i < 8; ++i)
    out[i] = static_cast<std::uint8_t>(std::uint64_t{json.size()} >> (8 * i));
  std::copy(json.begin(), json.end(), out.begin() + 8);
  return out;
}

/// Puts the data of sorted tensors one after the other; returns the end.
std::uint64_t place(std::vector<tensor_info>& sorted) {
  std::uint64_t end = 0;
  for (auto& tensor : sorted) {
    tensor.offset = end;
    end += tensor.size;
  }
  return end;
}

/// Checks that tensors cover the data without gap or overlap, each at a multiple of its element size.
result<std::uint64_t> check_places(const std::vector<tensor_info>& tensors) {
  std::vector<const tensor_info*> by_place;
  by_place.reserve(tensors.size());
  for (const auto& tensor : tensors)
    by_place.push_back(&tensor);
  std::sort(by_place.begin(), by_place.end(), [](const auto* a, const auto* b) {
    return a->offset != b->offset ? a->offset < b->offset : a->size < b->size;
  });
  std::uint64_t end = 0;
  for (const auto* tensor : by_place) {
    if (tensor->offset != end)
      return fail(merge_errc::bad_header,
                  "model header: tensor {} begins at byte {} of the data, {} expected",
                  quote_name(tensor->name), tensor->offset, end);
    if (tensor->offset % size_of(tensor->type) != 0)
      return fail(merge_errc::bad_tensor,
                  "model header: tensor {} ({}) begins at the unaligned byte {}; write the file "
                  "again with a current safetensors",
                  quote_name(tensor->name), name_of(tensor->type), tensor->offset);
    end += tensor->size; // no overflow: offset + size was read as one 64-bit number
  }
  return end;
}

} // namespace

std::string shape_text(const tensor_shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

result<std::uint64_t> tensor_size(dtype type, const tensor_shape& shape) {
  constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
  // A zero dimension makes an empty tensor, but must not hide an overflow of the other dimensions.
  std::uint64_t count = 1;
  for (const auto dim : shape) {
    const auto factor = std::max<std::uint64_t>(dim, 1);
    if (count > limit / size_of(type) / factor)
      return fail(merge_errc::bad_tensor, "shape {} is too large", shape_text(shape));
    count *= factor;
  }
  return std::find(shape.begin(), shape.end(), 0) != shape.end() ? 0 : count * size_of(type);
}

result<model_layout> model_layout::make(std::vector<tensor_spec> specs) {
  if (specs.size() > tensor_count_max)
    return fail(merge_errc::too_large, "{} tensors; at most {} are allowed", specs.size(), tensor_count_max);
  model_layout out;
  out.tensors_.reserve(specs.size());
  std::uint64_t total = 0;
  for (auto& spec : specs) {
    if (spec.name.empty() || spec.name.size() > tensor_name_max)
      return fail(merge_errc::bad_tensor, "a tensor name has {} bytes; 1 to {} are allowed", spec.name.size(),
                  tensor_name_max);
    if (!is_utf8(spec.name)) return fail(merge_errc::bad_tensor, "a tensor name is not UTF-8");
    if (spec.name == "__metadata__")
      return fail(merge_errc::bad_tensor, "no tensor can be called '__metadata__'");
    if (spec.shape.size() > tensor_dims_max)
      return fail(merge_errc::bad_tensor, "tensor {}: {} dimensions; at most {} are allowed",
                  quote_name(spec.name), spec.shape.size(), tensor_dims_max);
    auto size = tensor_size(spec.type, spec.shape);
    if (!size) return fail_with(std::move(size).error(), fmt::format("tensor {}", quote_name(spec.name)));
    if (*size > model_size_max || (total += *size) > model_size_max)
      return fail(merge_errc::too_large, "the model has more than {} bytes", model_size_max);
    out.tensors_.push_back({std::move(spec.name), spec.type, std::move(spec.shape), 0, *size});
  }
  std::sort(out.tensors_.begin(), out.tensors_.end(), file_order);
  std::vector<std::string_view> names;
  names.reserve(out.tensors_.size());
  for (const auto& tensor : out.tensors_)
    names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  if (const auto twin = std::adjacent_find(names.begin(), names.end()); twin != names.end())
    return fail(merge_errc::bad_tensor, "two tensors are called {}", quote_name(*twin));
  out.data_size_ = place(out.tensors_);
  SWARM_CHECK(out.seal());
  out.data_offset_ = out.header_.size();
  return out;
}

result<model_layout> model_layout::parse(bytes_view file, std::uint64_t file_size) {
  if (file_size < 8 || file.size() < 8)
    return fail(merge_errc::bad_header,
                "model header: the file has {} bytes; it needs 8 for the header's length", file_size);
  const auto length = get_le64(file.first(8));
  if (length > header_size_max)
    return fail(merge_errc::bad_header, "model header: announces {} bytes; at most {} are allowed", length,
                header_size_max);
  if (length > file_size - 8 || length > file.size() - 8)
    return fail(merge_errc::bad_header, "model header: announces {} bytes, but the file ends after {}",
                length, file_size - 8);
  if (length % 8 != 0)
    return fail(
        merge_errc::bad_header,
        "model header: its length {} is no multiple of 8; write the file again with a current safetensors",
        length);
  model_layout out;
  SWARM_TRY(out.tensors_, read_header_json(as_text(file.subspan(8, length))));
  for (const auto& tensor : out.tensors_) {
    auto size = tensor_size(tensor.type, tensor.shape);
    if (!size)
      return fail_with(std::move(size).error(),
                       fmt::format("model header: tensor {}", quote_name(tensor.name)));
    if (*size != tensor.size)
      return fail(
          merge_errc::bad_tensor, "model header: tensor {} ({} {}) needs {} bytes, its data_offsets give {}",
          quote_name(tensor.name), name_of(tensor.type), shape_text(tensor.shape), *size, tensor.size);
  }
  SWARM_TRY(out.data_size_, check_places(out.tensors_));
  out.data_offset_ = 8 + length;
  if (out.data_size_ != file_size - out.data_offset_)
    return fail(merge_errc::bad_header, "model header: describes {} bytes of data, but the file has {}",
                out.data_size_, file_size - out.data_offset_);
  std::sort(out.tensors_.begin(), out.tensors_.end(), file_order);
  SWARM_CHECK(out.seal());
  return out;
}

result<> model_layout::seal() {
  auto placed = tensors_;
  place(placed);
  header_ = make_header(placed);
  if (header_.size() - 8 > header_size_max)
    return fail(merge_errc::too_large, "the names of all tensors take {} bytes; at most {} are allowed",
                header_.size(), header_size_max);
  digest_ = sha256(header_);
  return {};
}

const tensor_info* model_layout::find(std::string_view name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const auto& t) { return t.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

model_layout model_layout::canonical() const {
  auto out = *this;
  place(out.tensors_);
  out.data_offset_ = header_.size();
  return out;
}

std::string difference(const model_layout& expected, const model_layout& other) {
  if (expected == other) return {};
  constexpr std::size_t named_max = 3;
  std::vector<std::string> found;
  std::size_t count = 0;
  const auto note = [&](std::string text) {
    if (++count <= named_max) found.push_back(std::move(text));
  };
  const auto by_name = [](const model_layout& layout) {
    std::vector<const tensor_info*> out;
    for (const auto& tensor : layout.tensors())
      out.push_back(&tensor);
    std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    return out;
  };
  const auto left = by_name(expected), right = by_name(other);
  for (std::size_t i = 0, j = 0; i < left.size() || j < right.size();) {
    const int order = i == left.size() ? 1 : j == right.size() ? -1 : left[i]->name.compare(right[j]->name);
    if (order < 0) {
      note(fmt::format("{} is missing", quote_name(left[i++]->name)));
    } else if (order > 0) {
      note(fmt::format("{} is extra", quote_name(right[j++]->name)));
    } else {
      const auto& a = *left[i++];
      const auto& b = *right[j++];
      if (a.shape != b.shape) {
        note(fmt::format("{} has shape {} instead of {}", quote_name(a.name), shape_text(b.shape),
                         shape_text(a.shape)));
      } else if (a.type != b.type) {
        note(fmt::format("{} has dtype {} instead of {}", quote_name(a.name), name_of(b.type),
                         name_of(a.type)));
      }
    }
  }
  auto text = fmt::format("{}", fmt::join(found, "; "));
  if (count > named_max) text += fmt::format("; and {} more", count - named_max);
  return text;
}

} // namespace swarm::merge
