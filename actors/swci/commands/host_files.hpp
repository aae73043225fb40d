#pragma once

#include "actors/swci/language/session/user_folder.hpp"

#include <filesystem>

namespace swarm::swci {

/// Where a path inside the user folder lies on the host, once symbolic links are followed. Fails with errc::not_found
/// when nothing is there, with errc::denied when a link leads out of the folder.
result<std::filesystem::path> existing_inside(const user_folder& folder, std::string_view inside);
/// The same for a file that is to be written: its folder exists, and no link leads out.
result<std::filesystem::path> new_inside(const user_folder& folder, std::string_view inside);

} // namespace swarm::swci
