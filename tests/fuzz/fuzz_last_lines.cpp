// What a SWOP that nobody vouches for answers to a SWCI, and what a client asks a SWOP for.
#include "actors/swop/lines/last_lines.hpp"
#include "actors/swop/lines/own_log.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"

using namespace swarm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_text({data, size});
  (void)swop::decode_refusal(text);
  if (const auto wish = swop::wish_of_target(text))
    SWARM_ASSERT(swop::wish_of_target(swop::lines_target(*wish)) == wish);
  (void)swop::after_of_target(text);
  if (const auto log = swop::decode_own_log(text))
    SWARM_ASSERT(swop::decode_own_log(swop::encode_own_log(*log)));
  const auto programs = swop::decode_last_lines(text);
  if (!programs) return 0;
  for (const auto& each : *programs) {
    SWARM_ASSERT(each.lines.size() <= swop::last_lines_max);
    for (const auto& line : each.lines)
      SWARM_ASSERT(line.size() <= swop::last_line_bytes_max);
  }
  const auto again = swop::encode_last_lines(*programs);
  SWARM_ASSERT(again.size() <= swop::last_lines_body_bytes_max);
  SWARM_ASSERT(swop::decode_last_lines(again).has_value());
  return 0;
}
