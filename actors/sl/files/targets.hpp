#pragma once

#include "base/bytes.hpp"

#include <fmt/format.h>

#include <string>

/// Where a model is on the file server of an SL that has it (model_server.hpp).
namespace swarm::actors {

inline constexpr std::string_view models_prefix = "/models/", manifest_suffix = "/manifest";

inline std::string model_target(const hash32& digest) {
  return fmt::format("{}{}", models_prefix, to_hex(digest.view(), false));
}
inline std::string manifest_target(const hash32& digest) {
  return fmt::format("{}{}", model_target(digest), manifest_suffix);
}

} // namespace swarm::actors
