#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The places of a command that an operator fills in.
namespace swarm::swci {

enum class hole_kind {
  context,
  contract,
  task,
  taskrunner,
  organisation,
  node,
  peer,
  file,
  folder,
  files,
  ip,
  port,
  service,
  retries,
  seconds,
  count,
  line_num,
  round,
  variable,
  value,
  text,
  task_type,
  on_off,
  seat,
  limit,
  line,
  topic
};

struct hole_info {
  std::string_view name; ///< as patterns spell it
  std::string_view what; ///< what belongs there, for people
  std::uint64_t min = 0; ///< of a number, else 0
  std::uint64_t max = 0;
  std::vector<std::string_view> choices; ///< in capitals; empty: anything
};

const hole_info& info_of(hole_kind kind);
/// None when no kind has this name.
std::optional<hole_kind> hole_kind_named(std::string_view name);
/// True for those that take all words that are left.
bool takes_all_words(hole_kind kind);

/// A hole in one command.
struct hole {
  std::string name;
  hole_kind kind = hole_kind::text;
  std::size_t index = 0; ///< among the holes of the command

  bool operator==(const hole&) const = default;
};

/// What stands in a hole: one word, or several where the kind takes all.
struct argument {
  hole where;
  std::vector<std::string> words;
};

} // namespace swarm::swci
