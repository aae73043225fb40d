#pragma once

#include "actors/swop/content/download/download.hpp"
#include "actors/swop/content/download/url.hpp"
#include "base/bytes.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace swarm::content {

/// What a server says before it sends a body.
struct answer_head {
  long status = 0;
  std::string version;                ///< strong ETag, or Last-Modified
  std::optional<std::uint64_t> bytes; ///< of this answer's body
  std::optional<std::uint64_t> first; ///< byte of the file with which the body begins, when it is a part
};

/// One request, GET, and where its answer goes.
struct exchange {
  const url* where = nullptr;
  std::uint64_t from = 0; ///< bytes that are here already
  std::string of_version; ///< to be sent again from the beginning if the file has another version now
  proxy_rules proxy;
  const environment* variables = nullptr;
  const download_limits* limits = nullptr;
  std::chrono::steady_clock::time_point deadline;
  /// Only for the answers 200 and 206.
  std::function<result<>(const answer_head&)> on_head;
  std::function<result<>(bytes_view)> on_body;
  /// libcurl's number for what made this end without an answer.
  std::function<void(std::uint64_t)> on_trouble;
};

struct exchange_outcome {
  answer_head head;
  std::string redirect; ///< the whole address, when the answer is a redirect
};

/// Carries out one request and waits for the end of its answer. A server's error is an outcome, not an error.
result<exchange_outcome> carry_out(const exchange& what, const std::stop_token& stop);

} // namespace swarm::content
