#include "config/tasks/detail/task_body.hpp"

namespace swarm::tasks::detail {

using schema::make_mapping;
using schema::make_text;
using schema::value;
using schema::value_type;

namespace {

value text_or_nothing(const std::optional<std::string>& text) {
  return text ? make_text(*text) : value{};
}

value make_list(std::vector<value> items) {
  value out;
  out.type = value_type::list;
  out.items = std::move(items);
  return out;
}

value::member member(std::string_view key, value content) {
  return {std::string(key), 0, std::move(content)};
}

/// A variable's text stands plain where that reads back as the same text: 25 and not "25".
value variable_value(const std::optional<std::string>& text) {
  if (!text) return {};
  auto plain = schema::plain_scalar(*text);
  return plain.text == *text && !plain.is(value_type::null) ? plain : make_text(*text);
}

value environment_value(const environment& from) {
  if (from.empty()) return {};
  std::vector<value> items;
  for (const auto& each : from)
    items.push_back(make_mapping({member(each.name, variable_value(each.value))}));
  return make_list(std::move(items));
}

value body_of(const run_swarm& from) {
  std::vector<value> shared;
  for (const auto& each : from.shared_content)
    shared.push_back(make_mapping({
        member("MType", make_text(each.type == mount_type::volume ? "VOLUME" : "BIND")),
        member("Src", make_text(each.source)),
        member("Tgt", make_text(each.target)),
    }));
  return make_mapping({
      member("Command", make_text(from.command)),
      member("Entrypoint", make_text(from.entrypoint)),
      member("Envvars", environment_value(from.variables)),
      member("PrivateContent", text_or_nothing(from.private_content)),
      member("SharedContent", shared.empty() ? value{} : make_list(std::move(shared))),
      member("WorkingDir", make_text(from.working_dir)),
  });
}

value operation_value(const content_operation& from) {
  std::vector<value> options;
  if (from.out) options.push_back(make_mapping({member("Out", make_text(*from.out))}));
  if (from.sha256) options.push_back(make_mapping({member("Sha256", make_text(*from.sha256))}));
  return make_mapping({
      member("Operation", make_text(from.kind == operation_kind::extract ? "EXTRACT" : "DOWNLOAD")),
      member("Options", make_list(std::move(options))),
      member("Target", make_text(from.target)),
  });
}

value body_of(const make_swarm_user_content& from) {
  std::vector<value> operations;
  for (const auto& each : from.operations)
    operations.push_back(operation_value(each));
  return make_mapping({
      member("ContentType", make_text(from.type == content_type::build ? "BUILDCONTENT" : "SWARMCONTENT")),
      member("OpsList", make_list(std::move(operations))),
  });
}

std::string_view build_type_name(build_type type) {
  switch (type) {
  case build_type::dockerfile:
    return "INLINE";
  case build_type::remote:
    return "REMOTE";
  case build_type::venv:
    break;
  }
  return "VENV";
}

value body_of(const make_user_container& from) {
  std::vector<value> steps;
  for (const auto& each : from.steps)
    steps.push_back(make_text(each));
  return make_mapping({
      member("BuildContext", text_or_nothing(from.context)),
      member("BuildSteps", make_list(std::move(steps))),
      member("BuildType", make_text(std::string(build_type_name(from.type)))),
  });
}

value body_of(const pull_image& from) {
  value auth;
  if (const auto* path = std::get_if<std::string>(&from.auth)) auth = make_text(*path);
  if (const auto* login = std::get_if<registry_login>(&from.auth))
    auth = make_mapping({member("Password", make_text("$" + login->password_variable)),
                         member("Username", make_text(login->user))});
  return make_mapping({
      member("Auth", std::move(auth)),
      member("OrgAndReg", make_text(from.registry)),
      member("RepoName", make_text(from.repository)),
      member("Tag", make_text(from.tag)),
  });
}

value body_of(const run_node& from) {
  return make_mapping({
      member("Node", make_text(from.node)),
      member("State", make_text(from.state == node_state::stopped ? "STOPPED" : "RUNNING")),
  });
}

} // namespace

value body_value(const task_body& body) {
  return std::visit([](const auto& each) { return body_of(each); }, body);
}

} // namespace swarm::tasks::detail
