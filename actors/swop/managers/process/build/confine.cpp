#include "actors/swop/managers/process/build/confine.hpp"

#include "actors/swop/managers/process/shim_call.hpp"

#include <unistd.h>

#include <sstream>

namespace swarm::build {

namespace fs = std::filesystem;

result<child_command> confined(const fs::path& shim, child_command what) {
  managers::program_spec spec;
  spec.name = "build";
  spec.argv = std::move(what.words);
  spec.working_directory = what.folder.native();
  spec.mounts = std::move(what.mounts);
  spec.uid = ::geteuid();
  spec.gid = ::getegid();
  SWARM_TRY(auto words, managers::tied_words(shim, spec));
  return child_command{std::move(words), std::move(what.environment), "/", {}};
}

std::vector<fs::path> paths_named_by(const std::map<std::string, std::string, std::less<>>& variables) {
  std::vector<fs::path> named{"/etc/pip.conf", "/etc/xdg/pip"};
  for (const auto* name : {"PIP_CONFIG_FILE", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_FIND_LINKS",
                           "PIP_CONSTRAINT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}) {
    const auto found = variables.find(name);
    if (found == variables.end()) continue;
    std::istringstream words(found->second); // pip takes several of some
    constexpr std::string_view scheme = "file://";
    for (std::string each; words >> each;)
      named.emplace_back(each.starts_with(scheme) ? each.substr(scheme.size()) : each);
  }
  if (const auto home = variables.find("HOME"); home != variables.end())
    for (const auto* each : {".config/pip", ".pip"})
      named.push_back(fs::path(home->second) / each);
  std::vector<fs::path> out;
  for (const auto& each : named) {
    auto path = each.lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    std::error_code failure;
    const bool is_the_systems = path.native().starts_with("/usr/") || path.native().starts_with("/etc/ssl/");
    if (path.is_absolute() && path.has_filename() && !is_the_systems && fs::exists(path, failure))
      out.push_back(std::move(path));
  }
  return out;
}

} // namespace swarm::build
