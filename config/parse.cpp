#include "config/parse.hpp"

#include "config/keys.hpp"
#include "config/roles/shared.hpp"
#include "config/sources/flags.hpp"
#include "config/sources/profile.hpp"
#include "config/sources/yaml_tree.hpp"
#include "config/validate.hpp"
#include "config/values.hpp"
#include "transport/proxy/proxy.hpp"

#include <algorithm>
#include <array>

namespace swarm::config {

namespace {

/// The sources of one run, strongest first.
struct sources {
  flag_values flags;
  config::profile profile;
  layer environment;
};

/// One role to start: its own section of the profile, and its number among its kind, from 1.
struct instance {
  const role_spec* role;
  layer own;
  std::size_t number = 1;
};

/// The value of the first layer that has the key.
template <std::size_t N>
const std::vector<raw_value>* first_of(std::string_view key, const std::array<const layer*, N>& layers) {
  for (const auto* l : layers)
    if (const auto found = l->find(key); found != l->end() && !found->second.empty()) return &found->second;
  return nullptr;
}

std::string joined(const std::vector<raw_value>& values) {
  std::string out;
  for (const auto& value : values)
    out += (out.empty() ? "" : ",") + value.text;
  return out;
}

/// Converts one setting into `options`, or leaves the default.
template <class Options>
void take(std::string_view key, result<> (*into)(Options&, std::string_view),
          const std::vector<raw_value>* values, Options& options, problems& found) {
  if (!values) return;
  for (const auto& [text, origin] : *values)
    if (auto stored = into(options, text); !stored)
      found.add(fail_with(std::move(stored).error(),
                          origin.starts_with("--") ? origin : fmt::format("{}: {}", origin, key))
                    .value());
}

/// Builds the configuration from its sources.
class builder {
public:
  builder(const sources& from, problems& found) : from_(from), found_(found) {}

  process_config build(const std::vector<instance>& wanted) {
    build_process();
    alone_ = wanted.size() == 1;
    for (const auto& one : wanted)
      build_role(one);
    return std::move(out_);
  }

private:
  void build_process() {
    out_.data_dir = find_key("data-dir")->fallback;
    const std::array layers{&from_.flags.settings, &from_.profile.common, &from_.environment};
    for (const auto& [key, into] : process_settings()) {
      const auto* values = first_of(key, layers);
      take(key, into, values, out_, found_);
      record("", *find_key(key), values);
    }
  }

  void build_role(const instance& one) {
    auto& options = one.role->add(out_);
    const std::string origin = name_role(options, one);
    const auto node = options.node_name;
    options.data_dir = out_.data_dir / fmt::format("{}-{}", one.role->name, one.number);
    const std::array all{&from_.flags.settings, &one.own, &from_.profile.common, &from_.environment};
    const std::array own{&one.own};
    const auto first_setting = out_.settings.size();
    for (const auto& group : key_groups())
      for (const auto& spec : group.keys) {
        const auto into = find_setter(*one.role, spec.key);
        if (!into) continue;
        // Outside of the role's own section these two belong to the process.
        const bool of_instance = spec.key == "data-dir" || spec.key == "node-name";
        const auto* values = of_instance ? first_of(spec.key, own) : first_of(spec.key, all);
        if (spec.key != "node-name") take(spec.key, into, values, options, found_);
        record(node, spec, values);
      }
    for (auto i = first_setting; i < out_.settings.size(); ++i) {
      auto& s = out_.settings[i];
      if (s.key == "node-name") s = {node, s.key, node, origin};
      if (s.origin != "default") continue;
      if (s.key == "data-dir") s.value = options.data_dir.native();
      if (s.key == "bind-address" && is_ipv6(options.host_ip)) s.value = options.bind_address = "::";
    }
    if (one.role->complete) one.role->complete(out_, options);
  }

  /// The role's own name, or the process's, followed by kind and number where there are several roles.
  std::string name_role(role_options& options, const instance& one) {
    constexpr std::string_view key = "node-name";
    const auto fallback = fmt::format("{}-{}", one.role->name, one.number);
    options.node_name = fallback;
    role_options given;
    auto named = [&](const std::vector<raw_value>* values) {
      take(key, find_setter(*one.role, key), values, given, found_);
      return values && !given.node_name.empty();
    };
    if (const auto* own = first_of(key, std::array{&one.own}); named(own)) {
      options.node_name = given.node_name;
      return own->front().origin;
    }
    const auto* shared =
        first_of(key, std::array{&from_.flags.settings, &from_.profile.common, &from_.environment});
    if (!named(shared)) return "default";
    options.node_name = alone_ ? given.node_name : fmt::format("{}-{}", given.node_name, fallback);
    return shared->front().origin;
  }

  void record(std::string_view node, const key_spec& spec, const std::vector<raw_value>* values) {
    std::string value = values ? joined(*values) : std::string(spec.fallback);
    if (!values && value.empty() && spec.key != "node-name") return;
    if (spec.key == "proxy" && values) value = transport::shown_proxy(value);
    out_.settings.push_back({std::string(node), std::string(spec.key), printable(value),
                             values ? values->front().origin : std::string("default")});
  }

