#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace swarm::merge {

/// Element types of a model file, in the order of the safetensors format: by rising alignment. A layout sorts
/// its tensors by falling `dtype`, so that every element of a file is aligned.
enum class dtype : std::uint8_t { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

/// Bytes per element, which are also its alignment.
std::size_t size_of(dtype type);
/// The name in a safetensors header: "F32", "BF16", "BOOL", ...
std::string_view name_of(dtype type);
std::optional<dtype> parse_dtype(std::string_view name);
/// True for F64, F32, F16, BF16.
bool is_floating(dtype type);
/// True for signed and unsigned integers, but not for BOOL.
bool is_integer(dtype type);

} // namespace swarm::merge
