// --members files: any bytes yield rules, or messages fit for a terminal; what the rules say of a certificate is one of
// the roles that there are.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "config/members/read_members.hpp"

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
  const auto text = as_text({data, size});
  const auto read = members::read_members(text, "m.yaml");
  for (const auto& warning : read.warnings)
    check_message(schema::told(warning, "m.yaml"));
  if (!read.value) check_message(read.value.error().message);
  const auto rules = read.value ? *read.value : members::member_rules{};
  members::certificate_facts certificate, anchor;
  certificate.subject_parts = {{"CN", std::string(text.substr(0, 64))}, {"O", "Org"}};
  certificate.uris = {"spiffe://" + std::string(text.substr(0, 64))};
  const members::proved who{certificate, anchor};
  SWARM_ASSERT(!members::roles_of(who, rules).empty());
  for (const auto each : members::all_roles)
    SWARM_ASSERT(!members::refusal(who, each, rules).empty());
  return 0;
}
