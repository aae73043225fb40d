#include "transport/ml_channel/weights.hpp"

#include "merge/model/header_json.hpp"
#include "transport/ml_channel/proto.hpp"
#include "transport/ml_channel/weights_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace swarm::ml {

using merge::dtype;

namespace {

// The names are in the order of merge::dtype.
constexpr std::array<std::string_view, 13> numpy_names{
    "dtype('bool')",    "dtype('uint8')",    "dtype('int8')",  "dtype('int16')",  "dtype('uint16')",
    "dtype('float16')", "dtype('bfloat16')", "dtype('int32')", "dtype('uint32')", "dtype('float32')",
    "dtype('float64')", "dtype('int64')",    "dtype('uint64')"};

template <class T>
double as_double(bytes_view raw) {
  T value;
  std::memcpy(&value, raw.data(), sizeof(T));
  return static_cast<double>(value);
}

double scalar_of(dtype type, bytes_view raw) {
  switch (type) {
  case dtype::u8:
    return as_double<std::uint8_t>(raw);
  case dtype::i8:
    return as_double<std::int8_t>(raw);
  case dtype::i16:
    return as_double<std::int16_t>(raw);
  case dtype::u16:
    return as_double<std::uint16_t>(raw);
  case dtype::i32:
    return as_double<std::int32_t>(raw);
  case dtype::u32:
    return as_double<std::uint32_t>(raw);
  case dtype::i64:
    return as_double<std::int64_t>(raw);
  default:
    return as_double<std::uint64_t>(raw);
  }
}

/// What is stored for one array: its own bytes, or those of a converted scalar.
struct stored_array {
  merge::tensor_spec spec;
  bytes_view data;
  std::array<std::uint8_t, 8> scalar{};
};

result<> convert(const ndarray_view& from, stored_array& to) {
  const auto name = merge::quote_name(from.name);
  auto type = parse_numpy_dtype(from.dtype);
  if (!type) return fail_with(std::move(type).error(), fmt::format("parameter {}", name));
  to.spec = {std::string(from.name), *type, {from.shape.begin(), from.shape.end()}};
  auto size = merge::tensor_size(*type, to.spec.shape);
  if (!size) return fail(wire_errc::bad_weights, "parameter {}: {}", name, size.error().message);
  if (*size != from.data.size())
    return fail(wire_errc::bad_weights, "parameter {}: shape {} of {} needs {} bytes, {} came", name,
                merge::shape_text(to.spec.shape), from.dtype, *size, from.data.size());
  to.data = from.data;
  if (from.shape.empty() && merge::is_integer(*type)) {
    const auto value = scalar_of(*type, from.data);
    std::memcpy(to.scalar.data(), &value, sizeof(value));
    to.spec.type = dtype::f64;
    to.data = to.scalar;
  }
  return {};
}

} // namespace

result<dtype> parse_numpy_dtype(std::string_view text) {
  const auto found = std::find(numpy_names.begin(), numpy_names.end(), text);
  if (found != numpy_names.end()) return static_cast<dtype>(found - numpy_names.begin());
  return fail(wire_errc::bad_weights,
              "the dtype {} cannot be shared; use bool, bfloat16, or a float or integer of 8 to 64 bits, "
              "little endian",
              merge::quote_name(text));
}

std::string_view numpy_dtype(dtype type) {
  return numpy_names[static_cast<std::size_t>(type)];
}

result<std::shared_ptr<const merge::model_file>> store_weights(const weights_view& weights,
                                                               merge::model_store& store) {
  if (weights.empty())
    return fail(wire_errc::bad_weights, "the program sent no parameters; a model must have at least one");
  std::deque<stored_array> arrays; // its elements never move, so views of converted scalars stay valid
  std::unordered_map<std::string_view, const stored_array*> by_name;
  std::vector<merge::tensor_spec> specs;
  for (const auto& array : weights) {
    SWARM_CHECK(convert(array, arrays.emplace_back()));
    by_name[array.name] = &arrays.back();
    specs.push_back(arrays.back().spec);
  }
  SWARM_TRY(const auto layout, merge::model_layout::make(std::move(specs)));
  std::vector<bytes_view> data;
  data.reserve(arrays.size());
  for (const auto& tensor : layout.tensors())
    data.push_back(by_name.at(tensor.name)->data);
  return store.put(layout, data);
}

