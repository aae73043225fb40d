#pragma once

#include "actors/swci/language/command.hpp"
#include "base/result.hpp"

#include <map>

namespace swarm::swci {

/// The contexts of one session, by name.
class context_list {
public:
  static constexpr std::size_t contexts_max = 64;
  static constexpr std::size_t variables_max = 256; ///< of one context

  struct entry {
    sn_address sn;
    std::map<std::string, std::string> variables;
  };

  /// Whether `add` would take it. Fails with errc::conflict when the name stands for another SN,
  /// errc::limit when there are too many.
  result<> may_add(const std::string& name, const sn_address& sn) const;
  /// A context that is there already keeps its variables.
  result<> add(const std::string& name, const sn_address& sn);
  result<> make_default(const std::string& name);
  result<> set_variable(const std::string& context, const std::string& variable, const std::string& value);

  /// The name, or that of the default context when it is empty. Fails with errc::not_found when there is no
  /// such context, and says how to make one.
  result<std::string> named(const std::string& name) const;
  const std::map<std::string, entry>& all() const { return all_; }
  /// Empty: there is none.
  const std::string& default_name() const { return default_; }

private:
  std::map<std::string, entry> all_;
  std::string default_;
};

} // namespace swarm::swci
