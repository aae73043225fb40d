#include "config/parse.hpp"

#include "config/flags.hpp"
#include "config/keys.hpp"
#include "config/profile.hpp"
#include "config/validate.hpp"
#include "config/values.hpp"
#include "config/yaml_tree.hpp"

#include <unistd.h>

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

/// One role to start: what its own section of the profile says, and its number among its kind, from 1.
struct instance {
  layer own;
  std::size_t number = 1;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto comma = text.find(',');
    if (comma != 0 && !text.empty()) out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

std::string value_of(const environment& env, std::string_view name) {
  const auto found = env.find(name);
  return found == env.end() ? "" : found->second;
}

layer read_environment(const environment& env) {
  layer out;
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys)
      for (const auto name : spec.env) {
        const auto text = value_of(env, name);
        if (text.empty() || out.contains(spec.key)) continue;
        const auto origin = fmt::format("environment {}", name);
        auto& values = out[std::string(spec.key)];
        if (spec.kind == value_kind::list)
          for (auto& item : split(text))
            values.push_back({std::move(item), origin});
        else
          values.push_back({text, origin});
      }
  return out;
}

/// What the first layer that has the key says.
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
void take(const key_spec& spec, key_spec::setter<Options> into, const std::vector<raw_value>* values,
          Options& options, problems& found) {
  if (!values) return;
  for (const auto& [text, origin] : *values)
    if (auto stored = into(options, text); !stored)
      found.add(fail_with(std::move(stored).error(),
                          origin.starts_with("--") ? origin : fmt::format("{}: {}", origin, spec.key))
                    .value());
}

/// Builds the configuration from its sources.
class builder {
public:
  builder(const sources& from, problems& found) : from_(from), found_(found) {}

  process_config build(const std::vector<instance>& sn, const std::vector<instance>& sl) {
    build_process();
    alone_ = sn.size() + sl.size() == 1;
    for (const auto& one : sn)
      out_.sn.push_back(build_role<sn_options>(one, "sn", &key_spec::into_sn, [](sn_options&) {}));
    for (const auto& one : sl)
      out_.sl.push_back(build_role<sl_options>(one, "sl", &key_spec::into_sl,
                                               [this](sl_options& options) { find_local_sn(options); }));
    return std::move(out_);
  }

private:
  void build_process() {
    out_.data_dir = find_key("data-dir")->fallback;
    const std::array layers{&from_.flags.settings, &from_.profile.common, &from_.environment};
    for (const auto& group : key_groups())
      for (const auto& spec : group.keys) {
        if (!spec.into_process) continue;
        const auto* values = first_of(spec.key, layers);
        take(spec, spec.into_process, values, out_, found_);
        record("", spec, values);
      }
  }

  template <class Options, class Complete>
  Options build_role(const instance& one, std::string_view kind, key_spec::setter<Options> key_spec::*column,
                     Complete complete) {
    Options options;
    const std::string origin = name_role(options, one, kind);
    const auto node = options.node_name;
    options.data_dir = out_.data_dir / fmt::format("{}-{}", kind, one.number);
    const std::array all{&from_.flags.settings, &one.own, &from_.profile.common, &from_.environment};
    const std::array own{&one.own};
    const auto first_setting = out_.settings.size();
    for (const auto& group : key_groups())
      for (const auto& spec : group.keys) {
        if (!(spec.*column)) continue;
        // Outside the role's own section these two are the process's.
        const bool of_instance = spec.key == "data-dir" || spec.key == "node-name";
        const auto* values = of_instance ? first_of(spec.key, own) : first_of(spec.key, all);
        if (spec.key != "node-name") take(spec, spec.*column, values, options, found_);
        record(node, spec, values);
      }
    for (auto i = first_setting; i < out_.settings.size(); ++i) {
      auto& s = out_.settings[i];
      if (s.key == "node-name") s = {node, s.key, node, origin};
      if (s.key == "data-dir" && s.origin == "default") s.value = options.data_dir.native();
    }
    complete(options);
    return options;
  }

  /// Its own name; or the process's, with the kind and number behind it where there are several roles.
  template <class Options>
  std::string name_role(Options& options, const instance& one, std::string_view kind) {
    const auto& spec = *find_key("node-name");
    const auto fallback = fmt::format("{}-{}", kind, one.number);
    options.node_name = fallback;
    Options given;
    auto named = [&](const std::vector<raw_value>* values) {
      if (values) take(spec, pick<Options>(spec), values, given, found_);
      return values && !given.node_name.empty();
    };
    if (const auto* own = first_of("node-name", std::array{&one.own}); named(own)) {
      options.node_name = given.node_name;
      return own->front().origin;
    }
    const auto* shared =
        first_of("node-name", std::array{&from_.flags.settings, &from_.profile.common, &from_.environment});
    if (!named(shared)) return "default";
    options.node_name = alone_ ? given.node_name : fmt::format("{}-{}", given.node_name, fallback);
    return shared->front().origin;
  }

