// Files of policyuri: any bytes yield rules, or messages fit for a terminal; every task is taken or refused with a message.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "config/tasks/task_policy.hpp"

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
  const auto read = tasks::read_task_policy(as_text({data, size}), "p.yaml");
  for (const auto& warning : read.warnings)
    check_message(schema::told(warning, "p.yaml"));
  if (!read.value) {
    check_message(read.value.error().message);
    return 0;
  }
  for (const auto* organisation : {"", "Hospital A", "Clinic 7"}) {
    const auto verdict = tasks::allows(*read.value, organisation, tasks::task_type::run_swarm);
    if (!verdict) check_message(verdict.error().message);
  }
  return 0;
}
