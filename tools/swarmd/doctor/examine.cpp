#include "tools/swarmd/doctor/examine.hpp"

#include "actors/node/key_file.hpp"
#include "actors/sn_client/known_sns.hpp"
#include "actors/swop/choices.hpp"
#include "base/clock.hpp"
#include "config/parse.hpp"
#include "tools/swarmd/doctor/judge/judge.hpp"
#include "tools/swarmd/doctor/look/look.hpp"
#include "transport/proxies.hpp"

namespace swarm::doctor {

namespace fs = std::filesystem;

namespace {

/// One node that is to be started.
struct patient {
  const config::role_options& options;
  members::role role;
  std::string sn;      ///< host:port of the SN to ask
  std::string unasked; ///< why there is none
  std::vector<port_wanted> ports;
};

endpoint told_of(const std::optional<config::service>& service, const std::string& host, std::uint16_t port) {
  return service.value_or(endpoint{host, port});
}

patient patient_of(const config::sn_options& of) {
  patient out{of, members::role::sn, {}, {}, {}};
  out.ports = {{"sn-api-port", of.bind_address, of.sn_api_port,
                told_of(of.sn_api_service, of.host_ip, of.sn_api_port), of.sn_api_service.has_value()},
               {"sn-p2p-port", of.bind_address, of.sn_p2p_port,
                told_of(of.sn_p2p_service, of.host_ip, of.sn_p2p_port), of.sn_p2p_service.has_value()}};
  if (of.sentinel)
    out.unasked = "it is the sentinel, which asks no other SN";
  else
    out.sn = told_of(of.sentinel_api_service, of.sentinel_ip, of.sentinel_api_port).to_string();
  return out;
}

patient patient_of(const config::sl_options& of) {
  patient out{
      of, members::role::sl, told_of(of.sn_api_service, of.sn_ip, of.sn_api_port).to_string(), {}, {}};
  out.ports = {{"sl-fs-port", of.bind_address, of.sl_fs_port,
                told_of(of.sl_fs_service, of.host_ip, of.sl_fs_port), of.sl_fs_service.has_value()}};
  return out;
}

patient patient_of(const config::swop_options& of, const tasks::swop_profile* profile) {
  patient out{of, members::role::swop, {}, {}, {}};
  if (!of.host_ip.empty())
    out.ports = {{"swop-lines-port", of.bind_address, of.lines_port, {of.host_ip, of.lines_port}, false}};
  if (profile == nullptr) {
    out.unasked = "without its profile nobody knows which SN it is to ask";
    return out;
  }
  if (auto sn = actors::sn_of(of, profile->sn))
    out.sn = std::move(*sn);
  else
    out.unasked = sn.error().message;
  return out;
}

patient patient_of(const config::swci_options& of) {
  patient out{of, members::role::swci, {}, "CREATE CONTEXT names the SNs of a SWCI", {}};
  if (of.web) out.ports = {{"swci-web-port", of.bind_address, of.web_port, {}, false}};
  return out;
}

patient patient_of(const config::ui_options& of) {
  patient out{
      of, members::role::swci, told_of(of.sn_api_service, of.sn_ip, of.sn_api_port).to_string(), {}, {}};
  out.ports = {{"ui-port", of.address, of.port, {}, false}};
  return out;
}

/// Which network the node belongs to, as far as it knows.
own_facts own_facts_of(const patient& of, const identity_facts& identity) {
  own_facts out;
  out.is_sn = of.role == members::role::sn;
  out.role = to_string(of.role);
  out.anchor = identity.anchor;
  out.version = config::version();
  out.genesis = of.options.genesis_hash;
  out.genesis_source = "--genesis-hash";
  if (out.genesis) return out;
  const auto file = of.options.data_dir / "genesis-hash";
  out.genesis = actors::read_known_genesis(file);
  out.genesis_source = file.native();
  return out;
}

class examination {
public:
  examination(const config::process_config& config, const command_line& how)
      : config_(config), how_(how),
        rules_(
            transport::proxy_rules::make(config.proxy, config.no_proxy).value_or(transport::proxy_rules())) {
    transport::use_proxies(io_, rules_);
  }

