#include "actors/swci/commands/known_names.hpp"

#include "actors/swci/commands/host_files.hpp"

namespace swarm::swci {

namespace fs = std::filesystem;

namespace {

/// More are not shown to anybody who presses Tab.
constexpr std::size_t names_max = 1000;

} // namespace

void known_names::session_stands(const context_list& contexts, const std::string& working_folder) {
  const std::lock_guard lock(mutex_);
  contexts_.clear();
  for (const auto& [name, entry] : contexts.all())
    contexts_.push_back(name);
  working_ = working_folder;
  if (context_ == contexts.default_name()) return;
  context_ = contexts.default_name();
  for (auto* each : {&contracts_, &tasks_, &taskrunners_, &organisations_, &nodes_, &swops_})
    each->clear();
}

void known_names::learn(const std::string& context, const answer& what) {
  const std::lock_guard lock(mutex_);
  if (context.empty() || context != context_) return;
  if (const auto* list = std::get_if<answers::names>(&what)) {
    if (list->of == "contracts") contracts_ = list->all;
    if (list->of == "tasks") tasks_ = list->all;
    if (list->of == "taskrunners") taskrunners_ = list->all;
  } else if (const auto* organisations = std::get_if<answers::organisations>(&what)) {
    organisations_.clear();
    for (const auto& each : organisations->all)
      organisations_.push_back(each.name);
  } else if (const auto* nodes = std::get_if<answers::nodes>(&what)) {
    nodes_.clear();
    swops_.clear();
    for (const auto& node : nodes->all) {
      nodes_.push_back(node.uid);
      if (node.type == "SWOP") swops_.push_back(node.uid);
    }
  }
}

std::vector<std::string> known_names::of(hole_kind kind, const std::string& prefix) const {
  const std::lock_guard lock(mutex_);
  switch (kind) {
  case hole_kind::context:
    return contexts_;
  case hole_kind::contract:
    return contracts_;
  case hole_kind::task:
    return tasks_;
  case hole_kind::taskrunner:
    return taskrunners_;
  case hole_kind::organisation:
    return organisations_;
  case hole_kind::node:
    return nodes_;
  case hole_kind::peer:
    return swops_;
  case hole_kind::file:
  case hole_kind::files:
    return files(prefix, false);
  case hole_kind::folder:
    return files(prefix, true);
  default:
    return {};
  }
}

std::string known_names::counts_json() const {
  const std::lock_guard lock(mutex_);
  return fmt::format(
      R"({{"contexts":{},"contracts":{},"tasks":{},"taskrunners":{},"organisations":{},"nodes":{}}})",
      contexts_.size(), contracts_.size(), tasks_.size(), taskrunners_.size(), organisations_.size(),
      nodes_.size());
}

std::vector<std::string> known_names::files(const std::string& prefix, bool folders_only) const {
  const auto path = prefix.substr(0, prefix.rfind('/') + 1);
  const auto inside = folder_.inside(working_, path.empty() ? "." : path);
  if (!inside) return {};
  const auto real = existing_inside(folder_, *inside);
  if (!real) return {};
  std::vector<std::string> out;
  std::error_code failure;
  for (fs::directory_iterator at(*real, failure), end; !failure && at != end; at.increment(failure)) {
    const auto name = at->path().filename().native();
    if (name.starts_with('.') || !name.starts_with(std::string_view(prefix).substr(path.size()))) continue;
    std::error_code ignored;
    const bool is_folder = at->is_directory(ignored);
    if (folders_only && !is_folder) continue;
    if (out.size() == names_max) break;
    out.push_back(path + name + (is_folder ? "/" : ""));
  }
  return out;
}

} // namespace swarm::swci
