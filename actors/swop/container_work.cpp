#include "actors/swop/container_work.hpp"

#include "actors/swop/content/errors.hpp"
#include "actors/swop/content/tree.hpp"
#include "actors/swop/managers/docker/volumes/engine_volumes.hpp"
#include "actors/swop/managers/docker/volumes/tar_pack.hpp"
#include "actors/swop/managers/process/build/environment.hpp"
#include "actors/swop/plan/host_paths.hpp"
#include "actors/swop/silence_watch.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "config/values.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace swarm::actors {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::uint64_t config_json_bytes_max = 1024 * 1024;
constexpr const char* dockerfile = ".swarmd.Dockerfile"; ///< whatever files the context has

/// "Step 3/7 : RUN x", as engines say it.
std::optional<std::uint64_t> step_in(std::string_view line) {
  constexpr std::string_view word = "step ";
  if (line.size() <= word.size()) return std::nullopt;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(line[i])) != word[i]) return std::nullopt;
  std::uint64_t out = 0;
  const auto read = std::from_chars(line.data() + word.size(), line.data() + line.size(), out);
  if (read.ec != std::errc{} || read.ptr == line.data() + line.size() || *read.ptr != '/')
    return std::nullopt;
  return out;
}

/// The Dockerfile, and after it what a volume has, which was put into a file.
class build_context {
public:
  build_context(std::string text, std::shared_ptr<const file> more)
      : first_(std::move(text)), more_(std::move(more)) {}

  result<std::string> operator()() {
    if (!first_.empty()) return std::exchange(first_, {});
    if (!more_) return std::string();
    std::string out(piece_bytes, '\0');
    SWARM_TRY(const auto count, more_->read({reinterpret_cast<std::uint8_t*>(out.data()), out.size()}));
    out.resize(count);
    return out;
  }

private:
  std::string first_;
  std::shared_ptr<const file> more_;
};

