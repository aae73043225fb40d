#include "actors/swci/language/session/contexts.hpp"

#include "base/endpoint.hpp"

namespace swarm::swci {

result<> context_list::may_add(const std::string& name, const sn_address& sn) const {
  const auto found = all_.find(name);
  if (found != all_.end() && found->second.sn != sn)
    return fail(errc::conflict, "there is a context '{}' already, with {}; choose another name", name,
                host_port(found->second.sn.host, found->second.sn.port));
  if (found == all_.end() && all_.size() == contexts_max)
    return fail(errc::limit, "there are {} contexts, and no more are possible in one session", contexts_max);
  return {};
}

result<> context_list::add(const std::string& name, const sn_address& sn) {
  SWARM_CHECK(may_add(name, sn));
  all_[name].sn = sn;
  return {};
}

result<> context_list::make_default(const std::string& name) {
  SWARM_TRY(default_, named(name));
  return {};
}

result<> context_list::set_variable(const std::string& context, const std::string& variable,
                                    const std::string& text) {
  SWARM_TRY(const auto name, named(context));
  auto& variables = all_.at(name).variables;
  if (variables.size() == variables_max && !variables.contains(variable))
    return fail(errc::limit, "context '{}' has {} variables, and no more are possible", name, variables_max);
  variables[variable] = text;
  return {};
}

result<std::string> context_list::named(const std::string& name) const {
  if (name.empty() && default_.empty())
    return fail(errc::not_found, "there is no default context: {}",
                all_.empty() ? "CREATE CONTEXT <context> WITH IP <ip>, then SWITCH CONTEXT <context>"
                             : "choose one of LIST CONTEXTS with SWITCH CONTEXT <context>");
  const auto& wanted = name.empty() ? default_ : name;
  if (!all_.contains(wanted))
    return fail(errc::not_found, "there is no context '{}'; LIST CONTEXTS shows those that there are",
                wanted);
  return wanted;
}

} // namespace swarm::swci
