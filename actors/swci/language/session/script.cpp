#include "actors/swci/language/session/script.hpp"

#include "actors/swci/language/words.hpp"

#include <algorithm>

namespace swarm::swci {

result<std::vector<script_line>> split_script(std::string_view bytes) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (bytes.size() > script_bytes_max)
    return fail(errc::limit, "the script has {} bytes; at most {} are taken", bytes.size(), script_bytes_max);
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  std::vector<script_line> out;
  while (!bytes.empty()) {
    auto line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto number = static_cast<std::uint32_t>(out.size() + 1);
    if (out.size() == script_lines_max)
      return fail(errc::limit, "the script has more than {} lines", script_lines_max);
    if (auto fit = check_line(line); !fit)
      return fail_with(std::move(fit).error(), fmt::format("line {}", number));
    out.push_back({number, std::string(line)});
  }
  return out;
}

} // namespace swarm::swci
