#include "config/schema/json_schema.hpp"

#include "config/schema/document.hpp"

#include <doctest/doctest.h>

namespace json_schema_test {

using namespace swarm;
using namespace swarm::schema;

namespace {

/// What a document breaks of a schema, line by line.
std::string broken(std::string_view rules, std::string_view text) {
  const auto schema = json_schema::make(rules);
  REQUIRE(schema);
  const auto read = read_document(text);
  REQUIRE(read);
  return told(schema->check(read->root), "f");
}

bool is_schema(std::string_view text) {
  return json_schema::make(text).has_value();
}

} // namespace

TEST_CASE("what is wrong with a type is said with the step to the right one") {
  CHECK(broken(R"({"type": "string"})", "2.5") == "f:1: is a number, expected text; put it in quotes");
  CHECK(broken(R"({"type": "string"})", "yes") == "f:1: is true or false, expected text; put it in quotes");
  CHECK(broken(R"({"type": ["string", "null"]})", "[]") == "f:1: is a list, expected text or nothing (~)");
  CHECK(broken(R"({"type": "integer"})", "'5'")
        == "f:1: is text, expected a whole number; take the quotes off");
  CHECK(broken(R"({"type": "boolean"})", "'true'")
        == "f:1: is text, expected true or false; take the quotes off");
  CHECK(broken(R"({"type": "integer"})", "x") == "f:1: is text, expected a whole number");
  CHECK(broken(R"({"type": "array"})", "a: 1")
        == "f:1: is a mapping, expected a list; write '- ' before each item");
  CHECK(broken(R"({"type": "object"})", "~") == "f:1: is empty, expected a mapping");
  CHECK(broken(R"({"type": "integer"})", "1.0").empty());
  CHECK(broken(R"({"type": "integer"})", "1.5") == "f:1: is a number, expected a whole number");
  CHECK(broken(R"({"type": "number"})", "7").empty());
}

TEST_CASE("keys that are missing, unknown or badly named") {
  constexpr auto rules = R"({"properties": {"Command": {}, "Body": {}}, "required": ["Body"],
                             "additionalProperties": false})";
  CHECK(broken(rules, "Command: 1") == "f:1: Body: missing");
  CHECK(broken(rules, "Body: 1\nComand: 2") == "f:2: Comand: unknown key; did you mean 'Command'?");
  CHECK(broken(rules, "Body: 1\nxyzxyz: 2") == "f:2: xyzxyz: unknown key; there are Command, Body");
  CHECK(broken(rules, "[1]").empty()); // these rules are for mappings alone
  CHECK(broken(R"({"propertyNames": {"pattern": "^[^=]*$", "maxLength": 9}})", "a=b: 1")
        == "f:1: a=b: the name is not of the form ^[^=]*$");
  CHECK(broken(R"({"title": "a name in small letters", "pattern": "^[a-z]*$", "maxLength": 9})", "aB")
        == "f:1: not a name in small letters");
  CHECK(broken(R"({"additionalProperties": {"type": "string"}})", "a: b\nc: 1")
        == "f:2: c: is a whole number, expected text; put it in quotes");
}

TEST_CASE("bounds of texts, numbers, lists and mappings") {
  CHECK(broken(R"({"maxLength": 2})", "abc") == "f:1: longer than 2 characters (it has 3)");
  CHECK(broken(R"({"minLength": 1})", "''") == "f:1: shorter than 1 character (it has 0)");
  CHECK(broken(R"({"maxLength": 2})", "\xc3\xbc\xf0\x9f\x98\x80").empty()); // two characters of six bytes
  CHECK(broken(R"({"minimum": 0})", "-1") == "f:1: -1 is less than 0");
  CHECK(broken(R"({"maximum": 9})", "9.5") == "f:1: 9.5 is more than 9");
  CHECK(broken(R"({"exclusiveMinimum": 0})", "0.0") == "f:1: 0.0 is not more than 0");
  CHECK(broken(R"({"minItems": 1})", "[]") == "f:1: fewer than 1 item (it has 0)");
  CHECK(broken(R"({"maxItems": 1, "items": {"type": "string"}})", "[1, 2]")
        == "f:1: more than 1 item (it has 2)");
  CHECK(broken(R"({"maxProperties": 1})", "{a: 1, b: 2}") == "f:1: more than 1 key (it has 2)");
  CHECK(broken(R"({"uniqueItems": true})", "[1, 2, 1.0]")
        == "f:1: [2]: the same as item 0; keep one of them");
}

