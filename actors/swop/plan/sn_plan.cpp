#include "actors/swop/plan/sn_plan.hpp"

#include "actors/sn_client/known_sns.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/node_programs.hpp"
#include "base/endpoint.hpp"
#include "base/file.hpp"
#include "transport/unix/unix_socket.hpp"

#include <boost/json.hpp>
#include <unistd.h>

#include <algorithm>

namespace swarm::actors {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::string_view members_target = "/opt/swarm/members.yaml";
constexpr std::size_t sn_answer_bytes_max = 4 * 1024 * 1024;

/// The file or folder of this host that is this part of the identity.
result<fs::path> identity_file(const swop_context& context, const tasks::identity_mount& part) {
  SWARM_TRY(auto out, host_paths(context).source_of(part.where, {}, host_paths::said_by::profile));
  if (part.sub_path) out /= *part.sub_path;
  return out;
}

/// Whoever starts a node answers for it: it is of its own organisation, and what its certificate says.
result<> check_identity(const swop_context& context, const tasks::sn_definition& what) {
  transport::tls_files files;
  for (const auto& part : what.identity) {
    using enum tasks::identity_part;
    if (part.part == spiffe_socket_path) return {}; // the agent says it to the SN itself
    SWARM_TRY(const auto at, identity_file(context, part));
    (part.part == key      ? files.key
     : part.part == cert   ? files.cert
     : part.part == cacert ? files.cacert
                           : files.capath) = at;
  }
  const auto loaded = transport::tls_identity::load(files);
  if (!loaded) return fail(task_failure::certificate_refused, "{}: {}", what.name, loaded.error().message);
  const auto certificate = (*loaded)->certificate();
  const auto anchor = (*loaded)->anchor();
  const members::proved who{*certificate, *anchor};
  if (!members::roles_of(who, *context.members).has(members::role::sn))
    return fail(task_failure::certificate_refused, "{}: {}", what.name,
                members::refusal(who, members::role::sn, *context.members));
  if (!context.identity->shares_anchor(*anchor))
    return fail(task_failure::certificate_refused,
                "{}: its certificate is {}'s, and this SWOP starts nodes of its own organisation, {}, only",
                what.name, members::organisation_of(who, *context.members),
                members::organisation_of({*context.identity->certificate(), *context.identity->anchor()},
                                         *context.members));
  return {};
}

/// By which SN it joins, and which chain it has to find there.
result<> add_network(const swop_context& context, managers::program_spec& to) {
  const auto flag = [&](std::string name, std::string value) {
    to.argv.push_back(std::move(name));
    to.argv.push_back(std::move(value));
  };
  const auto& told = context.profile.sn;
  if (told.service || (!told.host && context.options.sn_api_service)) {
    flag("--sentinel-api-service", context.sn);
  } else {
    SWARM_TRY(const auto sn, endpoint::parse(context.sn));
    flag("--sentinel-ip", sn.host);
    flag("--sentinel-api-port", std::to_string(sn.port));
  }
  auto genesis = context.options.genesis_hash;
  if (!genesis) genesis = read_known_genesis(context.options.data_dir / "genesis-hash");
  if (genesis) flag("--genesis-hash", to_hex(genesis->view()));
  return {};
}

} // namespace

sn_folders folders_of_sn(const swop_context& context, const std::string& name) {
  const auto folder = context.options.data_dir / "nodes" / ("sn-" + name);
  return {folder / "data", folder / "log"};
}

