#pragma once

#include "base/bytes.hpp"
#include "transport/ml_channel/wire.hpp"

#include <cstdint>
#include <span>
#include <string_view>

/// The Weights message: a map of names to NDArrays. Private to this folder.
namespace swarm::ml {

/// Reads the map; views point into `body`. Refuses more than array_count_max arrays, bad and repeated names.
result<weights_view> decode_weights(bytes_view body);

/// Appends field `number` of type Weights with its data, or nothing when there are no arrays.
void put_weights(bytes& out, std::uint32_t number, const weights_view& weights);

/// Whether these bytes are a file name, which a 2.3 client sends in place of Weights.
bool is_file_name(bytes_view body);

/// Encodes one map entry except its data: `data_size` bytes of data must follow what `put` appends.
struct entry_encoder {
  std::string_view name;
  std::string_view dtype;
  std::span<const std::uint64_t> shape;
  std::uint64_t data_size = 0;

  /// The bytes of the entry in the Weights message, including its tag, its length and the data.
  std::uint64_t size() const;
  void put(bytes& out) const;

private:
  std::uint64_t shape_size() const;
  std::uint64_t array_size() const;
  std::uint64_t entry_size() const;
};

} // namespace swarm::ml
