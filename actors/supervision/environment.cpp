#include "actors/supervision/environment.hpp"

namespace swarm::actors {

void method_table::add(std::string name, admin_method method) {
  const std::lock_guard lock(mutex_);
  targets_[std::move(name)] = {std::move(method), {}};
}

void method_table::forward(std::string name, std::string path) {
  const std::lock_guard lock(mutex_);
  targets_[std::move(name)] = {nullptr, std::move(path)};
}

void method_table::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto it = targets_.find(name); it != targets_.end()) targets_.erase(it);
}

std::optional<method_table::target> method_table::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto it = targets_.find(name);
  if (it == targets_.end()) return std::nullopt;
  return it->second;
}

std::vector<std::string> method_table::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [name, unused] : targets_)
    out.push_back(name);
  return out;
}

} // namespace swarm::actors
