#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::actors {

/// What is between blanks.
std::vector<std::string> words_of(std::string_view text);

/// A size as Docker's command line takes it: "64m", "8gb", "100". None when it is not one, or nothing.
std::optional<std::uint64_t> bytes_of(std::string_view text);

} // namespace swarm::actors
