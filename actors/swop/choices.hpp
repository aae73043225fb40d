#pragma once

#include "config/options.hpp"
#include "config/tasks/swop_profile.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// What a SWOP's flags, profile and environment come to together. Nothing is opened or made but the profile read.
namespace swarm::actors {

/// What the profile's file says; the log tells what it tolerates.
result<tasks::swop_profile> read_swop_profile(const std::filesystem::path& file,
                                              const std::string& log_source);
/// Where the SN is, host:port: the profile's word counts before the flags'.
result<std::string> sn_of(const config::swop_options& options, const tasks::sn_locator& told);
/// Which manager the profile names, unless a flag does.
tasks::manager_type manager_of(const config::swop_options& options, const tasks::swop_profile& profile);
/// As the flag says, then as Docker's command line would have it, then where engines usually are.
result<std::filesystem::path> engine_socket(const config::swop_options& options);
/// The image in which SLs run.
std::string sl_image(const config::swop_options& options);

} // namespace swarm::actors
