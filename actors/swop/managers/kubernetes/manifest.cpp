#include "actors/swop/managers/kubernetes/manifest.hpp"

#include "actors/swop/managers/docker/container_of.hpp"
#include "actors/swop/managers/slurm/slurm_manager.hpp"
#include "base/file.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::kubernetes {

namespace fs = std::filesystem;
using managers::manager_errc;
using managers::mount;
using managers::node_address_word;
using managers::program_spec;

namespace {

constexpr std::size_t secret_bytes_max = 900 * 1024; ///< of one object; a cluster takes a megabyte
constexpr std::size_t secret_files_max = 64;
constexpr int secret_mode = 0440; ///< root's, and of the group that the pod gives all volumes to
constexpr std::int64_t kept_seconds = 3600;
constexpr std::int64_t deadline_grace_seconds = 5;

bool lies_below(const fs::path& what, const fs::path& folder) {
  return !folder.empty()
         && std::mismatch(folder.begin(), folder.end(), what.begin(), what.end()).first == folder.end();
}

/// A text as a container gets it, letter by letter: the cluster reads "$(NAME)" as a variable and "$$" as "$".
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text)
    out.append(c == '$' ? 2 : 1, c);
  return out;
}

/// The same, and the node's address in place of its word.
std::string with_address(std::string_view text) {
  auto out = literal(text);
  for (auto at = out.find(node_address_word); at != std::string::npos; at = out.find(node_address_word, at)) {
    const auto variable = fmt::format("$({})", node_address_word);
    out.replace(at, node_address_word.size(), variable);
    at += variable.size();
  }
  return out;
}

bool is_label_word(std::string_view text, std::size_t most, std::string_view more) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && text.size() <= most && plain(text.front()) && plain(text.back())
         && std::ranges::all_of(text,
                                [&](char c) { return plain(c) || more.find(c) != std::string_view::npos; });
}

/// Whether it can be a key of an annotation.
bool is_key(std::string_view text) {
  const auto at = text.find('/');
  if (at == std::string_view::npos) return is_label_word(text, 63, "-_.");
  return is_label_word(text.substr(0, at), 253, "-.") && is_label_word(text.substr(at + 1), 63, "-_.");
}

/// How many GPUs "2" or "device=0,2" are.
result<std::uint64_t> gpus_of(const std::string& text) {
  std::uint64_t count = 0;
  if (const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
      failure == std::errc{} && end == text.data() + text.size())
    return count;
  if (const auto at = text.find("device="); at != std::string::npos)
    return static_cast<std::uint64_t>(1 + std::ranges::count(text.substr(at), ','));
  return fail(manager_errc::bad_spec,
              "gpus '{}': a cluster has to be told how many: a number, as gpus: 1 under usrcontaineropts",
              text);
}

class part_maker {
public:
  part_maker(const program_spec& spec, std::string_view container, const mount_places& places)
      : spec_(spec), from_(*spec.container), name_(container), places_(places) {}

