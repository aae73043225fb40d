#pragma once

#include "config/roles/role.hpp"
#include "config/values.hpp"

namespace swarm::config {

template <class Member>
struct owner_of;
template <class Value, class Owner>
struct owner_of<Value Owner::*> {
  using type = Owner;
};

/// Converts and stores a text: `put<&sn_options::sn_api_port, to_port>`. A role's table is used only with
/// options of its own kind.
template <auto Member, auto Convert, class Options>
result<> put(Options& options, std::string_view text) {
  auto value = Convert(text);
  if (!value) return tl::unexpected(std::move(value).error());
  static_cast<typename owner_of<decltype(Member)>::type&>(options).*Member = std::move(*value);
  return {};
}

/// The same for the members of `identity`.
template <auto Member, auto Convert>
result<> put_identity(role_options& options, std::string_view text) {
  return put<Member, Convert>(options.identity, text);
}

/// `add` and `all` of a role whose options are in this member of `process_config`.
template <auto Member>
role_options& add_to(process_config& config) {
  return (config.*Member).emplace_back();
}
template <auto Member>
std::vector<const role_options*> all_of(const process_config& config) {
  std::vector<const role_options*> out;
  for (const auto& options : config.*Member)
    out.push_back(&options);
  return out;
}

/// A service behind a proxy that listens at the usual HTTPS port unless it says otherwise.
inline result<service> to_https_service(std::string_view text) {
  return to_service(text, 443);
}

} // namespace swarm::config
