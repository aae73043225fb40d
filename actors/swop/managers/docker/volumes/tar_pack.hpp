#pragma once

#include "actors/swop/managers/docker/engine/exchange.hpp"

#include <filesystem>

namespace swarm::engine {

/// The head of a file in an archive of tar, and what follows it. No end of the archive: another one may follow.
std::string tar_of_file(std::string_view name, std::string_view content);

/// What is in a folder as an archive of tar, piece by piece. Links are links; what is neither file, folder nor link is
/// left out. Everything in it belongs to `uid` and `gid`.
body_source tar_of_folder(const std::filesystem::path& folder, std::uint32_t uid, std::uint32_t gid);

} // namespace swarm::engine
