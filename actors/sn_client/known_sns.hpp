#pragma once

#include "base/bytes.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace swarm::actors {

/// The small file with the SNs that the network told a node of, one endpoint a line. It is a hint: what
/// cannot be read is as good as nothing, and what it says is checked by whoever uses it.
std::vector<std::string> read_known_sns(const std::filesystem::path& file);
result<> write_known_sns(const std::filesystem::path& file, const std::vector<std::string>& endpoints);

/// The small file with the hash of the genesis block of a node's network. None: there is no such file, or it
/// holds no hash.
std::optional<hash32> read_known_genesis(const std::filesystem::path& file);
result<> write_known_genesis(const std::filesystem::path& file, const hash32& hash);
/// Tells networks apart for people: how the hash of the genesis block begins, the given one or that of the file; empty when
/// neither is there.
std::string network_name(const std::optional<hash32>& given, const std::filesystem::path& file);

} // namespace swarm::actors
