#pragma once

#include "transport/http/http.hpp"

#include <fmt/format.h>

#include <string>

/// Where a model is on the file server of an SL that has it (model_server.hpp), and what a client says of
/// itself.
namespace swarm::actors {

inline constexpr std::string_view models_prefix = "/models/", manifest_suffix = "/manifest",
                                  layout_suffix = "/layout", chunks_suffix = "/chunks",
                                  shards_prefix = "/shards/", data_suffix = "/data";
/// Which swarmd this is, as a text, for whoever is trusted with a connection.
inline constexpr std::string_view version_target = "/version";
/// The client's account, which must be registered with the certificate that it shows.
inline constexpr std::string_view account_header = "Swarm-Account";
/// The number of the newest block that the client has seen.
inline constexpr std::string_view block_header = "Swarm-Block";

inline std::string model_target(const hash32& digest) {
  return fmt::format("{}{}", models_prefix, to_hex(digest.view(), false));
}
inline std::string manifest_target(const hash32& digest) {
  return fmt::format("{}{}", model_target(digest), manifest_suffix);
}
inline std::string layout_target(const hash32& digest) {
  return fmt::format("{}{}", model_target(digest), layout_suffix);
}
inline std::string chunks_target(const hash32& digest) {
  return fmt::format("{}{}", model_target(digest), chunks_suffix);
}
/// The digests of the chunks of a run of a merge that the node has made and that begins with chunk `first`, and its bytes.
inline std::string shard_target(std::uint64_t first) {
  return fmt::format("{}{}", shards_prefix, first);
}
inline std::string shard_data_target(std::uint64_t first) {
  return fmt::format("{}{}", shard_target(first), data_suffix);
}
inline transport::http_headers headers_of_asker(const address& account, std::uint64_t block_num) {
  return {{std::string(account_header), to_hex(account.view())},
          {std::string(block_header), fmt::format("{}", block_num)}};
}

} // namespace swarm::actors
