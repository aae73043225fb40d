#include "actors/swop/choices.hpp"

#include "base/endpoint.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "config/parse.hpp"
#include "config/values.hpp"

#include <cstdlib>

namespace swarm::actors {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t profile_bytes_max = 1024 * 1024;

} // namespace

result<tasks::swop_profile> read_swop_profile(const fs::path& file, const std::string& log_source) {
  SWARM_TRY(const auto text, read_file(file, profile_bytes_max));
  auto read = tasks::read_swop_profile(text, file.native());
  for (const auto& each : read.warnings)
    log::warning(log_source, "{}", schema::told(each, file.native()));
  return std::move(read.value);
}

result<std::string> sn_of(const config::swop_options& options, const tasks::sn_locator& told) {
  if (told.service) {
    SWARM_TRY(const auto at,
              endpoint::parse(told.service->find(':') == std::string::npos ? *told.service + ":443"
                                                                           : *told.service));
    return at.to_string();
  }
  if (told.host) return host_port(*told.host, told.port.value_or(30304));
  if (options.sn_api_service) return options.sn_api_service->to_string();
  if (!options.sn_ip.empty()) return host_port(options.sn_ip, options.sn_api_port);
  return fail(errc::not_found,
              "{}: which SN? Give --sn-ip or --sn-api-service, or apisrv in the SWOP profile",
              options.node_name);
}

tasks::manager_type manager_of(const config::swop_options& options, const tasks::swop_profile& profile) {
  using enum tasks::manager_type;
  const auto& flag = options.manager;
  return flag == "process"      ? process
         : flag == "docker"     ? docker
         : flag == "slurm"      ? slurm
         : flag == "kubernetes" ? kubernetes
                                : profile.manager;
}

result<fs::path> engine_socket(const config::swop_options& options) {
  if (!options.engine_socket.empty()) return options.engine_socket;
  if (const auto* said = std::getenv("DOCKER_HOST"); said != nullptr && *said != '\0') {
    auto path = config::to_engine_socket(said);
    if (!path) return fail_with(std::move(path).error(), "DOCKER_HOST");
    return path;
  }
  fs::path usual = "/var/run/docker.sock";
  std::vector<fs::path> others{"/run/podman/podman.sock"};
  if (const auto* own = std::getenv("XDG_RUNTIME_DIR"); own != nullptr)
    others.emplace_back(fs::path(own) / "podman/podman.sock");
  std::error_code failure;
  if (fs::exists(usual, failure)) return usual;
  for (const auto& each : others)
    if (fs::exists(each, failure)) return each;
  return usual;
}

std::string sl_image(const config::swop_options& options) {
  return options.sl_image.empty() ? fmt::format("localhost/swarmd/sl:{}", config::version())
                                  : options.sl_image;
}

} // namespace swarm::actors
