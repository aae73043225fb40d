#pragma once

#include "merge/model/layout.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace swarm::merge {

/// Reads the JSON text of a safetensors header: an object of tensors, each with dtype, shape and
/// data_offsets, and optionally "__metadata__" (texts only, dropped). It is strict (RFC 8259): no duplicate
/// keys, no other kinds of values, numbers are plain decimal integers, and only spaces may follow the object.
/// Limits of names, counts and dimensions are checked, the meaning of offsets is not: `size` is end - begin.
result<std::vector<tensor_info>> read_header_json(std::string_view text);

/// The text that safetensors writers produce for these tensors in this order, without padding.
std::string write_header_json(const std::vector<tensor_info>& tensors);

/// A name as it appears in messages: quoted, control characters replaced, cut when long.
std::string quote_name(std::string_view name);

} // namespace swarm::merge