namespace {

/// The header of the model in the program's memory, which must be the canonical one, and its layout.
result<merge::model_layout> read_layout(const program_memory& memory, const memory_place& place) {
  SWARM_TRY(const auto held, memory.held());
  if (place.slot < 0 || place.slot >= program_memory::slots || place.size > memory.slot_size()
      || place.size > held)
    return fail(wire_errc::bad_memory,
                "a model of {} bytes in slot {}; the program's memory has {} in each of its {}, "
                "and {} in all that are used",
                place.size, place.slot, memory.slot_size(), program_memory::slots, held);
  bytes header(8);
  if (place.size < header.size())
    return fail(wire_errc::bad_memory, "a model file of {} bytes; it has a header", place.size);
  SWARM_CHECK(memory.read(place.slot, 0, header));
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;)
    length = length << 8 | header[i];
  if (length > std::min(merge::header_size_max, place.size - 8))
    return fail(wire_errc::bad_memory, "a model file of {} bytes whose header has {}", place.size, length);
  header.resize(8 + length);
  SWARM_CHECK(memory.read(place.slot, 8, std::span(header).subspan(8)));
  SWARM_TRY(auto layout, merge::model_layout::parse(header, place.size));
  if (layout.tensors().empty())
    return fail(wire_errc::bad_weights, "the program sent no parameters; a model must have at least one");
  if (layout.canonical_header() != header)
    return fail(wire_errc::bad_memory,
                "the model in the program's memory is not laid out as model files are");
  for (const auto& tensor : layout.tensors())
    if (tensor.shape.empty() && merge::is_integer(tensor.type))
      return fail(wire_errc::bad_weights, "parameter {}: an integer without dimensions must come as float64",
                  merge::quote_name(tensor.name));
  return layout;
}

} // namespace

result<std::shared_ptr<const merge::model_file>>
store_weights(const program_memory& memory, const memory_place& place, merge::model_store& store) {
  SWARM_TRY(const auto layout, read_layout(memory, place));
  const auto& header = layout.canonical_header();
  SWARM_TRY(auto writer, store.create(place.size));
  SWARM_CHECK(writer.fill([&](std::uint64_t offset, std::span<std::uint8_t> into) -> result<> {
    if (offset < header.size()) { // the one that was checked
      const auto count = std::min<std::uint64_t>(into.size(), header.size() - offset);
      std::copy_n(header.data() + offset, count, into.data());
      into = into.subspan(count);
      offset += count;
    }
    return memory.read(place.slot, offset, into);
  }));
  return writer.finish();
}

result<outgoing> encode_loss_request(const loss_request& request,
                                     std::shared_ptr<const merge::model_file> model) {
  const auto& tensors = model->layout().tensors();
  const auto entry_of = [](const merge::tensor_info& tensor) {
    return entry_encoder{tensor.name, numpy_dtype(tensor.type), tensor.shape, tensor.size};
  };
  std::uint64_t weights_size = 0;
  for (const auto& tensor : tensors)
    weights_size += entry_of(tensor).size();
  // One buffer holds all that is not tensor data; it is noted where the data of each tensor goes.
  auto text = std::make_shared<bytes>(encode(loss_request{.session_id = request.session_id,
                                                          .sync_seq_num = request.sync_seq_num,
                                                          .loss_seq_num = request.loss_seq_num,
                                                          .ahead = request.ahead,
                                                          .goes_back = request.goes_back}));
  proto::put_tag(*text, 4, proto::wire_type::bytes);
  proto::put_varint(*text, weights_size);
  if (text->size() + weights_size > body_size_max)
    return fail(wire_errc::oversize,
                "the model needs a message of {} bytes to the program; the channel carries at most {}",
                text->size() + weights_size, body_size_max);
  std::vector<std::size_t> ends;
  ends.reserve(tensors.size());
  for (const auto& tensor : tensors) {
    entry_of(tensor).put(*text);
    ends.push_back(text->size());
  }
  outgoing out;
  out.type = msg_type::get_loss_request;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto data = model->data(tensors[i]);
    if (data.empty()) continue; // its text joins that of the next tensor
    out.pieces.push_back(bytes_view(*text).subspan(begin, ends[i] - begin));
    out.pieces.push_back(data);
    begin = ends[i];
  }
  if (begin < text->size()) out.pieces.push_back(bytes_view(*text).subspan(begin));
  for (const auto& piece : out.pieces)
    out.size += piece.size();
  out.keep_alive = {std::move(text), std::move(model)};
  return out;
}

} // namespace swarm::ml
