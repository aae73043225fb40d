// SWOP profiles: any bytes yield a profile that holds its promises, or messages fit for a terminal.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "config/tasks/swop_profile.hpp"

#include <algorithm>
#include <set>

using namespace swarm;

namespace {

void check_message(const std::string& text) {
  SWARM_ASSERT(!text.empty());
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  SWARM_ASSERT(std::none_of(text.begin(), text.end(), control));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = tasks::read_swop_profile(as_text({data, size}), "p.yaml");
  SWARM_ASSERT(read.value.has_value() == read.errors.empty());
  SWARM_ASSERT(read.errors.size() <= schema::findings_max);
  for (const auto& warning : read.warnings)
    check_message(schema::told(warning, "p.yaml"));
  if (!read.value) {
    check_message(read.value.error().message);
    return 0;
  }
  std::set<std::uint16_t> numbers;
  for (const auto& node : read.value->nodes)
    SWARM_ASSERT(numbers.insert(node.index).second);
  return 0;
}