result<managers::program_spec> plan_sn(const swop_context& context, const tasks::sn_definition& what,
                                       const swop::part_id& part) {
  const auto host = what.host_ip.value_or(context.options.host_ip);
  if (host.empty())
    return fail(
        task_failure::node_not_offered,
        "{}: nobody knows its address: give snhostip in the SWOP profile, or start the SWOP with --host-ip",
        what.name);
  SWARM_CHECK(check_identity(context, what));
  const auto folders = folders_of_sn(context, what.name);
  for (const auto& each : {folders.data, folders.log})
    if (const auto made = make_folders(each, 0700); !made)
      return fail(task_failure::disk_failed, "{}", made.error().message);
  managers::program_spec out;
  out.name = sn_program_name(part, what.name);
  out.environment = environment_of(what.variables);
  out.working_directory = node_data_target;
  out.uid = geteuid();
  out.gid = getegid();
  out.limits = limits_of(what.limits);
  out.output.folder = folders.log.native();
  out.mounts.push_back({folders.data.native(), std::string(node_data_target), true});
  add_own_programs(out);
  out.argv = {fmt::format("{}/swarmd", bin_target), "--role", "sn"};
  const auto flag = [&](std::string name, std::string value) {
    out.argv.push_back(std::move(name));
    out.argv.push_back(std::move(value));
  };
  flag("--data-dir", std::string(node_data_target));
  flag("--node-name", what.name);
  flag("--host-ip", host);
  flag("--sn-api-port", std::to_string(what.api_port));
  flag("--sn-p2p-port", std::to_string(what.p2p_port));
  SWARM_CHECK(add_network(context, out));
  const host_paths paths(context);
  for (const auto& each : what.identity)
    SWARM_CHECK(add_identity(each, paths, out));
  const auto& own = context.options.identity;
  if (own.verify_host) out.argv.emplace_back("--verify-host");
  if (!own.members.empty()) {
    std::error_code failure;
    out.mounts.push_back({fs::absolute(own.members, failure).native(), std::string(members_target), false});
    flag("--members", std::string(members_target));
  }
  return out;
}

std::vector<sn_program> sn_programs(managers::manager& from) {
  std::vector<sn_program> out;
  for (auto& each : from.programs())
    if (auto name = parse_program_name(each.name); name && name->kind == swop::program_kind::sn)
      out.push_back({std::move(*name), std::move(each)});
  return out;
}

std::optional<sn_program> find_sn_program(managers::manager& in, std::string_view node) {
  std::optional<sn_program> out;
  const auto rank = [](const sn_program& of) { return std::pair(of.runs(), of.program.ended_ms); };
  for (auto& each : sn_programs(in))
    if (each.name.node == node && (!out || rank(*out) < rank(each))) out = std::move(each);
  return out;
}

sn_standing_seen look_at_sn(const fs::path& admin_socket) {
  sn_standing_seen out;
  auto client = transport::unix_client::open(admin_socket, sn_answer_bytes_max);
  if (!client) return out;
  client->set_timeout(std::chrono::seconds(1));
  const auto ask = [&](const char* question) -> json::object {
    const auto answer = client->request(question);
    boost::system::error_code failure;
    const auto parsed = answer ? json::parse(*answer, failure) : json::value();
    const auto* whole = parsed.if_object();
    const auto* found = whole != nullptr ? whole->if_contains("result") : nullptr;
    const auto* object = found != nullptr ? found->if_object() : nullptr;
    return object != nullptr ? *object : json::object{};
  };
  const auto member = ask(R"({"id":1,"method":"actor","params":{"name":"/sn/membership"}})");
  if (const auto* state = member.if_contains("state"); state != nullptr && state->is_string())
    out.state = std::string(std::string_view(state->get_string()));
  const auto* detail = member.if_contains("detail");
  const auto* registered =
      detail != nullptr && detail->is_object() ? detail->get_object().if_contains("registered") : nullptr;
  out.is_member = registered != nullptr && registered->is_bool() && registered->get_bool();
  const auto chain = ask(R"({"id":2,"method":"chain","params":{}})");
  boost::system::error_code failure;
  if (const auto* number = chain.if_contains("block_num"); number != nullptr && number->is_number())
    out.block_num = number->to_number<std::uint64_t>(failure);
  return out;
}

} // namespace swarm::actors
