// The table of the role swci: the Swarm Learning Command Interface.
#include "config/roles/put.hpp"
#include "config/roles/shared.hpp"
#include "config/validate.hpp"

namespace swarm::config {

namespace {

using enum value_kind;

const swci_options& as_swci(const role_options& options) {
  return static_cast<const swci_options&>(options);
}

// A row has key, kind, placeholder, default; variables; help; where the text goes.
// clang-format off
constexpr role_setting swci_own[] = {
  {{"init-script-name", text, "FILE", "swci-init", {"SWCI_STARTUP_SCRIPT"},
    "commands to begin with, in the user directory; the default is left out when it is not there"},
   put<&swci_options::init_script, to_path>},
  {{"swci-mode", text, "CLI|WEB", "CLI", {"SWCI_MODE"},
    "CLI: a prompt in the terminal; WEB: commands come over HTTP"},
   put<&swci_options::web, to_swci_mode>},
  {{"swci-web-port", number, "PORT", "30306", {"SWCI_WEB_PORT"},
    "port of the web mode"},
   put<&swci_options::web_port, to_port>},
  {{"swci-web-plain", flag, "", "false", {"SWCI_WEB_PLAIN"},
    "web mode: whoever reaches the port may command without a certificate; else only this host"},
   put<&swci_options::web_plain, to_flag>},
  {{"task-max-wait-time", number, "MINUTES", "120", {"SWCI_TASK_MAX_WAIT_TIME", "SWCI_RUN_TASK_MAX_WAIT_TIME",
    "SWCI_GENERIC_TASK_MAX_WAIT_TIME"},
    "longest WAIT FOR TASKRUNNER"},
   put<&swci_options::task_max_wait_time, to_minutes>},
  {{"json", flag, "", "false", {"SWCI_JSON"},
    "answers as JSON, one object a command"},
   put<&swci_options::json, to_flag>},
};

constexpr role_setting swci_shared[] = {
  {usr_dir_key, put<&swci_options::usr_dir, to_path>},
};
// clang-format on

void validate_swci(const role_options& options, const rule_context& rules) {
  const auto& swci = as_swci(options);
  if (swci.usr_dir.empty())
    rules.found.add(config_errc::missing,
                    "{}: give --usr-dir, the folder of scripts and task files; commands see it as "
                    "/platform/swarm/usr",
                    swci.node_name);
}

std::vector<claim> claims_of_swci(const role_options& options) {
  const auto& swci = as_swci(options);
  if (!swci.web) return {};
  return {
      {claim::port, fmt::format("{}", swci.web_port), swci.bind_address, swci.node_name, "swci-web-port"}};
}

std::vector<std::pair<std::string_view, std::string_view>> overruled_of_swci(const role_options&) {
  return {};
}

} // namespace

constinit const role_spec swci_role{
    .name = "swci",
    .section = "a 'swci' section",
    .plural = "SWCIs",
    .title = "Swarm Learning Command Interface (SWCI)",
    .count_max = 1,
    .shared = swci_shared,
    .own = swci_own,
    .add = add_to<&process_config::swci>,
    .all = all_of<&process_config::swci>,
    .complete = nullptr,
    .validate = validate_swci,
    .claims = claims_of_swci,
    .overruled = overruled_of_swci,
};

} // namespace swarm::config
