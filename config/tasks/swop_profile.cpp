#include "config/tasks/swop_profile.hpp"

#include "config/schema/schemas.hpp"
#include "config/tasks/detail/fields.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>

namespace swarm::tasks {

using schema::value;
using schema::value_type;

namespace {

constexpr std::array<std::string_view, 4> manager_names{"DOCKER", "PROCESS", "SLURM", "KUBERNETES"};
constexpr std::array<std::string_view, 5> part_names{"KEY", "CERT", "CACERT", "CAPATH", "SPIFFE_SOCKETPATH"};

/// The place of a name in such a table; the schema has seen to it that it is there.
template <class Enum, std::size_t Size>
Enum one_of(const std::array<std::string_view, Size>& names, std::string_view name) {
  for (std::size_t i = 0; i < Size; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return {};
}

std::optional<std::uint16_t> optional_port(const value& from, std::string_view key) {
  const auto number = detail::optional_number(from, key);
  return number ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
}

/// "16G", "512M", "1000" or a number of bytes; the schema's pattern keeps it below 2^64.
std::uint64_t bytes_of(const value& from) {
  if (!from.is(value_type::text)) return static_cast<std::uint64_t>(from.number);
  std::uint64_t out = 0;
  const auto* end = from.text.data() + from.text.size();
  const auto* unit = std::from_chars(from.text.data(), end, out).ptr;
  constexpr std::string_view units = "KMGT";
  if (unit == end) return out;
  const auto power = units.find(static_cast<char>(*unit & ~0x20));
  return power == std::string_view::npos ? out : out << (10 * (power + 1));
}

resource_limits limits_of(const value* from) {
  resource_limits out;
  if (!from) return out;
  if (const auto* memory = from->find("memory"); memory && !memory->is(value_type::null))
    out.memory_bytes = bytes_of(*memory);
  out.cpus = detail::optional_number(*from, "cpus");
  return out;
}

std::vector<std::string> texts_of(const value& from) {
  if (from.is(value_type::null)) return {};
  if (!from.is(value_type::list)) return {from.text};
  std::vector<std::string> out;
  for (const auto& each : from.items)
    out.push_back(each.text);
  return out;
}

void add_named(std::vector<named_values>& to, const value& from) {
  for (const auto& member : from.members)
    to.push_back({member.key, texts_of(member.content)});
}

/// Labels: a mapping of names, or a list of names without values.
std::vector<named_values> labels_of(const value* from) {
  std::vector<named_values> out;
  if (!from) return out;
  add_named(out, *from);
  for (const auto& each : from->items)
    out.push_back({each.text, {}});
  return out;
}

/// Options: a list of mappings.
std::vector<named_values> options_of(const value* from) {
  std::vector<named_values> out;
  if (from)
    for (const auto& each : from->items)
      add_named(out, each);
  return out;
}

/// What is said of an SL and of a training program alike, by keys that begin with "sl" and "usr".
program_definition program_of(const value& node, std::string_view prefix) {
  const auto key = [&](std::string_view rest) { return fmt::format("{}{}", prefix, rest); };
  program_definition out;
  out.host_name = detail::optional_text(node, key("hostname"));
  out.variables = detail::environment_of(node.find(key("envvars")));
  out.labels = labels_of(node.find(key("labels")));
  out.limits = limits_of(node.find(key("limits")));
  for (const auto& option : options_of(node.find(key("networkopts"))))
    if (option.name == "ip" && !option.values.empty()) out.network_ip = option.values.front();
  return out;
}

identity_mount identity_of(const value& attribute) {
  identity_mount out;
  out.part = one_of<identity_part>(part_names, detail::text_of(attribute, "aType"));
  out.where = {detail::text_of(attribute, "src"), detail::text_of(attribute, "tgt"),
               detail::mount_type_of(attribute, "mType")};
  out.sub_path = detail::optional_text(attribute, "subPath");
  return out;
}

node_definition node_of(const value& from) {
  node_definition out;
  out.index = optional_port(from, "idx").value_or(0);
  for (const auto& item : from.find("identity")->items)
    out.identity.push_back(identity_of(*item.find("attribute")));
  out.sl = program_of(from, "sl");
  out.sl_host_ip = detail::optional_text(from, "slhostip");
  out.sl_port = optional_port(from, "slport");
  out.sl_fs_service = detail::optional_text(from, "slfsservice");
  out.user = program_of(from, "usr");
  out.user_options = options_of(from.find("usrcontaineropts"));
  if (const auto* data = from.find("privatedata"); data && data->is(value_type::mapping))
    out.data = private_data{detail::text_of(*data, "src"), detail::mount_type_of(*data, "mType")};
  return out;
}

sn_definition sn_of(const value& from) {
  sn_definition out;
  out.name = detail::text_of(from, "snname");
  for (const auto& item : from.find("identity")->items)
    out.identity.push_back(identity_of(*item.find("attribute")));
  out.host_ip = detail::optional_text(from, "snhostip");
  out.api_port = optional_port(from, "snapiport").value_or(out.api_port);
  out.p2p_port = optional_port(from, "snp2pport").value_or(out.p2p_port);
  out.variables = detail::environment_of(from.find("snenvvars"));
  out.limits = limits_of(from.find("snlimits"));
  if (const auto seconds = detail::optional_number(from, "snpatience"))
    out.patience_seconds = static_cast<std::uint32_t>(*seconds);
  return out;
}

sn_locator locator_of(const value& root) {
  const auto* server = root.find("apisrv");
  const auto* locator = server ? server->find("locator") : nullptr;
  if (!locator) return {};
  return {detail::optional_text(*locator, "host"), optional_port(*locator, "port"),
          detail::optional_text(*locator, "service")};
}

constexpr std::string_view file_scheme = "file://";

/// A path, or a file: URI of this host; none of the web, whose answer somebody else decides.
void check_policy(detail::checked_document& document) {
  const auto* policy = document.root.find("policyuri");
  if (!policy || policy->is(value_type::null)) return;
  const bool is_file = policy->text.starts_with("file:///") || policy->text.find("://") == std::string::npos;
  if (is_file) return;
  document.errors.push_back(
      {policy->line, "policyuri", "rule",
       "give the path of a file of rules, or null to take the tasks of all organisations", policy->column});
}

/// Names and ports of the SNs are different, as several may run at a time.
void check_sns(detail::checked_document& document) {
  const auto* sns = document.root.find("snnodes");
  if (!sns) return;
  std::map<std::string, std::size_t> lines;
  const auto check = [&](const value& at, const std::string& path, std::string taken, std::string_view what) {
    const auto [first, is_new] = lines.emplace(std::move(taken), at.line);
    if (!is_new)
      document.errors.push_back(
          {at.line, path, "rule",
           fmt::format("the SN in line {} has the same; give each {} of its own", first->second, what)});
  };
  for (std::size_t i = 0; i < sns->items.size(); ++i) {
    const auto& one = *sns->items[i].find("snnodedef");
    const auto path = fmt::format("snnodes[{}].snnodedef", i);
    const auto made = sn_of(one);
    check(*one.find("snname"), path + ".snname", made.name, "a name");
    const auto* api = one.find("snapiport");
    const auto* p2p = one.find("snp2pport");
    check(api ? *api : one, path + ".snapiport", fmt::format(":{}", made.api_port), "a port");
    check(p2p ? *p2p : one, path + ".snp2pport", fmt::format(":{}", made.p2p_port), "a port");
  }
}

/// What a schema cannot say.
void check_rules(detail::checked_document& document) {
  check_policy(document);
  check_sns(document);
  std::map<std::string, std::size_t> lines;
  const auto& nodes = document.root.find("nodes")->items;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& index = *nodes[i].find("slnodedef")->find("idx");
    const auto [first, is_new] = lines.emplace(fmt::format("{}", index.number), index.line);
    if (!is_new)
      document.errors.push_back(
          {index.line, fmt::format("nodes[{}].slnodedef.idx", i), "rule",
           fmt::format("the node in line {} has the same; give each node a number of its own",
                       first->second)});
  }
}

void warn_of_rest(detail::checked_document& document) {
  const auto* licences = document.root.find("apls");
  const auto* server = licences ? licences->find("locator") : nullptr;
  if (server && (detail::optional_text(*server, "host") || detail::optional_number(*server, "port")))
    detail::warn(document, *licences, "apls", "no licence is needed, so no licence server is asked");
  const auto& nodes = document.root.find("nodes")->items;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& identity = nodes[i].find("slnodedef")->find("identity")->items;
    for (std::size_t k = 0; k < identity.size(); ++k)
      detail::warn_if_relative(document, identity[k].find("attribute")->find("tgt"),
                               fmt::format("nodes[{}].slnodedef.identity[{}].attribute.tgt", i, k));
  }
}

} // namespace

