// usage: tasks_check_files task|profile FILE...   says of each file, a line of JSON for each: whether it is accepted, its
// errors and warnings, the document as it is after tolerances, and what the schema alone says of that.
#include "config/schema/document.hpp"
#include "config/schema/schemas.hpp"
#include "config/sources/yaml_tree.hpp"
#include "config/tasks/swop_profile.hpp"
#include "config/tasks/task.hpp"

#include <boost/json.hpp>

#include <charconv>
#include <iostream>

using namespace swarm;
namespace json = boost::json;

namespace {

json::value to_json(const schema::value& from) {
  switch (from.type) {
  case schema::value_type::null:
    return nullptr;
  case schema::value_type::boolean:
    return from.text == "True";
  case schema::value_type::integer: {
    std::int64_t number = 0;
    const auto [end, failure] =
        std::from_chars(from.text.data(), from.text.data() + from.text.size(), number);
    return failure == std::errc{} ? json::value(number) : json::value(from.number);
  }
  case schema::value_type::number:
    return from.number;
  case schema::value_type::text:
    return json::value(from.text);
  case schema::value_type::list: {
    json::array out;
    for (const auto& each : from.items)
      out.push_back(to_json(each));
    return out;
  }
  case schema::value_type::mapping: {
    json::object out;
    for (const auto& each : from.members)
      out[each.key] = to_json(each.content);
    return out;
  }
  }
  return nullptr;
}

json::array to_json(const schema::findings& all) {
  json::array out;
  for (const auto& each : all)
    out.push_back({{"line", each.line}, {"path", each.path}, {"keyword", each.keyword}, {"text", each.text}});
  return out;
}

template <class Reading>
json::object verdict(const Reading& read) {
  json::object out{{"accepted", read.value.has_value()},
                   {"errors", to_json(read.errors)},
                   {"warnings", to_json(read.warnings)}};
  if (!read.value) out["message"] = read.value.error().message;
  return out;
}

json::array lines_of(const result<tasks::task_definition>& task) {
  json::array out;
  if (task)
    for (const auto& line : tasks::body_lines(*task))
      out.emplace_back(line);
  return out;
}

json::object check(bool task, const char* file) {
  const auto text = config::read_yaml_file(file);
  if (!text) return {{"accepted", false}, {"message", text.error().message}};
  json::object out;
  if (task) {
    const auto read = tasks::read_task(*text, file);
    out = verdict(read);
    out["body"] = lines_of(read.value);
  } else {
    out = verdict(tasks::read_swop_profile(*text, file));
  }
  auto document = schema::read_document(*text);
  if (!document) return out;
  const auto& rules = task ? schema::task_schema() : schema::swop_profile_schema();
  (void)rules.tolerate(document->root);
  out["document"] = to_json(document->root);
  out["fits"] = rules.check(document->root).empty();
  return out;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  for (int i = 2; i < argc; ++i)
    std::cout << json::serialize(check(argv[1] == std::string_view("task"), argv[i])) << '\n';
  return 0;
}
