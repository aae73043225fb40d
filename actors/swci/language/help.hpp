#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::swci {

/// The names of all commands, sorted.
std::vector<std::string> command_names();

/// How the commands whose names begin so are written, and what they do; `name` is in capitals, as
/// `commands::help` has it.
std::vector<std::string> help_lines(std::string_view name);

/// All commands as Markdown tables, one for each area, as the operator's guide has them.
std::string commands_as_markdown();

} // namespace swarm::swci
