#pragma once

#include "actors/swci/language/command.hpp"
#include "actors/swci/language/holes.hpp"
#include "base/result.hpp"

/// What stands in a hole, as the field of a command that it is meant for. Each fails with errc::invalid and
/// says what the hole asks for.
namespace swarm::swci {

result<> convert(const argument& from, std::string& to);
result<> convert(const argument& from, bool& to);
result<> convert(const argument& from, std::uint32_t& to);
result<> convert(const argument& from, std::uint64_t& to);
result<> convert(const argument& from, std::optional<std::uint64_t>& to);
result<> convert(const argument& from, std::chrono::milliseconds& to);
/// An `ip`, `port` or `service`: each sets its part.
result<> convert(const argument& from, sn_address& to);
/// A `count` or a `node`.
result<> convert(const argument& from,
                 std::variant<commands::with_all_peers, commands::with_peers, commands::one_swop>& to);
/// A `peer`: an index if it is all digits.
result<> convert(const argument& from, std::variant<std::uint32_t, std::string>& to);
/// `files` are options and paths.
result<> convert(const argument& from, commands::list_files& to);

} // namespace swarm::swci
