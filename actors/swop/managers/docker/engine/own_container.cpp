#include "actors/swop/managers/docker/engine/own_container.hpp"

#include "base/file.hpp"

#include <algorithm>

namespace swarm::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t id_chars = 64;
constexpr std::uint64_t mountinfo_bytes_max = 4 * 1024 * 1024;

bool is_id(std::string_view text) {
  return text.size() == id_chars && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The part of a path that is an identifier.
std::string_view id_in_path(std::string_view path) {
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (is_id(path.substr(0, end))) return path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

} // namespace

std::optional<fs::path> own_mounts::on_host(const fs::path& inside) const {
  return moved(inside, &container_mount::target, &container_mount::source);
}

std::optional<fs::path> own_mounts::inside(const fs::path& on_host) const {
  return moved(on_host, &container_mount::source, &container_mount::target);
}

std::optional<fs::path> own_mounts::moved(const fs::path& what, std::string container_mount::*from,
                                          std::string container_mount::*to) const {
  const container_mount* best = nullptr;
  for (const auto& each : mounts_) {
    if (each.is_volume()) continue;
    const fs::path place = each.*from;
    const bool is_within =
        std::mismatch(place.begin(), place.end(), what.begin(), what.end()).first == place.end();
    if (is_within && (best == nullptr || (each.*from).size() > (best->*from).size())) best = &each;
  }
  if (best == nullptr) return std::nullopt;
  const auto below = what.lexically_relative(best->*from);
  return below == "." ? fs::path(best->*to) : fs::path(best->*to) / below;
}

std::string container_id_in(std::string_view mountinfo) {
  while (!mountinfo.empty()) {
    const auto end = std::min(mountinfo.find('\n'), mountinfo.size());
    auto line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    // Number, parent, device, path in its file system, path here.
    std::vector<std::string_view> words;
    while (!line.empty() && words.size() < 5) {
      const auto stop = std::min(line.find(' '), line.size());
      words.push_back(line.substr(0, stop));
      line.remove_prefix(std::min(stop + 1, line.size()));
    }
    if (words.size() < 5
        || (words[4] != "/etc/hostname" && words[4] != "/etc/hosts" && words[4] != "/etc/resolv.conf"))
      continue;
    if (const auto id = id_in_path(words[3]); !id.empty()) return std::string(id);
  }
  return {};
}

result<std::optional<own_mounts>> find_own_mounts(client& of) {
  const auto text = read_file("/proc/self/mountinfo", mountinfo_bytes_max, open_as::stream);
  const auto id = text ? container_id_in(*text) : std::string();
  if (id.empty()) return std::optional<own_mounts>();
  const auto facts = of.inspect(id);
  if (facts) return std::optional<own_mounts>(own_mounts(facts->mounts));
  if (facts.error().is(engine_errc::not_found)) return std::optional<own_mounts>(); // another engine's
  return tl::unexpected(facts.error());
}

} // namespace swarm::engine
