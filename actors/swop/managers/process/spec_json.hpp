#pragma once

#include "actors/swop/managers/program_spec.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace swarm::managers {

/// What a specification may be at most, as text. Both readers refuse more.
constexpr std::uint64_t spec_bytes_max = 1024 * 1024;

/// Whether `name` can be a program's: 1 to 100 letters, digits, '.', '_' and '-', the first a letter or digit.
bool is_program_name(std::string_view name);

/// Checks the rules of `program_spec`; paths are not looked at. Fails with errc::invalid, naming what is wrong.
result<> check_spec(const program_spec& spec);

/// As JSON. Values are in the order of the struct, so the same specification is the same text.
std::string write_spec(const program_spec& spec);

/// The way back: no key may be missing or unknown, and `check_spec` holds. Fails with errc::invalid.
result<program_spec> read_spec(std::string_view text);

} // namespace swarm::managers
