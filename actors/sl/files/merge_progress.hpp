#pragma once

#include "base/result.hpp"
#include "transport/http/http_client.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace swarm::actors {

/// How far a merge is that a node leads: the answer to GET /merge, a JSON object with these members.
struct merge_progress {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint64_t progress = 0; ///< only its change means something

  bool operator==(const merge_progress&) const = default;
};

/// The longest answer; no more of a longer one is kept.
inline constexpr std::size_t merge_progress_bytes_max = 512;

std::string encode(const merge_progress& progress);
/// Reads an answer; unknown members are ignored. Errors are errc::limit (too long) and errc::invalid.
result<merge_progress> decode_merge_progress(std::string_view json);

inline constexpr std::string_view merge_progress_target = "/merge";

/// Asks the node at host:port, with `headers` that say who asks (headers_of_asker). `done` runs once, on the io threads.
void ask_merge_progress(transport::http_client& client, std::string host, std::uint16_t port,
                        transport::http_headers headers, std::function<void(result<merge_progress>)> done);

} // namespace swarm::actors
