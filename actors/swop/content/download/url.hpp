#pragma once

#include "actors/swop/content/errors.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace swarm::content {

/// The variables that a person would export: proxies, certificates. Never the process's own.
using environment = std::map<std::string, std::string, std::less<>>;

/// An address that was taken apart.
struct url {
  std::string text;           ///< as it goes to the server, credentials included: not for messages
  std::string scheme;         ///< "http", "https" or "file"
  std::string host;           ///< as in messages, with the port if one is given; empty for files
  std::filesystem::path path; ///< of a file
  std::string shown;          ///< without credentials and without what stands behind a '?'; for messages
};

/// Reads an address of one of the three schemes, or an absolute path, which is a file's.
result<url> read_url(std::string_view text);

/// The proxy for a scheme, and the hosts that do without one, as curl takes them from an environment.
struct proxy_rules {
  std::string proxy; ///< may hold credentials; empty: none
  std::string not_for;
};
proxy_rules proxy_for(std::string_view scheme, const environment& from);

} // namespace swarm::content
