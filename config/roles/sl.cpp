// The table of the role sl: a Swarm Learning node.
#include "config/roles/put.hpp"
#include "config/roles/shared.hpp"
#include "config/validate.hpp"

#include <algorithm>

namespace swarm::config {

namespace {

using enum value_kind;

const sl_options& as_sl(const role_options& options) {
  return static_cast<const sl_options&>(options);
}

// A row has key, kind, placeholder, default; variables; help; where the text goes.
// clang-format off
constexpr role_setting sl_own[] = {
  {{"sl-fs-port", number, "PORT", "30305", {"SL_FS_PORT"},
    "port for other SLs; 0: any that is free"},
   put<&sl_options::sl_fs_port, to_port_or_any>},
  {{"sl-fs-service", text, "NAME[:PORT]", "", {"SL_FS_SERVICE"},
    "name of that port behind a proxy; default port 443"},
   put<&sl_options::sl_fs_service, to_https_service>},
  {{"request-channel", path, "FIFO", "/tmp/channel/request.channel", {"SL_REQUEST_CHANNEL"},
    "named pipe that the training program writes"},
   put<&sl_options::request_channel, to_path>},
  {{"response-channel", path, "FIFO", "/tmp/channel/response.channel", {"SL_RESPONSE_CHANNEL"},
    "named pipe that the training program reads"},
   put<&sl_options::response_channel, to_path>},
  {{"channel-group", text, "GROUP", "", {"SL_CHANNEL_GROUP"},
    "group, by name or number, that may open the pipes (0660); default that of the process"},
   put<&sl_options::channel_group, to_group>},
  {{"channel-open", flag, "", "false", {"SL_CHANNEL_OPEN"},
    "every user of this host may open the pipes (0777), so that a program may run as any of them"},
   put<&sl_options::channel_open, to_flag>},
  {{"shared-memory", flag, "=false", "true", {"SL_SHARED_MEMORY"},
    "programs of swarmd's own package pass models through shared memory; false: through the pipes"},
   put<&sl_options::shared_memory, to_flag>},
  {{"store-quota", text, "BYTES", "", {"SL_STORE_QUOTA"},
    "most that models may take on the disk, such as 20G; a leader has those of a whole round"},
   put<&sl_options::store_quota, to_byte_count>},
  {{"keep-merges", number, "COUNT", "3", {"SL_KEEP_MERGES"},
    "so many of the last merges of each training are kept, while there is room for them; 0 to 1000"},
   put<&sl_options::keep_merges, to_merge_count>},
  {{"make-me-admin", flag, "=false", "true", {"SL_MAKE_ME_ADMIN"},
    "this node never leads a round"},
   put<&sl_options::make_me_admin, to_flag>},
  {{"leader-failure-base-timeout", number, "SECONDS", "600", {"SL_LEADER_FAILURE_BASE_TIMEOUT"},
    "longest wait for a leader's merge; a leader that makes no progress is replaced sooner"},
   put<&sl_options::leader_failure_base_timeout, to_seconds>},
  {{"wait-for-full-quorum", number, "SECONDS", "30", {"SL_WAIT_FOR_FULL_QUORUM_SECONDS"},
    "how long to wait for late peers once the fewest needed are there"},
   put<&sl_options::wait_for_full_quorum, to_seconds>},
  {{"merge-library", path, "FILE", "", {"SL_MERGE_LIBRARY"},
    "shared library of a custom merge method; the same at all SLs of a training"},
   put<&sl_options::merge_library, to_path>},
  {{"ram-intensive", flag, "=false", "true", {"SL_RAM_INTENSIVE"},
    "accepted; merging never holds whole models in memory"},
   put<&sl_options::ram_intensive, to_flag>},
};

constexpr role_setting sl_shared[] = {
  {sn_ip_key, put<&sl_options::sn_ip, to_host>},
  {sn_api_port_key, put<&sl_options::sn_api_port, to_port>},
  {sn_api_service_key, put<&sl_options::sn_api_service, to_https_service>},
};
// clang-format on

void find_sn_of_sl(process_config& config, role_options& role) {
  use_local_sn(config, static_cast<sl_options&>(role));
}

void validate_sl(const role_options& options, const rule_context& rules) {
  const auto& sl = as_sl(options);
  if (sl.sn_ip.empty() && !sl.sn_api_service)
    rules.found.add(config_errc::missing, "{}: give --sn-ip or --sn-api-service, the SN to use",
                    sl.node_name);
  if (sl.host_ip.empty() && !sl.sl_fs_service)
    rules.found.add(
        config_errc::missing,
        "{}: --host-ip is missing, the address by which other nodes reach this host (not needed when "
        "--sl-fs-service is given)",
        sl.node_name);
  if (sl.sl_fs_port == 0 && sl.sl_fs_service)
    rules.found.add(
        config_errc::conflict,
        "{}: sl-fs-port{} is 0, any that is free, but sl-fs-service{} leads to one that is known; "
        "give that one",
        sl.node_name, rules.given(sl.node_name, "sl-fs-port"), rules.given(sl.node_name, "sl-fs-service"));
  if (sl.channel_open && !sl.channel_group.empty())
    rules.found.add(
        config_errc::conflict,
        "{}: channel-open{} lets everybody open the pipes, channel-group{} only the group '{}'; give one "
        "of the two",
        sl.node_name, rules.given(sl.node_name, "channel-open"), rules.given(sl.node_name, "channel-group"),
        sl.channel_group);
  if (sl.request_channel.lexically_normal() == sl.response_channel.lexically_normal())
    rules.found.add(config_errc::conflict,
                    "{}: request-channel{} and response-channel{} are the same path '{}'", sl.node_name,
                    rules.given(sl.node_name, "request-channel"),
                    rules.given(sl.node_name, "response-channel"), sl.request_channel.native());
}

std::vector<claim> claims_of_sl(const role_options& options) {
  const auto& sl = as_sl(options);
  const auto request = sl.request_channel.lexically_normal().native();
  const auto response = sl.response_channel.lexically_normal().native();
  std::vector<claim> out{{claim::pipe, request, "", sl.node_name, "request-channel"}};
  if (sl.sl_fs_port != 0)
    out.push_back(
        {claim::port, fmt::format("{}", sl.sl_fs_port), sl.bind_address, sl.node_name, "sl-fs-port"});
  // When one pipe is named twice, validate_sl reports it already.
  if (response != request) out.push_back({claim::pipe, response, "", sl.node_name, "response-channel"});
  return out;
}

std::vector<std::pair<std::string_view, std::string_view>> overruled_of_sl(const role_options& options) {
  const auto& sl = as_sl(options);
  if (!sl.sn_api_service || sl.sn_ip.empty()) return {};
  return {{"sn-api-service", "sn-ip"}};
}

} // namespace

constinit const role_spec sl_role{
    .name = "sl",
    .section = "an 'sl' section",
    .plural = "SLs",
    .title = "Swarm Learning node (SL)",
    .count_max = roles_max,
    .shared = sl_shared,
    .own = sl_own,
    .add = add_to<&process_config::sl>,
    .all = all_of<&process_config::sl>,
    .complete = find_sn_of_sl,
    .validate = validate_sl,
    .claims = claims_of_sl,
    .overruled = overruled_of_sl,
};

} // namespace swarm::config
