// The table of the role swop: a Swarm Operator node, which runs tasks on its host.
#include "config/roles/put.hpp"
#include "config/roles/shared.hpp"
#include "config/validate.hpp"

namespace swarm::config {

namespace {

constexpr std::size_t allowed_paths_max = 64;

using enum value_kind;

const swop_options& as_swop(const role_options& options) {
  return static_cast<const swop_options&>(options);
}

result<> add_allowed_path(role_options& options, std::string_view text) {
  auto& allowed = static_cast<swop_options&>(options).allow_paths;
  auto path = to_path(text);
  if (!path) return tl::unexpected(std::move(path).error());
  if (!path->is_absolute())
    return fail(config_errc::bad_value, "'{}' is not an absolute path", path->native());
  if (allowed.size() >= allowed_paths_max)
    return fail(config_errc::bad_value, "more than {} paths", allowed_paths_max);
  allowed.push_back(path->lexically_normal());
  return {};
}

result<> add_allowed_volume(role_options& options, std::string_view text) {
  auto& allowed = static_cast<swop_options&>(options).allow_volumes;
  SWARM_TRY(auto name, to_name(text));
  if (allowed.size() >= allowed_paths_max)
    return fail(config_errc::bad_value, "more than {} volumes", allowed_paths_max);
  allowed.push_back(std::move(name));
  return {};
}

// A row has key, kind, placeholder, default; variables; help; where the text goes.
// clang-format off
constexpr role_setting swop_own[] = {
  {{"profile-file-name", text, "FILE", "", {"SWOP_PROFILE"},
    "SWOP profile (YAML), in the user directory: what the nodes of this host are"},
   put<&swop_options::profile_file, to_path>},
  {{"manager", text, "NAME", "", {"SWOP_MANAGER"},
    "what runs programs, in place of the profile's mgrtype; process: sandboxes on this host; docker: containers; "
    "slurm: jobs of a cluster; kubernetes: pods of one"},
   put<&swop_options::manager, to_manager>},
  {{"docker-socket-file", text, "FILE", "", {"SWOP_DOCKER_SOCKET"},
    "socket of the container engine; default as DOCKER_HOST says, Docker's, or Podman's where that is the one there"},
   put<&swop_options::engine_socket, to_engine_socket>},
  {{"sl-image", text, "IMAGE", "", {"SWOP_SL_IMAGE"},
    "image in which SLs run; default that of this version"},
   put<&swop_options::sl_image, to_image>},
  {{"allow-volume", list, "NAME", "", {"SWOP_ALLOW_VOLUME"},
    "the engine's volumes that tasks may use besides those that tasks made, sl-cli-lib and what the profile names"},
   add_allowed_volume},
  {{"allow-path", list, "DIR", "", {"SWOP_ALLOW_PATH"},
    "folders that tasks may use besides the user directory and what the profile names"},
   add_allowed_path},
  {{"swop-uid", number, "UID", "", {"SWOP_UID"},
    "user that programs run as when swarmd runs as root; default the owner of the user directory"},
   put<&swop_options::uid, to_user>},
  {{"swop-gid", number, "GID", "", {"SWOP_GID"},
    "its group; default the user's own"},
   put<&swop_options::gid, to_user>},
  {{"keep-containers", flag, "", "false", {"SWOP_KEEP_CONTAINERS"},
    "keep outputs and sandboxes of tasks that are over"},
   put<&swop_options::keep_containers, to_flag>},
  {{"swop-lines-port", number, "PORT", "0", {"SWOP_LINES_PORT"},
    "port for SWCIs of the same organisation, which read the last lines of failed programs; 0: any free one"},
   put<&swop_options::lines_port, to_port_or_any>},
};

constexpr role_setting swop_shared[] = {
  {sn_ip_key, put<&swop_options::sn_ip, to_host>},
  {sn_api_port_key, put<&swop_options::sn_api_port, to_port>},
  {sn_api_service_key, put<&swop_options::sn_api_service, to_https_service>},
  {usr_dir_key, put<&swop_options::usr_dir, to_path>},
};
// clang-format on

void find_sn_of_swop(process_config& config, role_options& role) {
  use_local_sn(config, static_cast<swop_options&>(role));
}

/// Where the SN is, the profile may say.
void validate_swop(const role_options& options, const rule_context& rules) {
  const auto& swop = as_swop(options);
  if (swop.usr_dir.empty())
    rules.found.add(config_errc::missing,
                    "{}: give --usr-dir, the folder that tasks see as /platform/swarm/usr", swop.node_name);
  if (swop.profile_file.empty())
    rules.found.add(config_errc::missing,
                    "{}: give --profile-file-name, the SWOP profile in the user directory", swop.node_name);
  if (swop.gid && !swop.uid)
    rules.found.add(config_errc::conflict, "{}: swop-gid{} is given without swop-uid", swop.node_name,
                    rules.given(swop.node_name, "swop-gid"));
}

std::vector<claim> claims_of_swop(const role_options& options) {
  const auto& swop = as_swop(options);
  if (swop.lines_port == 0) return {};
  return {{claim::port, fmt::format("{}", swop.lines_port), swop.bind_address, swop.node_name,
           "swop-lines-port"}};
}

std::vector<std::pair<std::string_view, std::string_view>> overruled_of_swop(const role_options& options) {
  const auto& swop = as_swop(options);
  if (!swop.sn_api_service || swop.sn_ip.empty()) return {};
  return {{"sn-api-service", "sn-ip"}};
}

} // namespace

constinit const role_spec swop_role{
    .name = "swop",
    .section = "a 'swop' section",
    .plural = "SWOPs",
    .title = "Swarm Operator node (SWOP)",
    .count_max = roles_max,
    .shared = swop_shared,
    .own = swop_own,
    .add = add_to<&process_config::swop>,
    .all = all_of<&process_config::swop>,
    .complete = find_sn_of_swop,
    .validate = validate_swop,
    .claims = claims_of_swop,
    .overruled = overruled_of_swop,
};

} // namespace swarm::config