  const sources& from_;
  problems& found_;
  process_config out_;
  bool alone_ = true;
};

/// The roles that the flags or, when they name none, the environment ask for. Empty means those of
/// the profile.
std::vector<std::string> wanted_roles(const sources& from, const environment& env, problems& found) {
  auto roles = from.flags.roles;
  std::string origin = "--role";
  if (roles.empty() && from.profile.roles.empty()) {
    roles = split_list(value_of(env, "SWARMD_ROLE"));
    origin = "environment SWARMD_ROLE";
  }
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (!find_role(roles[i]))
      found.add(config_errc::bad_value, "{}: '{}' is not a role; the roles are {}", origin,
                printable(roles[i]), role_names("and"));
    else if (std::find(roles.begin(), roles.begin() + static_cast<std::ptrdiff_t>(i), roles[i])
             != roles.begin() + static_cast<std::ptrdiff_t>(i))
      found.add(config_errc::usage,
                "{}: '{}' is given twice; several of one kind in a process need a profile (--profile)",
                origin, roles[i]);
  }
  return roles;
}

/// Every role to start, in the order of `roles()`.
std::vector<instance> instances(const std::vector<std::string>& wanted, const profile& from) {
  std::vector<instance> out;
  for (const auto* role : roles()) {
    const bool chosen = std::find(wanted.begin(), wanted.end(), role->name) != wanted.end();
    if (!wanted.empty() && !chosen) continue;
    if (const auto* sections = from.section(role->name)) {
      for (std::size_t i = 0; i < sections->size(); ++i)
        out.push_back({role, (*sections)[i], i + 1});
    } else if (chosen) {
      out.push_back({role, {}});
    }
  }
  return out;
}

result<parse_outcome> show(std::string text) {
  parse_outcome out;
  out.action = action::show;
  out.text = std::move(text);
  return out;
}

} // namespace

result<> problems::outcome() const {
  if (found_.empty()) return {};
  std::vector<std::string_view> lines;
  error all{found_.front().category, found_.front().code, ""};
  for (const auto& problem : found_) {
    if (std::find(lines.begin(), lines.end(), problem.message) != lines.end()) continue;
    lines.push_back(problem.message);
    all.message += (all.message.empty() ? "" : "\n") + problem.message;
  }
  return tl::unexpected(std::move(all));
}

result<parse_outcome> parse(std::span<const std::string> args, const environment& env) {
  problems found;
  sources from{read_flags(args, found), {}, read_environment(env)};
  if (from.flags.help) return show(help_text());
  if (from.flags.version)
    return show(fmt::format("swarmd {}\nspeaks with clients of Swarm Learning 2.1 and 2.2 (API version 2)\n",
                            version()));
  SWARM_CHECK(found.outcome());
  if (const auto file = from.flags.profile.value_or(value_of(env, "SWARMD_PROFILE")); !file.empty()) {
    SWARM_TRY(const auto path, to_path(file));
    SWARM_TRY(const auto text, read_yaml_file(path));
    SWARM_TRY(from.profile, read_profile(text, path, found));
  }
  const auto wanted = wanted_roles(from, env, found);
  const auto starting = instances(wanted, from.profile);
  if (starting.empty() && found.empty())
    found.add(config_errc::missing,
              "no role is given: start with --role sn, sl, swop, swci or ui, or with --profile FILE "
              "(swarmd --help lists the settings)");
  SWARM_CHECK(found.outcome());

  parse_outcome out;
  out.action = from.flags.check ? action::check : action::run;
  out.config = builder(from, found).build(starting);
  if (from.flags.health) {
    out.action = action::health;
    SWARM_CHECK(found.outcome());
    return out;
  }
  if (from.flags.verify_store) {
    out.action = action::verify_store;
    out.repair = from.flags.repair;
    if (out.config.sn.empty())
      found.add(config_errc::usage,
                "--verify-store looks at the chain of an SN: give --role sn and its --data-dir");
  } else if (from.flags.repair) {
    found.add(config_errc::usage, "--repair goes with --verify-store");
  } else if (found.empty()) {
    // Rules across settings make sense only once each setting is right by itself.
    validate(out.config, found);
  }
  SWARM_CHECK(found.outcome());
  out.notes = std::move(from.flags.notes);
  for (const auto& [name, reason] : ignored_variables())
    if (!value_of(env, name).empty()) out.notes.push_back(fmt::format("{} is not needed: {}", name, reason));
  for (auto& note : overruled(out.config))
    out.notes.push_back(std::move(note));
  if (out.config.proxy.empty() && !value_of(env, "http_proxy").empty())
    out.notes.emplace_back(
        "http_proxy is set and not used: it is for http:// addresses, and nodes are dialled "
        "by TLS; for those set https_proxy");
  return out;
}

result<parse_outcome> parse(int argc, const char* const* argv, const environment& env) {
  std::vector<std::string> args;
  for (int i = 1; i < argc; ++i)
    args.emplace_back(argv[i]);
  return parse(args, env);
}

std::string_view version() {
  return SWARM_VERSION;
}

} // namespace swarm::config
