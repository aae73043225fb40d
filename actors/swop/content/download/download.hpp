#pragma once

#include "actors/swop/content/download/url.hpp"
#include "base/bytes.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <vector>

namespace swarm::content {

struct download_limits {
  std::uint64_t bytes_max = std::uint64_t{64} << 30;
  std::chrono::seconds time_max{6 * 3600};
  std::chrono::milliseconds connect_time_max{30'000};
  /// Fewer bytes a second than this, over `slow_time_max`, is too slow.
  std::uint64_t speed_min = 1024;
  std::chrono::seconds slow_time_max{60};
  unsigned redirects_max = 10;
  /// Tries in a row that bring less than a megabyte each.
  unsigned tries_max = 5;
  std::chrono::milliseconds pause_first{1000};
  std::chrono::milliseconds pause_max{30'000};
};

struct download_request {
  std::string address; ///< http, https, file, or an absolute path
  std::filesystem::path to;
  /// Where the file lies until it is complete, on the same file system as `to`. After a failure it stays there
  /// if a later try can go on with it.
  std::filesystem::path partial;
  std::optional<hash32> sha256;
  /// Files and folders that a file: address may lead to, once symbolic links are followed.
  std::vector<std::filesystem::path> allowed;
  environment variables;
};

struct download_progress {
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> bytes_expected;
  unsigned tries = 1;
  /// HTTP status of the last answer that was an error; below 100 libcurl's number for what went wrong with a try.
  std::uint64_t trouble = 0;
};
using on_download_progress = std::function<void(const download_progress&)>;

struct download_report {
  std::uint64_t bytes = 0;
  std::uint64_t resumed_from = 0; ///< bytes that an earlier call had left
  unsigned tries = 1;
};

/// Fetches a file and puts it under its name once it is complete, checked and on the disk. Blocks; ends soon after
/// `stop` is requested. Broken connections and servers' passing troubles are tried again, from where they broke off.
/// Proxies (http_proxy, https_proxy, all_proxy, no_proxy) and authorities (CURL_CA_BUNDLE, SSL_CERT_FILE,
/// SSL_CERT_DIR) are those of `variables`. Redirects go to http and https only, and from https to http only if the
/// digest is given.
result<download_report> download(const download_request& what, const download_limits& limits,
                                 const std::stop_token& stop, const on_download_progress& progress = {});

} // namespace swarm::content