  template <class Options>
  static key_spec::setter<Options> pick(const key_spec& spec) {
    if constexpr (std::is_same_v<Options, sn_options>)
      return spec.into_sn;
    else
      return spec.into_sl;
  }

  /// An SL beside an SN uses that one unless told otherwise.
  void find_local_sn(sl_options& options) {
    if (!options.sn_ip.empty() || options.sn_api_service || out_.sn.empty()) return;
    const auto& sn = out_.sn.front();
    options.sn_ip = sn.bind_address == "0.0.0.0" ? "127.0.0.1"
                    : sn.bind_address == "::"    ? "::1"
                                                 : sn.bind_address;
    options.sn_api_port = sn.sn_api_port;
    const auto origin = fmt::format("{} of this process", sn.node_name);
    std::erase_if(out_.settings, [&](const setting& s) {
      return s.node_name == options.node_name && (s.key == "sn-ip" || s.key == "sn-api-port");
    });
    out_.settings.push_back({options.node_name, "sn-ip", options.sn_ip, origin});
    out_.settings.push_back(
        {options.node_name, "sn-api-port", fmt::format("{}", options.sn_api_port), origin});
  }

  void record(std::string_view node, const key_spec& spec, const std::vector<raw_value>* values) {
    std::string value = values ? joined(*values) : std::string(spec.fallback);
    if (!values && value.empty() && spec.key != "node-name") return;
    out_.settings.push_back({std::string(node), std::string(spec.key), printable(value),
                             values ? values->front().origin : std::string("default")});
  }

  const sources& from_;
  problems& found_;
  process_config out_;
  bool alone_ = true;
};

/// Which roles the flags or, when they name none, the environment ask for. Empty: whatever the profile has.
std::vector<std::string> wanted_roles(const sources& from, const environment& env, problems& found) {
  auto roles = from.flags.roles;
  std::string origin = "--role";
  if (roles.empty() && !from.profile.sn && !from.profile.sl) {
    roles = split(value_of(env, "SWARMD_ROLE"));
    origin = "environment SWARMD_ROLE";
  }
  static constexpr std::array<std::string_view, 2> known{"sn", "sl"};
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (std::find(known.begin(), known.end(), roles[i]) == known.end())
      found.add(config_errc::bad_value, "{}: '{}' is not a role; the roles are sn and sl", origin,
                printable(roles[i]));
    else if (std::find(roles.begin(), roles.begin() + static_cast<std::ptrdiff_t>(i), roles[i])
             != roles.begin() + static_cast<std::ptrdiff_t>(i))
      found.add(config_errc::usage,
                "{}: '{}' is given twice; several of one kind in a process need a profile (--profile)",
                origin, roles[i]);
  }
  return roles;
}

std::vector<instance> instances(std::string_view kind, const std::vector<std::string>& wanted,
                                const std::optional<std::vector<layer>>& sections) {
  const bool chosen = std::find(wanted.begin(), wanted.end(), kind) != wanted.end();
  std::vector<instance> out;
  if (!wanted.empty() && !chosen) return out;
  if (sections) {
    for (const auto& section : *sections)
      out.push_back({section, out.size() + 1});
  } else if (chosen) {
    out.push_back({});
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

environment process_environment() {
  environment out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
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
  const auto sn = instances("sn", wanted, from.profile.sn);
  const auto sl = instances("sl", wanted, from.profile.sl);
  if (sn.empty() && sl.empty() && found.empty())
    found.add(config_errc::missing,
              "no role is given: start with --role sn, --role sl or both, or with --profile FILE "
              "(swarmd --help lists the settings)");
  SWARM_CHECK(found.outcome());

  parse_outcome out;
  out.action = from.flags.check ? action::check : action::run;
  out.config = builder(from, found).build(sn, sl);
  if (from.flags.verify_store) {
    out.action = action::verify_store;
    out.repair = from.flags.repair;
    if (out.config.sn.empty())
      found.add(config_errc::usage,
                "--verify-store looks at the chain of an SN: give --role sn and its --data-dir");
  } else if (from.flags.repair) {
    found.add(config_errc::usage, "--repair goes with --verify-store");
  } else if (found.empty()) {
    // Rules across settings only make sense once each setting is right by itself.
    validate(out.config, found);
  }
  SWARM_CHECK(found.outcome());
  out.notes = std::move(from.flags.notes);
  for (auto& note : overruled(out.config))
    out.notes.push_back(std::move(note));
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
