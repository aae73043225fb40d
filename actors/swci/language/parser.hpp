#pragma once

#include "actors/swci/language/command.hpp"
#include "base/result.hpp"

#include <string_view>

namespace swarm::swci {

/// What a line orders; the line is no remark (see `is_remark`). Fails with errc::not_found when no command
/// begins so, errc::limit when line or argument are too long, and errc::invalid when a word is wrong,
/// missing or too much. The message names the word and what is expected in its place.
result<command> parse(std::string_view line);

} // namespace swarm::swci