  std::vector<node_report> take() {
    for (const auto& each : config_.sn)
      look(patient_of(each));
    for (const auto& each : config_.sl)
      look(patient_of(each));
    for (const auto& each : config_.swop)
      look_at_swop(each);
    for (const auto& each : config_.swci)
      look(patient_of(each));
    for (const auto& each : config_.ui)
      look(patient_of(each));
    look_at_host();
    return std::move(reports_);
  }

private:
  void add(lines more) {
    auto& to = reports_.back().lines;
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  void look(const patient& of) {
    reports_.push_back({of.options.node_name, std::string(to_string(of.role)), {}});
    const auto identity = look_at_identity(of.options.identity, of.role);
    add(judge_identity(identity.facts, unix_seconds()));
    const auto folder = look_at_folder(of.options.data_dir, config_.data_dir);
    add(judge_folder(folder, of.role == members::role::sn));
    std::vector<port_facts> ports;
    for (const auto& each : of.ports)
      ports.push_back(look_at_port(each, folder.running));
    const auto sn = sn_of(of, identity, folder);
    for (auto& each : ports)
      each.only_here = each.only_here && sn.unasked.empty() && sn_is_elsewhere(sn.endpoint);
    add(judge_ports(ports));
    add(judge_sn(sn, own_facts_of(of, identity.facts), unix_seconds()));
  }

  sn_facts sn_of(const patient& of, const identity_seen& identity, const folder_facts& folder) {
    sn_facts out;
    out.endpoint = of.sn;
    out.unasked = of.unasked;
    if (out.unasked.empty() && !identity.tls) out.unasked = "without a certificate nobody answers";
    if (out.unasked.empty() && !folder.running && is_of_this_process(of.sn))
      out.unasked = "its SN starts with this process";
    if (!out.unasked.empty()) return out;
    sn_wanted wanted{of.sn, std::nullopt};
    if (const auto key = actors::load_key((of.options.data_dir / "node.key").native()))
      wanted.account = key->account();
    const auto by = route_to(of.sn, identity);
    out = look_at_sn(wanted, io_, identity);
    out.by = by;
    return out;
  }

  /// Where the rules name a proxy, the direct way is tried as well.
  route route_to(const std::string& sn, const identity_seen& identity) {
    route out;
    const auto at = endpoint::parse(sn);
    if (!at || rules_.any() == nullptr) return out;
    const auto* by = rules_.proxy_for(at->host);
    out.excepted = by == nullptr;
    if (by == nullptr) return out;
    out.proxy = by->shown();
    out.direct_trouble = why_no_answer(sn, direct_, identity);
    return out;
  }

  bool is_of_this_process(const std::string& sn) const {
    const auto at = endpoint::parse(sn);
    for (const auto& each : config_.sn)
      if (at && at->port == each.sn_api_port && (at->host == each.host_ip || !leads_elsewhere(*at)))
        return true;
    return false;
  }

  static bool sn_is_elsewhere(const std::string& sn) {
    const auto at = endpoint::parse(sn);
    return at && leads_elsewhere(*at);
  }

  void look_at_swop(const config::swop_options& of) {
    const auto profile = actors::read_swop_profile(of.usr_dir / of.profile_file, "swarm.doctor");
    look(patient_of(of, profile ? &*profile : nullptr));
    if (!profile) {
      add({{"profile", verdict::wrong, profile.error().message,
            "correct it, --usr-dir or --profile-file-name"}});
      return;
    }
    using enum tasks::manager_type;
    const auto type = actors::manager_of(of, *profile);
    if (type == slurm) add(judge_slurm(look_at_slurm(of.data_dir)));
    if (type == kubernetes) add(judge_pods(look_at_pods(profile->cluster)));
    if (type != process && type != docker) return; // programs run on other hosts
    add(judge_manager(look_at_manager(of, type)));
    add(judge_gpus(look_at_gpus(&*profile, type == docker)));
  }

  void look_at_host() {
    reports_.emplace_back();
    add(judge_memory(look_at_memory()));
    if (config_.swop.empty() && !config_.sl.empty()) add(judge_gpus(look_at_gpus(nullptr, false)));
    const bool named = !how_.python.empty();
    if (!config_.sl.empty() || named)
      add(judge_python(look_at_python(named ? how_.python : "python3", named)));
    if (!how_.program.empty()) add(judge_program(run_alone(how_.program, how_.program_seconds)));
  }

  const config::process_config& config_;
  const command_line& how_;
  transport::proxy_rules rules_;
  transport::io_runtime io_{2};     ///< dials by the rules
  transport::io_runtime direct_{1}; ///< knows no proxy
  std::vector<node_report> reports_;
};

} // namespace

std::vector<node_report> examine(const config::process_config& config, const command_line& how) {
  return examination(config, how).take();
}

} // namespace swarm::doctor