std::map<std::string, std::string> proxies_of(const tasks::swop_profile& profile) {
  std::map<std::string, std::string> out;
  for (const auto& each : profile.variables)
    for (const auto* name : {"http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY",
                             "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})
      if (each.name == name && each.value) out[each.name] = *each.value;
  return out;
}

/// A volume of the engine as a file with an archive of tar in it, which has no name any more.
result<file> spool(const swop_context& context, const std::string& volume, const std::stop_token& stop) {
  const auto path = context.options.data_dir / "build-context.tar";
  SWARM_CHECK(remove_file(path));
  SWARM_TRY(auto to, file::create(path));
  SWARM_CHECK(remove_file(path));
  std::uint64_t at = 0;
  const auto sink = [&](std::string_view piece) -> result<bool> {
    SWARM_CHECK(to.write_at(at, as_bytes(piece)));
    at += piece.size();
    return true;
  };
  SWARM_CHECK(engine::read_volume(*context.engine, context.owner(), volume, sink, stop));
  if (::lseek(to.fd(), 0, SEEK_SET) != 0)
    return fail(file_errc::io, "{}: cannot be read again", path.native());
  return to;
}

/// The task chooses the variable and the registry, and its author may be anybody: only a variable that the operator has
/// given to this registry is sent there.
result<std::string> password_for(const tasks::registry_login& login, const std::string& registry) {
  const auto& name = login.password_variable;
  const auto whose = name + "_REGISTRY";
  const auto* const password = std::getenv(name.c_str());
  const auto* const known = std::getenv(whose.c_str());
  if (password == nullptr || known == nullptr)
    return fail(
        plan_errc::task_not_valid,
        "the task takes its password from the variable {}, and this SWOP has no {}: start it with {}, "
        "the password, and {}={}",
        name, password == nullptr ? name : whose, name, whose, registry);
  if (registry != known)
    return fail(plan_errc::task_not_valid,
                "the task would send the password in {} to the registry {}, and {} says that it is for {}",
                name, registry, whose, known);
  return std::string(password);
}

} // namespace

std::string image_name(const tasks::pull_image& from) {
  auto registry = from.registry;
  while (registry.ends_with('/'))
    registry.pop_back();
  return fmt::format("{}{}{}:{}", registry, registry.empty() ? "" : "/", from.repository, from.tag);
}

result<> container_work::build(const tasks::make_user_container& body) const {
  if (body.type != tasks::build_type::dockerfile)
    return fail(plan_errc::task_not_valid, "BuildType has to be INLINE where programs run in containers");
  if (const auto name = config::to_image(task.outcome); !name)
    return fail(plan_errc::task_not_valid, "Outcome: {}", name.error().message);
  std::string text;
  for (const auto& step : body.steps)
    text += step + "\n";
  std::string head = engine::tar_of_file(dockerfile, text);
  std::shared_ptr<const file> more;
  if (body.context) {
    const tasks::mount wanted{*body.context, "/", tasks::mount_type::volume};
    SWARM_TRY(const auto volume, host_paths(context).source_of(wanted, {}, host_paths::said_by::task));
    SWARM_TRY(auto all, spool(context, volume.native(), stop));
    more = std::make_shared<const file>(std::move(all));
  } else {
    head.append(2 * 512, '\0'); // the end of an archive
  }
  silence_watch silence(said_in_log(context.log_source, "task " + task.name));
  tell({swop::task_step::building, 0});
  const auto on_line = [&](std::string_view line) {
    silence.heard();
    log::info(context.log_source, "task {}: {}", task.name, line);
    const auto step = step_in(line);
    if (!step) return;
    number = *step;
    tell({swop::task_step::building, number});
  };
  const engine::build_wanted wanted{.name = task.outcome,
                                    .dockerfile = dockerfile,
                                    .labels = {{"swarmd.task", task.name}},
                                    .arguments = proxies_of(context.profile),
                                    .network = context.profile.network == "host" ? "host" : ""};
  auto built = context.engine->build(wanted, build_context(std::move(head), std::move(more)), stop, on_line);
  if (!built) {
    const auto& why = built.error();
    if (!why.is(engine::engine_errc::failed) && !why.is(engine::engine_errc::refused)) return built;
    return fail(build::build_errc::failed, "the image {} was not built: {}", task.outcome, why.message);
  }
  if (const auto there = context.engine->image(task.outcome); !there)
    return fail(build::build_errc::failed, "the build has ended, but there is no image {}: {}", task.outcome,
                there.error().message);
  log::info(context.log_source, "task {}: the image {} is there", task.name, task.outcome);
  return {};
}

result<> container_work::pull(const tasks::pull_image& body) const {
  const auto name = image_name(body);
  for (const auto& each : {name, task.outcome})
    if (const auto good = config::to_image(each); !good)
      return fail(plan_errc::task_not_valid, "{}", good.error().message);
  std::string credentials;
  if (const auto* login = std::get_if<tasks::registry_login>(&body.auth)) {
    const auto registry = engine::registry_host(name);
    SWARM_TRY(const auto password, password_for(*login, registry));
    credentials = engine::registry_credentials(login->user, password, registry);
  } else if (const auto* path = std::get_if<std::string>(&body.auth)) {
    SWARM_TRY(const auto source, host_paths(context).here(*path, host_paths::said_by::task));
    SWARM_TRY(const auto text, read_file(source, config_json_bytes_max));
    auto found = engine::registry_credentials_in(text, name);
    if (!found) return fail(plan_errc::task_not_valid, "{}: {}", source.native(), found.error().message);
    credentials = std::move(*found);
    if (credentials.empty())
      log::warning(context.log_source, "task {}: {} has nothing for the registry of {}", task.name,
                   source.native(), name);
  }
  silence_watch silence(said_in_log(context.log_source, "task " + task.name));
  tell({swop::task_step::pulling_image, 0});
  auto pulled = context.engine->pull(name, credentials, stop, [&](std::string_view line) {
    silence.heard();
    log::info(context.log_source, "task {}: {}", task.name, line);
  });
  if (!pulled) {
    const auto& why = pulled.error();
    using enum engine::engine_errc;
    if (why.is(absent) || why.is(forbidden) || why.is(too_old) || why.is(died) || why.is(stopped))
      return pulled;
    return fail(content::content_errc::refused, "the image {} was not pulled: {}", name, why.message);
  }
  if (name != task.outcome) SWARM_CHECK(context.engine->tag(name, task.outcome));
  if (const auto there = context.engine->image(task.outcome); !there) return tl::unexpected(there.error());
  log::info(context.log_source, "task {}: the image {} is there", task.name, task.outcome);
  return {};
}

result<> container_work::bring_into_engine(const std::vector<std::uint64_t>& nodes) const {
  std::vector<fs::path> folders;
  for (const auto node : nodes)
    folders.push_back(context.volumes->path_of(task.outcome, node));
  if (nodes.empty()) folders.push_back(context.volumes->path_of(task.outcome));
  tell({swop::task_step::preparing_volumes, 0});
  SWARM_CHECK(engine::fill_volumes(*context.engine, context.owner(), task.outcome, nodes, folders,
                                   context.uid, context.gid, stop));
  for (const auto& each : folders)
    SWARM_CHECK(content::remove_tree(each));
  return {};
}

} // namespace swarm::actors