TEST_CASE("lists of constants") {
  CHECK(broken(R"({"enum": ["DOCKER", "PROCESS"]})", "DOCKR")
        == "f:1: 'DOCKR' is none of DOCKER, PROCESS; did you mean 'DOCKER'?");
  CHECK(broken(R"({"enum": ["FROMENV"]})", "x") == "f:1: 'x' is not FROMENV");
  CHECK(broken(R"({"enum": ["BIND", "VOLUME"]})", "~") == "f:1: is empty, expected one of BIND, VOLUME");
  CHECK(broken(R"({"enum": [null, 1, true]})", "[~]") != "");
  CHECK(broken(R"({"enum": [null, 1, true]})", "true").empty());
  CHECK(broken(R"({"const": 1})", "1.0").empty());
  CHECK(broken(R"({"const": 1})", "true") != "");
}

TEST_CASE("references, conditions and lists of schemas lead to the rules") {
  constexpr auto rules = R"({
    "allOf": [{"if": {"properties": {"a": {"const": "x"}}, "required": ["a"]},
               "then": {"properties": {"b": {"$ref": "#/$defs/word"}}}}],
    "$defs": {"word": {"type": "string"}}})";
  CHECK(broken(rules, "a: x\nb: 1") == "f:2: b: is a whole number, expected text; put it in quotes");
  CHECK(broken(rules, "a: y\nb: 1").empty());
  CHECK(broken(rules, "b: 1").empty());
  CHECK(broken(R"({"items": {"items": false}})", "- [1]") == "f:1: [0][0]: nothing may stand here");
}

TEST_CASE("findings stand in the order of the lines, and there are not too many") {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "- 1\n";
  const auto schema = json_schema::make(R"({"items": {"type": "string"}})");
  const auto found = schema->check(read_document(text)->root);
  REQUIRE(found.size() == findings_max);
  CHECK(found.front().line == 1);
  CHECK(found.back().line == findings_max);
}

TEST_CASE("a remedy of one's own is said with the rule") {
  auto schema = json_schema::make(R"({"items": {"maxLength": 1}})");
  schema->set_remedies({{"[]", "maxLength", "cut it"}});
  CHECK(told(schema->check(read_document("- ab")->root), "f")
        == "f:1: [0]: longer than 1 character (it has 2); cut it");
}

TEST_CASE("a schema with what is not known here is not taken") {
  CHECK(is_schema(R"({"type": "string"})"));
  CHECK(!is_schema("[1]"));
  CHECK(!is_schema("{"));
  CHECK(!is_schema(R"({"oneOf": []})"));
  CHECK(!is_schema(R"({"properties": {"a": {"contains": true}}})"));
  CHECK(!is_schema(R"({"items": 5})"));
  CHECK(!is_schema(R"({"$ref": "#/$defs/nowhere"})"));
  CHECK(!is_schema(R"({"pattern": "x"})"));
  CHECK(!is_schema(R"({"pattern": "(", "maxLength": 5})"));
  CHECK(!is_schema(R"({"pattern": "x", "maxLength": 5000})"));
}

TEST_CASE("keys in another case or spelling are read, with a warning") {
  auto schema =
      json_schema::make(R"({"properties": {"privatedata": {}, "nodes": {"items": {"$ref": "#/$defs/n"}}},
                                      "$defs": {"n": {"properties": {"subPath": {}}}}})");
  schema->set_spellings({{"privat", "privatedata"}});
  const auto tolerated = [&](std::string_view text) {
    auto root = read_document(text)->root;
    auto out = told(schema->tolerate(root), "f");
    for (const auto& each : root.members)
      out += " " + each.key;
    return out;
  };
  CHECK(tolerated("privateData: 1") == "f:1: privatedata: read from 'privateData' privatedata");
  CHECK(tolerated("Privat: 1") == "f:1: privatedata: read from 'Privat' privatedata");
  CHECK(tolerated("nodes:\n- subpath: 1") == "f:2: nodes[0].subPath: read from 'subpath' nodes");
  CHECK(tolerated("privatedata: 1\nprivateData: 2")
        == "f:2: privatedata: read from 'privateData'\n"
           "f:2: privatedata: given again (first in line 1); the last one counts privatedata");
  CHECK(tolerated("other: 1\nprivatedata: 2") == " other privatedata");
}

TEST_CASE("the content of a sole key may stand beside it, with a warning") {
  const auto schema =
      json_schema::make(R"({"items": {"properties": {"node": {"properties": {"idx": {}}}}}})");
  auto root = read_document("- node:\n  idx: 1\n  Idx: 2\n- node: {idx: 3}\n- node: ~\n")->root;
  const auto warned = told(schema->tolerate(root), "f");
  CHECK(warned.starts_with(
      "f:1: [0].node: what stands beside it is taken as its content; indent it further than this\nf:3: "));
  CHECK(root.items[0].find("node")->find("idx")->text == "2");
  CHECK(root.items[1].find("node")->find("idx")->text == "3");
  CHECK(root.items[2].find("node")->type == value_type::null);
}

} // namespace json_schema_test