std::string_view name_of(manager_type type) {
  return manager_names.at(static_cast<std::size_t>(type));
}

const sn_definition* swop_profile::sn_of(std::string_view name) const {
  for (const auto& each : sns)
    if (each.name == name) return &each;
  return nullptr;
}

reading<swop_profile> read_swop_profile(std::string_view text, std::string_view name) {
  auto document = detail::read_and_check(text, schema::swop_profile_schema());
  if (document.errors.empty()) check_rules(document);
  if (!document.errors.empty()) {
    auto problem = detail::refused(document, name);
    return {tl::unexpected(std::move(problem)), std::move(document.errors), std::move(document.warnings)};
  }
  warn_of_rest(document);
  const auto& root = document.root;
  swop_profile out;
  out.group_name = detail::text_of(root, "groupname");
  out.taskrunner = detail::text_of(root, "taskrunner");
  out.policy = detail::optional_text(root, "policyuri");
  if (out.policy && out.policy->starts_with(file_scheme)) out.policy->erase(0, file_scheme.size());
  out.manager = one_of<manager_type>(manager_names, detail::text_of(*root.find("resourcemgr"), "mgrtype"));
  if (const auto* cluster = root.find("resourcemgr")->find("cluster")) {
    const auto text = [&](std::string_view key) { return detail::optional_text(*cluster, key).value_or(""); };
    out.cluster = {text("server"), text("namespace"), text("tokenfile"), text("cafile")};
  }
  out.network = detail::optional_text(root, "network");
  out.sn = locator_of(root);
  out.variables = detail::environment_of(root.find("envvars"));
  if (const auto* dns = root.find("dns")) out.dns = texts_of(*dns);
  for (const auto& each : root.find("nodes")->items)
    out.nodes.push_back(node_of(*each.find("slnodedef")));
  if (const auto* sns = root.find("snnodes"))
    for (const auto& each : sns->items)
      out.sns.push_back(sn_of(*each.find("snnodedef")));
  return {std::move(out), {}, std::move(document.warnings)};
}

} // namespace swarm::tasks
