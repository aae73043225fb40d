#include "transport/identity/certificate_facts.hpp"

namespace swarm::transport {

std::vector<std::string_view> values_of(const std::vector<name_part>& name, std::string_view type) {
  std::vector<std::string_view> out;
  for (const auto& part : name)
    if (part.type == type) out.emplace_back(part.value);
  return out;
}

} // namespace swarm::transport
