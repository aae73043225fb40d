#pragma once

#include "base/result.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

namespace swarm::engine {

/// Why an engine did not do what it was asked.
enum class engine_errc {
  absent = 1, ///< nobody serves the socket
  forbidden,  ///< this user may not open the socket
  too_old,    ///< it speaks none of the versions that we know
  died,       ///< the connection ended in the middle
  timeout,
  stopped,         ///< by the caller
  not_found,       ///< it knows no such container, image, volume or network
  conflict,        ///< a name is taken, or a container is in the wrong state
  no_such_command, ///< a container's program is not there, or cannot be executed
  refused,         ///< it takes the request for wrong
  failed,          ///< it could not do it; the message is the engine's
  bad_answer,      ///< it says what no engine says
  too_large,       ///< it says more than we take
};
constexpr std::string_view error_category(engine_errc) {
  return "engine";
}

/// Gives the next piece of a request's body; an empty one ends it.
using body_source = std::function<result<std::string>()>;
/// Takes the next piece of an answer's body; false: that was enough.
using body_sink = std::function<result<bool>(std::string_view)>;

struct request {
  std::string verb = "GET";
  std::string target; ///< path and query, encoded
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers;
  std::string body;
  body_source more_body; ///< for bodies of unknown length, in place of `body`
};

/// How long an engine may take. Zero: as long as it likes, for streams that have nothing to say.
struct patience {
  std::chrono::milliseconds head{30'000};    ///< until an answer begins
  std::chrono::milliseconds silence{30'000}; ///< between two pieces of its body
};

struct answer {
  unsigned status = 0;
  std::map<std::string, std::string, std::less<>> headers; ///< names in lower case
  std::string body; ///< empty where a sink took it; of an answer that is an error it is always here
};

/// One request over the Unix socket `socket`, on a connection of its own. Blocks. Fails where there is no whole answer;
/// what status it has is the caller's business.
result<answer> exchange(const std::filesystem::path& socket, const request& what, const patience& how_long,
                        const std::stop_token& stop = {}, const body_sink& sink = {});

constexpr std::size_t body_bytes_max = 16 * 1024 * 1024;

} // namespace swarm::engine
