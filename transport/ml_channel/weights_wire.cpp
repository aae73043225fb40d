#include "transport/ml_channel/weights_wire.hpp"

#include "transport/ml_channel/proto.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace swarm::ml {

using proto::reader;
using proto::wire_type;

namespace {

constexpr std::size_t dtype_text_max = 64;

/// Reads NDArray.shape. Current clients send it packed; in the older form each number is a field of its own.
result<> read_shape(const proto::field& from, std::vector<std::uint32_t>& shape) {
  const auto add = [&](std::uint64_t dim) -> result<> {
    if (dim > std::numeric_limits<std::uint32_t>::max())
      return from.refused(wire_errc::malformed, "shape", "a dimension does not fit into 32 bits");
    if (shape.size() == array_dims_max)
      return from.refused(wire_errc::limit, "shape", fmt::format("more than {} dimensions", array_dims_max));
    shape.push_back(static_cast<std::uint32_t>(dim));
    return {};
  };
  if (from.type == wire_type::varint) return add(from.value);
  SWARM_TRY(const auto packed, from.as_bytes("shape"));
  for (std::size_t at = 0; at < packed.size();) {
    auto dim = proto::read_varint(packed, at);
    if (!dim) return from.refused(wire_errc::malformed, "shape", dim.error().message);
    SWARM_CHECK(add(*dim));
  }
  return {};
}

result<> read_array(bytes_view body, ndarray_view& to) {
  for (reader in("NDArray", body, 1u << 2); !in.done();) {
    SWARM_TRY(const auto next, in.next());
    if (next.number == 1) {
      SWARM_TRY(to.dtype, next.as_text("dtype", dtype_text_max));
    } else if (next.number == 2) {
      SWARM_CHECK(read_shape(next, to.shape));
    } else if (next.number == 3) {
      SWARM_TRY(to.data, next.as_bytes("data"));
    }
  }
  return {};
}

result<ndarray_view> read_entry(bytes_view body) {
  ndarray_view out;
  bytes_view array;
  bool has_array = false;
  for (reader in("Weights entry", body); !in.done();) {
    SWARM_TRY(const auto next, in.next());
    if (next.number == 1) {
      SWARM_TRY(out.name, next.as_text("key", array_name_max));
    } else if (next.number == 2) {
      SWARM_TRY(array, next.as_bytes("value"));
      has_array = true;
    }
  }
  if (out.name.empty()) return fail(wire_errc::malformed, "Weights: an array has no name");
  if (!has_array) return fail(wire_errc::malformed, "Weights: '{}' has no array", out.name);
  if (auto done = read_array(array, out); !done)
    return fail_with(std::move(done).error(), fmt::format("Weights, '{}'", out.name));
  return out;
}

} // namespace

result<weights_view> decode_weights(bytes_view body) {
  weights_view out;
  std::unordered_set<std::string_view> names;
  for (reader in("Weights", body, 1u << 1); !in.done();) {
    SWARM_TRY(const auto next, in.next());
    if (next.number != 1) continue;
    if (out.size() == array_count_max)
      return next.refused(wire_errc::limit, "weights", fmt::format("more than {} arrays", array_count_max));
    SWARM_TRY(const auto entry, next.as_bytes("weights"));
    SWARM_TRY(auto array, read_entry(entry));
    if (!names.insert(array.name).second)
      return fail(wire_errc::malformed, "Weights: '{}' comes twice", array.name);
    out.push_back(std::move(array));
  }
  return out;
}

bool is_file_name(bytes_view body) {
  constexpr std::size_t path_max = 4096;
  return !body.empty() && body.size() <= path_max
         && std::all_of(body.begin(), body.end(), [](std::uint8_t c) { return c >= 0x20 && c < 0x7f; });
}

std::uint64_t entry_encoder::shape_size() const {
  std::uint64_t out = 0;
  for (const auto dim : shape)
    out += proto::varint_size(dim);
  return out;
}

std::uint64_t entry_encoder::array_size() const {
  std::uint64_t out = 1 + proto::varint_size(dtype.size()) + dtype.size();
  if (!shape.empty()) out += 1 + proto::varint_size(shape_size()) + shape_size();
  if (data_size > 0) out += 1 + proto::varint_size(data_size) + data_size;
  return out;
}

std::uint64_t entry_encoder::entry_size() const {
  const auto array = array_size();
  return 1 + proto::varint_size(name.size()) + name.size() + 1 + proto::varint_size(array) + array;
}

std::uint64_t entry_encoder::size() const {
  const auto entry = entry_size();
  return 1 + proto::varint_size(entry) + entry;
}

void entry_encoder::put(bytes& out) const {
  const auto put_length = [&](std::uint32_t number, std::uint64_t size) {
    proto::put_tag(out, number, wire_type::bytes);
    proto::put_varint(out, size);
  };
  put_length(1, entry_size());
  proto::put_message(out, 1, as_bytes(name));
  put_length(2, array_size());
  proto::put_message(out, 1, as_bytes(dtype));
  if (!shape.empty()) {
    put_length(2, shape_size());
    for (const auto dim : shape)
      proto::put_varint(out, dim);
  }
  if (data_size > 0) put_length(3, data_size);
}

void put_weights(bytes& out, std::uint32_t number, const weights_view& weights) {
  if (weights.empty()) return;
  bytes inner;
  for (const auto& array : weights) {
    const std::vector<std::uint64_t> shape(array.shape.begin(), array.shape.end());
    entry_encoder{array.name, array.dtype, shape, array.data.size()}.put(inner);
    append(inner, array.data);
  }
  proto::put_message(out, number, inner);
}

} // namespace swarm::ml
