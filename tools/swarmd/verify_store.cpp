#include "tools/swarmd/verify_store.hpp"

#include "contracts/contracts.hpp"
#include "ledger/chain/store_check.hpp"

#include <cstdio>

namespace swarm {

int verify_store(const std::filesystem::path& dir, bool repair) {
  ledger::store_check_options options{.dir = dir, .contracts = contracts::make_contracts(), .progress = {}};
  options.progress = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  const auto report = repair ? ledger::repair_store(options) : ledger::check_store(options);
  if (!report) {
    std::printf("%s\n", report.error().message.c_str());
    return 1;
  }
  for (const auto& finding : report->findings)
    std::printf("%s\n", to_string(finding).c_str());
  std::printf("%s: %s\n", dir.c_str(), verdict(*report).c_str());
  return report->sound() ? 0 : 1;
}

} // namespace swarm
