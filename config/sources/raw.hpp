#pragma once

#include "config/options.hpp"

#include <map>

namespace swarm::config {

/// One text given for a setting and where, e.g. "--sn-api-port" or "host.yaml:3:14".
struct raw_value {
  std::string text;
  std::string origin;
};

/// The values of one source, by key. Only settings that are lists may have several.
using layer = std::map<std::string, std::vector<raw_value>, std::less<>>;

/// Collects mistakes, so that a person sees all of them at once.
class problems {
public:
  template <class... Args>
  void add(config_errc code, fmt::format_string<Args...> text, Args&&... args) {
    add(fail(code, text, std::forward<Args>(args)...).value());
  }
  void add(error problem) { found_.push_back(std::move(problem)); }
  bool empty() const { return found_.empty(); }

  /// Fails with the code of the first mistake and one line for each, the same line only once.
  result<> outcome() const;

private:
  std::vector<error> found_;
};

} // namespace swarm::config
