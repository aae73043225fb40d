#pragma once

#include "actors/swci/language/command.hpp"
#include "actors/swci/language/pattern.hpp"
#include "base/result.hpp"

#include <functional>
#include <span>

/// The one table of commands: parser, completion, help and the operator's guide are made from it.
namespace swarm::swci {

struct command_spec {
  pattern how;
  std::string_view help;      ///< whole sentences, for people
  bool needs_context = false; ///< it asks an SN
  std::size_t makes = 0;      ///< the alternative of `command`
  /// Fails with errc::invalid when an argument is not what its hole asks for.
  std::function<result<command>(std::span<const argument>)> make;
};

struct command_area {
  std::string_view title;
  std::vector<command_spec> commands;
};

const std::vector<command_area>& command_areas();
const std::vector<const command_spec*>& all_commands();

/// True for a command that asks an SN, so that there has to be a default context.
bool needs_context(const command& what);

/// The commands whose keywords begin with these words, in any case; all for none.
std::vector<const command_spec*> commands_beginning_with(std::span<const std::string> words);

/// The name that words which begin no command are most like; empty when they are like none.
std::string nearest_command(std::span<const std::string> words);
/// "; did you mean LIST NODES?", or how to get help when the name is empty.
std::string hint(std::string_view name);

/// What `ls` knows of the options of its namesake.
inline constexpr std::string_view ls_options = "lahrtS1A";

} // namespace swarm::swci
