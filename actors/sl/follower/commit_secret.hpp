#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <filesystem>

namespace swarm::actors {

/// The secret from which follows what this node commits to (rounds/opening.hpp): 32 random bytes in a file that only its
/// owner reads, made by the first process and durable before anything is committed to. One that is not legible is
/// replaced: what was committed to with it cannot be revealed any more.
result<hash32> open_commit_secret(const std::filesystem::path& path);

} // namespace swarm::actors