  result<json::object> make() {
    SWARM_CHECK(check());
    for (const auto& each : spec_.mounts)
      SWARM_CHECK(add_mount(each));
    if (spec_.limits.shared_memory_bytes)
      add_volume(
          "shm",
          {{"emptyDir", {{"medium", "Memory"}, {"sizeLimit", bytes(*spec_.limits.shared_memory_bytes)}}}},
          {{"mountPath", "/dev/shm"}});
    if (!secret_.empty())
      volumes_.push_back(
          {{"name", own("secret")}, {"secret", {{"items", secret_items_}, {"defaultMode", secret_mode}}}});
    json::object container{{"name", name_},
                           {"image", from_.image},
                           {"env", environment()},
                           {"securityContext", security()},
                           {"volumeMounts", std::move(mounts_)}};
    SWARM_TRY(auto limits, limits_of());
    if (!limits.empty()) container["resources"] = json::object{{"limits", std::move(limits)}};
    if (!spec_.working_directory.empty()) container["workingDir"] = spec_.working_directory;
    if (!from_.entrypoint.empty()) container["command"] = words(from_.entrypoint);
    if (!spec_.argv.empty()) container["args"] = words(spec_.argv);
    if (!from_.ports.empty()) {
      json::array ports;
      for (const auto& each : from_.ports)
        ports.push_back(json::object{{"containerPort", each.container}, {"hostPort", each.host}});
      container["ports"] = std::move(ports);
    }
    json::object annotations;
    for (const auto& [key, value] : from_.labels)
      annotations[key] = value;
    return json::object{{"program", spec_.name},
                        {"container", std::move(container)},
                        {"volumes", std::move(volumes_)},
                        {"secret", std::move(secret_)},
                        {"annotations", std::move(annotations)},
                        {"pod", pod()}};
  }

private:
  result<> check() const {
    const auto refuse = [&](bool is_wrong, std::string_view what) -> result<> {
      if (!is_wrong) return {};
      return fail(manager_errc::bad_spec, "{}: mgrtype KUBERNETES cannot give it {}", spec_.name, what);
    };
    const auto& limits = spec_.limits;
    const auto& options = from_.options;
    SWARM_CHECK(refuse(limits.cpu_seconds || limits.processes || limits.file_bytes || limits.open_files,
                       "limits other than memory and processors"));
    SWARM_CHECK(refuse(!options.devices.empty() || !options.ipc.empty() || !options.security_opt.empty()
                           || options.privileged,
                       "device, ipc, security-opt or privileged of usrcontaineropts"));
    SWARM_CHECK(refuse(!from_.network.empty() && from_.network != "host",
                       fmt::format("the network '{}': leave network out, or take host", from_.network)));
    SWARM_CHECK(refuse(!from_.address.empty(), "a fixed address"));
    for (const auto& [key, value] : from_.labels)
      SWARM_CHECK(refuse(!is_key(key), fmt::format("a label called '{}'", key)));
    return {};
  }

  std::string own(std::string_view what) const { return fmt::format("{}-{}", name_, what); }
  static std::string bytes(std::uint64_t count) { return std::to_string(count); }

  static json::array words(const std::vector<std::string>& from) {
    json::array out;
    for (const auto& each : from)
      out.emplace_back(with_address(each));
    return out;
  }

  /// Others reach a port of the host by the node's address, and all else by the pod's.
  json::array environment() const {
    const char* const where =
        from_.ports.empty() && from_.network != "host" ? "status.podIP" : "status.hostIP";
    json::array out{
        json::object{{"name", node_address_word}, {"valueFrom", {{"fieldRef", {{"fieldPath", where}}}}}}};
    for (const auto& [name, value] : spec_.environment)
      out.push_back(json::object{{"name", name}, {"value", literal(value)}});
    return out;
  }

  json::object security() const {
    json::object capabilities{{"drop", json::array{"ALL"}}};
    if (const auto& more = from_.options.cap_add; !more.empty())
      capabilities["add"] = json::array(more.begin(), more.end());
    return {{"runAsUser", spec_.uid},
            {"runAsGroup", spec_.gid},
            {"runAsNonRoot", spec_.uid != 0},
            {"allowPrivilegeEscalation", false},
            {"capabilities", std::move(capabilities)}};
  }

  result<json::object> limits_of() const {
    json::object out;
    if (const auto cpus = spec_.limits.cpu_percent) out["cpu"] = fmt::format("{}m", *cpus * 10);
    if (const auto most = spec_.limits.memory_bytes) out["memory"] = bytes(*most);
    if (const auto& gpus = from_.options.gpus; !gpus.empty()) {
      SWARM_TRY(const auto count, gpus_of(gpus));
      if (count > 0) out["nvidia.com/gpu"] = std::to_string(count);
    }
    return out;
  }

