// YAML profiles: any bytes yield a profile or messages fit for a terminal.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "config/sources/profile.hpp"

#include <algorithm>

using namespace swarm;

namespace {

void check_message(const std::string& text) {
  SWARM_ASSERT(!text.empty());
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  SWARM_ASSERT(std::none_of(text.begin(), text.end(), control));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  config::problems found;
  const auto profile = config::read_profile(as_text({data, size}), "/srv/swarm/host.yaml", found);
  if (!profile) {
    check_message(profile.error().message);
    return 0;
  }
  for (const auto& [role, sections] : profile->roles)
    SWARM_ASSERT(sections.size() <= config::roles_max);
  if (const auto outcome = found.outcome(); !outcome) check_message(outcome.error().message);
  return 0;
}
