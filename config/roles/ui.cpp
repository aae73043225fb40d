// The table of the role ui: the management page.
#include "config/roles/put.hpp"
#include "config/roles/shared.hpp"
#include "config/validate.hpp"

#include <algorithm>

namespace swarm::config {

namespace {

constexpr std::size_t names_max = 64;
constexpr std::size_t person_bytes_max = 128;

using enum value_kind;

const ui_options& as_ui(const role_options& options) {
  return static_cast<const ui_options&>(options);
}

result<> add_host(role_options& options, std::string_view text) {
  auto& hosts = static_cast<ui_options&>(options).hosts;
  SWARM_TRY(auto name, to_service(text, 0));
  if (hosts.size() >= names_max) return fail(config_errc::bad_value, "more than {} names", names_max);
  hosts.push_back(std::move(name));
  return {};
}

/// A fingerprint or a CN.
template <auto Member>
result<> add_person(role_options& options, std::string_view text) {
  auto& to = static_cast<ui_options&>(options).*Member;
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (text.empty() || text.size() > person_bytes_max || std::ranges::any_of(text, is_control))
    return fail(config_errc::bad_value,
                "'{}' names no certificate; give its CN, or its SHA-256 fingerprint as 0x and 64 digits",
                printable(text));
  if (text.starts_with("0x")) SWARM_CHECK(to_block_hash(text));
  if (to.size() >= names_max) return fail(config_errc::bad_value, "more than {} names", names_max);
  to.emplace_back(text);
  return {};
}

// A row has key, kind, placeholder, default; variables; help; where the text goes.
// clang-format off
constexpr role_setting ui_own[] = {
  {{"ui-address", text, "IP", "127.0.0.1", {"SWARMD_UI_ADDRESS"},
    "address that the page is served on; any but a loopback address lets other hosts reach it"},
   put<&ui_options::address, to_ip>},
  {{"ui-port", number, "PORT", "30302", {"SWARMD_UI_PORT"},
    "port of the page"},
   put<&ui_options::port, to_port>},
  {{"ui-plain", flag, "", "false", {"SWARMD_UI_PLAIN"},
    "the page takes HTTP without TLS, too, from this host; only on a loopback address"},
   put<&ui_options::plain, to_flag>},
  {{"ui-host", list, "NAME[:PORT]", "", {"SWARMD_UI_HOST"},
    "further names by which browsers reach the page, such as a reverse proxy's"},
   add_host},
  {{"ui-reader", list, "CERT", "", {"SWARMD_UI_READER"},
    "certificates that may look at the page: a fingerprint, or a CN of the own organisation; default: those for SWCI of the own organisation"},
   add_person<&ui_options::readers>},
  {{"ui-operator", list, "CERT", "", {"SWARMD_UI_OPERATOR"},
    "certificates that may act by the page as well; default: none, so that only the printed link gives that right"},
   add_person<&ui_options::operators>},
};

constexpr role_setting ui_shared[] = {
  {sn_ip_key, put<&ui_options::sn_ip, to_host>},
  {sn_api_port_key, put<&ui_options::sn_api_port, to_port>},
  {sn_api_service_key, put<&ui_options::sn_api_service, to_https_service>},
};
// clang-format on

void find_sn_of_ui(process_config& config, role_options& role) {
  use_local_sn(config, static_cast<ui_options&>(role));
}

bool is_loopback(const std::string& ip) {
  return ip.starts_with("127.") || ip == "::1";
}

void validate_ui(const role_options& options, const rule_context& rules) {
  const auto& ui = as_ui(options);
  if (ui.sn_ip.empty() && !ui.sn_api_service)
    rules.found.add(config_errc::missing, "{}: give --sn-ip or --sn-api-service, the SN to use",
                    ui.node_name);
  if (ui.plain && !is_loopback(ui.address))
    rules.found.add(config_errc::conflict,
                    "{}: ui-plain{} is for this host alone, but ui-address{} is {}; give one of the two",
                    ui.node_name, rules.given(ui.node_name, "ui-plain"),
                    rules.given(ui.node_name, "ui-address"), ui.address);
}

std::vector<claim> claims_of_ui(const role_options& options) {
  const auto& ui = as_ui(options);
  return {{claim::port, fmt::format("{}", ui.port), ui.address, ui.node_name, "ui-port"}};
}

std::vector<std::pair<std::string_view, std::string_view>> overruled_of_ui(const role_options& options) {
  const auto& ui = as_ui(options);
  if (!ui.sn_api_service || ui.sn_ip.empty()) return {};
  return {{"sn-api-service", "sn-ip"}};
}

} // namespace

constinit const role_spec ui_role{
    .name = "ui",
    .section = "a 'ui' section",
    .plural = "pages",
    .title = "Management page (UI)",
    .count_max = 1,
    .shared = ui_shared,
    .own = ui_own,
    .add = add_to<&process_config::ui>,
    .all = all_of<&process_config::ui>,
    .complete = find_sn_of_ui,
    .validate = validate_ui,
    .claims = claims_of_ui,
    .overruled = overruled_of_ui,
};

} // namespace swarm::config
