#include "actors/swci/language/session/user_folder.hpp"

#include "actors/swci/language/words.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace swarm::swci {

namespace {

/// What follows `root` in a path, if it is `root` or below it.
std::optional<std::string_view> below(std::string_view path, std::string_view root) {
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  return path;
}

std::string joined(std::string_view root, std::string_view inside) {
  return inside.empty() ? std::string(root) : std::string(root) + '/' + std::string(inside);
}

/// Adds the names of a path to those of another; false when it leads above the beginning.
bool walk(std::vector<std::string_view>& names, std::string_view path) {
  while (!path.empty()) {
    const auto name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name != "..")
      names.push_back(name);
    else if (names.empty())
      return false;
    else
      names.pop_back();
  }
  return true;
}

} // namespace

user_folder::user_folder(std::string on_host) : host_root_(std::move(on_host)) {
  while (host_root_.size() > 1 && host_root_.ends_with('/'))
    host_root_.pop_back();
}

result<std::string> user_folder::inside(std::string_view working, std::string_view text) const {
  const auto outside = [&] {
    return fail(errc::denied, "'{}' is outside of {}, which commands cannot leave", shortened(text),
                shown_root);
  };
  auto path = text;
  std::vector<std::string_view> names;
  if (text.starts_with('/')) {
    auto rest = below(text, shown_root);
    if (!rest) rest = below(text, host_root_);
    if (!rest) return outside();
    path = *rest;
  } else if (!walk(names, working)) {
    return outside();
  }
  if (!walk(names, path)) return outside();
  std::string out;
  for (const auto name : names)
    out = out.empty() ? std::string(name) : joined(out, name);
  return out;
}

std::string user_folder::shown(std::string_view inside) {
  return joined(shown_root, inside);
}

std::string user_folder::on_host(std::string_view inside) const {
  return joined(host_root_ == "/" ? "" : host_root_, inside);
}

} // namespace swarm::swci
