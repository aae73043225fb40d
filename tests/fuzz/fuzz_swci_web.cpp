// Requests to a SWCI's web mode, as texts: a request line, "Name: value" lines, a blank line, the body. Any bytes yield an
// order that keeps to its bounds, or a refusal fit for a terminal.
#include "actors/swci/language/render/render.hpp"
#include "actors/swci/language/words.hpp"
#include "actors/swci/web/requests.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>

using namespace swarm;
using namespace swarm::swci;

namespace {

std::string_view line_of(std::string_view& from) {
  const auto end = std::min(from.find('\n'), from.size());
  const auto out = from.substr(0, end);
  from.remove_prefix(std::min(end + 1, from.size()));
  return out;
}

request_text request_of(std::string_view text) {
  request_text out;
  const auto first = line_of(text);
  const auto blank = std::min(first.find(' '), first.size());
  out.method = first.substr(0, blank);
  out.target = first.substr(std::min(blank + 1, first.size()));
  for (auto line = line_of(text); !line.empty(); line = line_of(text)) {
    if (line.starts_with("T:")) out.content_type = line.substr(2);
    if (line.starts_with("O:")) out.origin = line.substr(2);
  }
  out.body = text;
  return out;
}

void check(const order::exec& what, const request_text& from) {
  SWARM_ASSERT(check_line(what.command));
  SWARM_ASSERT(what.command.size() <= from.target.size());
}
void check(const order::upload& what, const request_text& from) {
  SWARM_ASSERT(!what.name.empty() && what.name.size() <= 128 && what.name.front() != '.');
  SWARM_ASSERT(std::ranges::all_of(what.name, [](char c) { return c >= 0x20 && c < 0x7f && c != '/'; }));
  SWARM_ASSERT(what.content.size() <= std::min(upload_bytes_max, from.body.size()));
  SWARM_ASSERT(is_utf8(what.content) && what.content.find('\0') == std::string::npos);
}
void check(const order::interrupt&, const request_text&) {}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto from = request_of(as_text({data, size}));
  const auto read = read_order(from);
  if (const auto* no = std::get_if<refusal>(&read)) {
    SWARM_ASSERT(no->status >= 400 && no->status < 500 && !no->text.empty());
    const auto text = content_json({error_text_of(no->text)});
    SWARM_ASSERT(is_utf8(text));
    SWARM_ASSERT(boost::json::parse(text).at("CONTENT").as_array().size() == 1);
    return 0;
  }
  SWARM_ASSERT(from.method == "POST" && from.origin.empty());
  std::visit([&](const auto& what) { check(what, from); }, std::get<any_order>(read));
  return 0;
}
