#include "contracts/taskrunner/interface.hpp"

#include "base/hash.hpp"
#include "contracts/training/interface.hpp"

namespace swarm::contracts {

address taskrunner_address(std::string_view name) {
  constexpr std::string_view domain = "swarmd/taskrunner/";
  const auto hash = keccak256(fmt::format("{}{}", domain, name));
  address out;
  std::copy(hash.begin() + 12, hash.end(), out.begin());
  return out;
}

bool is_taskrunner_name(std::string_view name) {
  static_assert(taskrunner_name_bytes_max == training_name_bytes_max);
  return is_training_name(name);
}

} // namespace swarm::contracts
