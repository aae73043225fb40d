#include "config/schema/schemas.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace schemas_test {

using namespace swarm::schema;
namespace json = boost::json;

namespace {

std::string content(const std::string& file) {
  std::ifstream in(SWARM_SOURCE_DIR "/config/schema/" + file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Every property has a description, and every definition a title: the schemas are documentation.
void check_documented(const json::value& rules, const std::string& path) {
  if (rules.is_array())
    for (const auto& each : rules.get_array())
      check_documented(each, path);
  if (!rules.is_object()) return;
  for (const auto& [key, below] : rules.get_object()) {
    const auto place = path + "/" + std::string(key);
    const bool named = key == "properties" || key == "$defs";
    if (named)
      for (const auto& [name, schema] : below.get_object()) {
        CAPTURE(place + "/" + std::string(name));
        const bool condition =
            place.find("/if/") != std::string::npos || place.find("/then/") != std::string::npos;
        CHECK((condition || schema.get_object().contains(key == "$defs" ? "title" : "description")));
      }
    check_documented(below, place);
  }
}

} // namespace

TEST_CASE("a program carries the schemas that are published") {
  CHECK(task_schema_text() == content("task.schema.json"));
  CHECK(swop_profile_schema_text() == content("swop-profile.schema.json"));
  CHECK(members_schema_text() == content("members.schema.json"));
  (void)task_schema(); // made without an assertion
  (void)swop_profile_schema();
  (void)members_schema();
  CHECK(task_policy_schema_text() == content("task-policy.schema.json"));
  (void)task_policy_schema();
}

TEST_CASE("the schemas say which draft they are of, and what each property is") {
  for (const auto text :
       {task_schema_text(), swop_profile_schema_text(), members_schema_text(), task_policy_schema_text()}) {
    const auto schema = json::parse(text);
    CHECK(schema.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
    check_documented(schema, "");
  }
}

TEST_CASE("both schemas mean the same by environment variables") {
  auto one = json::parse(task_schema_text()).at("$defs").at("environment").get_object();
  auto other = json::parse(swop_profile_schema_text()).at("$defs").at("environment").get_object();
  one.erase("examples");
  other.erase("examples");
  CHECK(one == other);
}

} // namespace schemas_test