  json::object pod() const {
    json::object out;
    const bool is_lower = std::ranges::none_of(spec_.host_name, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (is_lower && is_label_word(spec_.host_name, 63, "-")) out["hostname"] = spec_.host_name;
    if (!spec_.dns.empty())
      out["dnsConfig"] = json::object{{"nameservers", json::array(spec_.dns.begin(), spec_.dns.end())}};
    if (from_.network == "host") out["hostNetwork"] = true;
    if (spec_.run_time_max) out["activeDeadlineSeconds"] = spec_.run_time_max->count();
    json::array groups{spec_.gid};
    for (const auto& each : from_.options.group_add) {
      std::uint32_t number = 0;
      if (std::from_chars(each.data(), each.data() + each.size(), number).ec == std::errc{})
        groups.emplace_back(number);
    }
    out["groups"] = std::move(groups);
    return out;
  }

  void add_volume(std::string_view what, json::object source, json::object at) {
    source["name"] = own(what);
    at["name"] = own(what);
    volumes_.push_back(std::move(source));
    mounts_.push_back(std::move(at));
  }

  result<> add_mount(const mount& each) {
    json::object at{{"mountPath", each.target}};
    if (!each.writable) at["readOnly"] = true;
    const auto what = fmt::format("m{}", number_++);
    const fs::path source = each.source;
    if (std::ranges::find(from_.copied, each.target) != from_.copied.end())
      return add_secret(source, what, std::move(at));
    if (!source.is_absolute()) {
      add_volume(what, {{"persistentVolumeClaim", {{"claimName", each.source}}}}, std::move(at));
    } else if (lies_below(source, places_.channels)) {
      // All programs of the pod have this one.
      volumes_.push_back({{"name", "channel"}, {"emptyDir", json::object{}}});
      at["name"] = "channel";
      mounts_.push_back(std::move(at));
    } else if (lies_below(source, places_.scratch)) {
      add_volume(what, {{"emptyDir", json::object{}}}, std::move(at));
    } else if (const auto* volume = volume_of(source)) {
      const auto below = source.lexically_relative(volume->path);
      const auto path = (fs::path(volume->sub_path) / (below == "." ? fs::path() : below)).lexically_normal();
      if (!path.empty()) at["subPath"] = path.native();
      add_volume(what, volume->source, std::move(at));
    } else if (places_.is_in_pod) {
      return fail(manager_errc::path_not_allowed,
                  "{}: lies in the SWOP's own pod only; mount a volume there that programs can have, too",
                  each.source);
    } else {
      add_volume(what, {{"hostPath", {{"path", each.source}}}}, std::move(at));
    }
    return {};
  }

  const own_volume* volume_of(const fs::path& source) const {
    const own_volume* best = nullptr;
    for (const auto& each : places_.volumes)
      if (lies_below(source, each.path)
          && (best == nullptr || each.path.native().size() > best->path.native().size()))
        best = &each;
    return best;
  }

  /// A file, or all files of a folder.
  result<> add_secret(const fs::path& source, const std::string& what, json::object at) {
    at["name"] = own("secret");
    at["subPath"] = what;
    mounts_.push_back(std::move(at));
    std::error_code problem;
    if (!fs::is_directory(source, problem)) return add_secret_file(source, what, what);
    for (const auto& each : fs::directory_iterator(source, problem))
      if (each.is_regular_file(problem)) {
        const auto file = each.path().filename().native();
        SWARM_CHECK(
            add_secret_file(each.path(), fmt::format("{}-{}", what, secret_.size()), what + "/" + file));
      }
    return {};
  }

  result<> add_secret_file(const fs::path& source, const std::string& key, const std::string& path) {
    auto text = read_file(source, secret_bytes_max);
    if (!text) return fail(manager_errc::path_missing, "{}", text.error().message);
    secret_bytes_ += text->size();
    if (secret_.size() >= secret_files_max || secret_bytes_ > secret_bytes_max)
      return fail(manager_errc::bad_spec,
                  "{}: an identity of more than {} files or {} KiB is no Secret of a cluster",
                  source.native(), secret_files_max, secret_bytes_max / 1024);
    if (!std::ranges::all_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
      return fail(manager_errc::bad_spec, "{}: is not PEM, as key and certificates are", source.native());
    secret_[own(key)] = std::move(*text);
    secret_items_.push_back(json::object{{"key", own(key)}, {"path", path}});
    return {};
  }

  const program_spec& spec_;
  const managers::container_spec& from_;
  std::string name_;
  const mount_places& places_;
  json::array volumes_, mounts_, secret_items_;
  json::object secret_;
  std::size_t secret_bytes_ = 0;
  std::size_t number_ = 0;
};

json::object labels_of(std::string_view job, std::string_view owner) {
  return {{"app.kubernetes.io/managed-by", "swarmd"}, {owner_label, owner}, {job_label, job}};
}

/// Volumes that several programs have are there once; secrets get their name now.
json::array volumes_of(std::string_view name, const std::vector<json::object>& parts) {
  json::array out;
  for (const auto& part : parts)
    for (auto each : part.at("volumes").as_array()) {
      auto& volume = each.as_object();
      if (auto* secret = volume.if_contains("secret")) secret->as_object()["secretName"] = name;
      if (std::ranges::none_of(out, [&](const auto& known) { return known.at("name") == volume.at("name"); }))
        out.push_back(std::move(each));
    }
  return out;
}

/// What is a pod's and not a container's: of the first program that has it; the shortest time.
json::object pod_of(const std::vector<json::object>& parts) {
  json::object out{{"restartPolicy", "Never"},
                   {"automountServiceAccountToken", false},
                   {"enableServiceLinks", false},
                   {"terminationGracePeriodSeconds", deadline_grace_seconds}};
  json::array groups;
  for (const auto& part : parts)
    for (const auto& [key, value] : part.at("pod").as_object()) {
      if (key == "groups") {
        for (const auto& each : value.as_array())
          if (std::ranges::find(groups, each) == groups.end()) groups.push_back(each);
      } else if (!out.contains(key)
                 || (key == "activeDeadlineSeconds"
                     && value.to_number<std::int64_t>() < out.at(key).to_number<std::int64_t>())) {
        out[key] = value;
      }
    }
  out["securityContext"] = json::object{{"fsGroup", groups.front()},
                                        {"fsGroupChangePolicy", "OnRootMismatch"},
                                        {"supplementalGroups", groups},
                                        {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  return out;
}

} // namespace

result<json::object> part_of(const program_spec& spec, std::string_view container,
                             const mount_places& places) {
  return part_maker(spec, container, places).make();
}

json::object job_of(std::string_view name, std::string_view owner, const std::vector<json::object>& parts) {
  auto pod = pod_of(parts);
  json::object annotations;
  json::array containers;
  std::string programs;
  for (const auto& part : parts) {
    containers.push_back(part.at("container"));
    programs +=
        fmt::format("{}{}", programs.empty() ? "" : " ", std::string_view(part.at("program").as_string()));
    for (const auto& [key, value] : part.at("annotations").as_object())
      if (!annotations.contains(key)) annotations[key] = value;
  }
  annotations["swarmd.programs"] = programs;
  pod["containers"] = std::move(containers);
  pod["volumes"] = volumes_of(name, parts);
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", {{"name", name}, {"labels", labels_of(name, owner)}, {"annotations", annotations}}},
          {"spec",
           {{"backoffLimit", 0},
            {"ttlSecondsAfterFinished", kept_seconds},
            {"template",
             {{"metadata", {{"labels", labels_of(name, owner)}, {"annotations", annotations}}},
              {"spec", std::move(pod)}}}}}};
}

json::object secret_of(std::string_view name, std::string_view owner, std::string_view job_uid,
                       const std::vector<json::object>& parts) {
  json::object texts;
  for (const auto& part : parts)
    for (const auto& [key, value] : part.at("secret").as_object())
      texts[key] = value;
  if (texts.empty()) return {};
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata",
           {{"name", name},
            {"labels", labels_of(name, owner)},
            {"ownerReferences",
             json::array{json::object{
                 {"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", name}, {"uid", job_uid}}}}}},
          {"type", "Opaque"},
          {"immutable", true},
          {"stringData", std::move(texts)}};
}

} // namespace swarm::kubernetes
