#include "merge/model/dtype.hpp"

#include <array>

namespace swarm::merge {

namespace {

struct dtype_row {
  std::string_view name;
  std::size_t size;
};

// In the order of the enumeration.
constexpr std::array<dtype_row, 13> table{{{"BOOL", 1},
                                           {"U8", 1},
                                           {"I8", 1},
                                           {"I16", 2},
                                           {"U16", 2},
                                           {"F16", 2},
                                           {"BF16", 2},
                                           {"I32", 4},
                                           {"U32", 4},
                                           {"F32", 4},
                                           {"F64", 8},
                                           {"I64", 8},
                                           {"U64", 8}}};

} // namespace

std::size_t size_of(dtype type) {
  return table[static_cast<std::size_t>(type)].size;
}

std::string_view name_of(dtype type) {
  return table[static_cast<std::size_t>(type)].name;
}

std::optional<dtype> parse_dtype(std::string_view name) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].name == name) return static_cast<dtype>(i);
  }
  return std::nullopt;
}

bool is_floating(dtype type) {
  return type == dtype::f64 || type == dtype::f32 || type == dtype::f16 || type == dtype::bf16;
}

bool is_integer(dtype type) {
  return type != dtype::boolean && !is_floating(type);
}

} // namespace swarm::merge
