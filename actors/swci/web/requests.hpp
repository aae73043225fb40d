#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What the requests of the web mode mean, and how their answers are written. Texts only, no sockets.
namespace swarm::swci {

inline constexpr std::size_t upload_bytes_max = 1024 * 1024; ///< of a task definition

namespace order {

/// POST /exec?cmd=TEXT
struct exec {
  std::string command;
};
/// POST /uploadTaskDef, a form whose part `file` is the file.
struct upload {
  std::string name; ///< fit to be a file's name in any folder
  std::string content;
};
/// POST /interrupt: what Ctrl-C is in a terminal.
struct interrupt {};

} // namespace order
using any_order = std::variant<order::exec, order::upload, order::interrupt>;

/// Why a request is no order, as an HTTP status and a text that names the remedy.
struct refusal {
  unsigned status = 400;
  std::string text;
};

struct request_text {
  std::string_view method;
  std::string_view target;       ///< as on the wire
  std::string_view content_type; ///< empty: none
  std::string_view origin;       ///< of the web page that sends it; empty: none
  std::string_view body;
};

std::variant<any_order, refusal> read_order(const request_text& from);

/// {"CONTENT": [...]}; clients take an empty list for a failure, so that there is always an element.
std::string content_json(const std::vector<std::string>& elements);

} // namespace swarm::swci
