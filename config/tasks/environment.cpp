#include "config/tasks/environment.hpp"

#include <functional>
#include <map>
#include <string_view>

namespace swarm::tasks {

environment merged(std::initializer_list<std::span<const environment_variable>> of) {
  environment out;
  std::map<std::string_view, std::size_t> where;
  for (const auto& one : of)
    for (const auto& variable : one) {
      const auto [at, is_new] = where.emplace(variable.name, out.size());
      if (is_new)
        out.push_back(variable);
      else
        out[at->second].value = variable.value;
    }
  return out;
}

} // namespace swarm::tasks
