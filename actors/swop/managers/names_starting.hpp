#pragma once

#include <mutex>
#include <set>
#include <string>

namespace swarm::managers {

/// Programs that a manager is starting at this moment: what is not to be seen of them yet is no fault. All functions may
/// be called from any thread.
class names_starting {
public:
  /// As long as it exists its name is among them.
  class mark {
  public:
    mark(names_starting& of, std::string name) : of_(of), name_(std::move(name)) {
      const std::lock_guard lock(of_.mutex_);
      of_.names_.insert(name_);
    }
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;
    ~mark() {
      const std::lock_guard lock(of_.mutex_);
      of_.names_.erase(of_.names_.find(name_));
    }

  private:
    names_starting& of_;
    std::string name_;
  };

  bool contains(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return names_.contains(name);
  }

private:
  mutable std::mutex mutex_;
  std::multiset<std::string> names_;
};

} // namespace swarm::managers
