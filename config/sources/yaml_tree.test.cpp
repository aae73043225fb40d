#include "config/sources/yaml_tree.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace yaml_tree_test {

using namespace swarm;
using namespace swarm::config;
using swarm::testing::wording;

namespace {

wording message(std::string_view text) {
  const auto tree = parse_yaml(text, "f.yaml");
  return tree ? "accepted" : tree.error().message;
}

} // namespace

TEST_CASE("a document keeps its order, its duplicates and its places") {
  const auto tree = parse_yaml("a: 1\nb:\n  - x\n  - {c: 'null'}\na: ~\n", "f.yaml");
  REQUIRE(tree);
  REQUIRE(tree->kind == yaml_kind::mapping);
  REQUIRE(tree->entries.size() == 3);
  CHECK(tree->entries[0].value.text == "1");
  CHECK(tree->entries[2].line == 5);
  CHECK(tree->find("a")->kind == yaml_kind::null);
  CHECK(tree->find("z") == nullptr);
  const auto& list = *tree->find("b");
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[0].line == 3);
  CHECK(list.items[0].column == 5);
  CHECK(list.items[1].find("c")->text == "null"); // quoted: text
  CHECK(list.items[1].find("c")->kind == yaml_kind::scalar);
  CHECK(list.kind_name() == "a list");
}

TEST_CASE("JSON is read as well, and nothing is nothing") {
  CHECK(parse_yaml(R"({"a": [1, true, null]})", "f")->find("a")->items.size() == 3);
  CHECK(parse_yaml("", "f")->kind == yaml_kind::null);
  CHECK(parse_yaml("# only a comment\n", "f")->kind == yaml_kind::null);
}

TEST_CASE("what is no plain single document is refused with its place") {
  CHECK(message("a: [1,\nb: }").starts_with("f.yaml:2:4: not YAML: "));
  CHECK(message("a: &x 1")
        == "f.yaml:1:4: anchors (&name) are not supported; write the value out where it is used");
  CHECK(message("a: *x").starts_with("f.yaml:1:4: "));
  // Found by fuzzing: the reader's own message had a control character.
  const auto cut = parse_yaml("a: \"\\", "f.yaml").error().message;
  CHECK(wording(cut).starts_with("f.yaml:1:"));
  CHECK(std::none_of(cut.begin(), cut.end(), [](char c) { return c >= 0 && c < ' '; }));
  CHECK(message("a: 1\n---\nb: 1\n") == "f.yaml: more than one document; remove the second '---'");
  CHECK(message("? [a]\n: b\n") == "f.yaml:1:3: a mapping's key must be a single word");
  CHECK(message(std::string(40, '[') + std::string(40, ']')) == "f.yaml:1:33: nested deeper than 32 levels");
  CHECK(message(std::string_view("a\0", 2)) == "f.yaml: not a text file (byte 1 is zero)");
  CHECK(message(std::string(yaml_bytes_max + 1, ' ')) == "f.yaml: 1048577 bytes; at most 1048576 are read");
  CHECK(parse_yaml("a: *x", "f").error().is(config_errc::profile_file));
}

TEST_CASE("files that cannot be read say why") {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("swarm-yaml-{}", ::getpid());
  std::filesystem::create_directories(folder);
  CHECK(wording(read_yaml_file(folder).error()) == folder.native() + ": cannot be read: it is a folder");
  CHECK(wording(read_yaml_file(folder / "no").error())
        == (folder / "no").native() + ": cannot be read: No such file or directory");
  std::ofstream(folder / "big") << std::string(yaml_bytes_max + 1, '#');
  CHECK(wording(read_yaml_file(folder / "big").error()).ends_with("it has more than 1048576 bytes"));
  std::ofstream(folder / "good") << "a: 1\n";
  CHECK(read_yaml_file(folder / "good") == std::string("a: 1\n"));
  std::filesystem::remove_all(folder);
}

} // namespace yaml_tree_test
