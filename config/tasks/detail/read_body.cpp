#include "config/tasks/detail/fields.hpp"
#include "config/tasks/detail/task_body.hpp"

#include <algorithm>
#include <iterator>

namespace swarm::tasks::detail {

using schema::value;
using schema::value_type;

namespace {

std::string lower(std::string_view hexadecimal) {
  std::string out(hexadecimal);
  for (char& c : out)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

run_swarm read_run(const value& from) {
  run_swarm out;
  out.command = text_of(from, "Command");
  out.entrypoint = text_of(from, "Entrypoint");
  out.working_dir = text_of(from, "WorkingDir");
  out.variables = environment_of(from.find("Envvars"));
  out.private_content = optional_text(from, "PrivateContent");
  if (const auto* shared = from.find("SharedContent"))
    for (const auto& each : shared->items)
      out.shared_content.push_back(
          {text_of(each, "Src"), text_of(each, "Tgt"), mount_type_of(each, "MType")});
  return out;
}

content_operation read_operation(const value& from) {
  content_operation out;
  out.kind = text_of(from, "Operation") == "EXTRACT" ? operation_kind::extract : operation_kind::download;
  out.target = text_of(from, "Target");
  if (const auto* options = from.find("Options"))
    for (const auto& each : options->items) {
      if (auto path = optional_text(each, "Out")) out.out = std::move(path);
      if (const auto sum = optional_text(each, "Sha256")) out.sha256 = lower(*sum);
    }
  return out;
}

make_swarm_user_content read_content(const value& from) {
  make_swarm_user_content out;
  out.type = text_of(from, "ContentType") == "BUILDCONTENT" ? content_type::build : content_type::swarm;
  if (const auto* operations = from.find("OpsList"))
    for (const auto& each : operations->items)
      out.operations.push_back(read_operation(each));
  return out;
}

make_user_container read_build(const value& from) {
  make_user_container out;
  out.context = optional_text(from, "BuildContext");
  const auto type = text_of(from, "BuildType");
  out.type = type == "VENV"     ? build_type::venv
             : type == "REMOTE" ? build_type::remote
                                : build_type::dockerfile;
  if (const auto* steps = from.find("BuildSteps"))
    for (const auto& each : steps->items)
      out.steps.push_back(each.text);
  return out;
}

/// "$NAME" and "${NAME}" are the variable NAME.
std::string variable_in(const std::string& text) {
  std::string out;
  std::ranges::remove_copy_if(text, std::back_inserter(out),
                              [](char c) { return c == '$' || c == '{' || c == '}'; });
  return out;
}

pull_image read_pull(const value& from) {
  pull_image out;
  out.registry = text_of(from, "OrgAndReg");
  out.repository = text_of(from, "RepoName");
  out.tag = text_of(from, "Tag");
  const auto* auth = from.find("Auth");
  if (auth && auth->is(value_type::text)) out.auth = auth->text;
  if (auth && auth->is(value_type::mapping))
    out.auth = registry_login{text_of(*auth, "Username"), variable_in(text_of(*auth, "Password"))};
  return out;
}

run_node read_node(const value& from) {
  return {text_of(from, "Node"),
          text_of(from, "State") == "STOPPED" ? node_state::stopped : node_state::running};
}

} // namespace

task_body read_body(task_type type, const value& from) {
  switch (type) {
  case task_type::run_swarm:
    return read_run(from);
  case task_type::make_swarm_user_content:
    return read_content(from);
  case task_type::make_user_container:
    return read_build(from);
  case task_type::pull_image:
    return read_pull(from);
  case task_type::run_node:
    return read_node(from);
  }
  return {};
}

} // namespace swarm::tasks::detail
