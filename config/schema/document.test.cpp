#include "config/schema/document.hpp"

#include <doctest/doctest.h>

#include <string>

namespace document_test {

using namespace swarm::schema;

namespace {

/// Why a text is refused.
std::string refusal(std::string_view text) {
  const auto read = read_document(text);
  return read ? "accepted" : told(read.error(), "f");
}

/// What is tolerated, line by line.
std::string warnings(std::string_view text) {
  const auto read = read_document(text);
  REQUIRE_MESSAGE(read, told(read.error(), "f"));
  return told(read->warnings, "f");
}

} // namespace

TEST_CASE("a document has types and lines") {
  const auto read = read_document("a: 1\nb: [x, '2', ~]\nc:\n  d: True\n");
  REQUIRE(read);
  CHECK(read->warnings.empty());
  CHECK(read->root.find("a")->type == value_type::integer);
  const auto& list = *read->root.find("b");
  CHECK(list.items[1].type == value_type::text);
  CHECK(list.items[2].type == value_type::null);
  CHECK(read->root.find("c")->find("d")->text == "True");
  CHECK(read->root.find("c")->find("d")->line == 4);
}

TEST_CASE("of a key that is given twice the last one counts, with a warning") {
  CHECK(warnings("a: 1\nb: 2\na: 3\n") == "f:3: a: given again (first in line 1); the last one counts");
  CHECK(read_document("a: 1\na: 3\n")->root.find("a")->text == "3");
  CHECK(read_document("a: 1\na: 3\n")->root.members.size() == 1);
}

TEST_CASE("words and numbers that mean something else in YAML are warned of") {
  CHECK(warnings("a: yes")
        == "f:1: a: yes without quotes means True in YAML; write 'yes' in quotes if the text is meant");
  CHECK(warnings("a: 0755")
        == "f:1: a: 0755 without quotes means 493 in YAML; write '0755' in quotes if the text is meant");
  CHECK(warnings("a: 2.10")
        == "f:1: a: 2.10 without quotes means 2.1 in YAML; write '2.10' in quotes if the text is meant");
  CHECK(warnings("a: [true, FALSE, 5, '0755', \"yes\", 2.5]").empty());
}

TEST_CASE("a placeholder that nobody replaced is warned of") {
  CHECK(warnings("a:\n- <CURRENT-PATH>/x\n")
        == "f:2: a[0]: '<CURRENT-PATH>' looks like a placeholder; put in what it stands for");
  CHECK(warnings("a: 'x < y > z'\nb: '<>'\nc: '<a b>'\n").empty());
}

TEST_CASE("aliases and merge keys are replaced") {
  const auto read =
      read_document("base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo: *b\nthree: {<<: [*b, {z: 4}]}\n");
  REQUIRE(read);
  CHECK(read->root.find("one")->find("x")->text == "1");
  CHECK(read->root.find("one")->find("y")->text == "3");
  CHECK(read->root.find("two")->find("y")->text == "2");
  CHECK(read->root.find("three")->find("z")->text == "4");
  CHECK(refusal("a: {<<: 5}") == "f:1: a: '<<' takes in mappings only; write '<<: *NAME' of a mapping");
}

TEST_CASE("aliases that explode are cut off") {
  std::string bombs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bombs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k)
      bombs += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bombs += "]\n";
  }
  CHECK(refusal(bombs)
        == "f:5: the document comes to more than 100000 values or 4194304 bytes with its aliases (*name)");
  const auto texts = "a: &a '" + std::string(100'000, 'x') + "'\nb: [";
  std::string many = texts;
  for (int i = 0; i < 100; ++i)
    many += "*a, ";
  CHECK(refusal(many + "]").starts_with("f:2: the document comes to more than"));
  CHECK(refusal("a: &a [*a]") == "f:1: this alias stands inside of what it stands for");
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i)
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(refusal(deep) == "f:31: nested deeper than 32 levels");
}

TEST_CASE("what is no text in UTF-8 is refused with its place") {
  CHECK(refusal("a: 1\nb: \xff\n") == "f:2: byte 8 is not UTF-8; save the file as UTF-8");
  CHECK(refusal("a: \xc0\x80") == "f:1: byte 3 is not UTF-8; save the file as UTF-8");     // an overlong zero
  CHECK(refusal("a: \xed\xa0\x80") == "f:1: byte 3 is not UTF-8; save the file as UTF-8"); // half of a pair
  CHECK(refusal("a: \xf4\x90\x80\x80") == "f:1: byte 3 is not UTF-8; save the file as UTF-8");
  CHECK(refusal(std::string_view("a: \0", 4)) == "f: not a text file (byte 3 is zero)");
  CHECK(refusal("a: \"x\\0y\"\n")
        == "f:1: a: there is a control character (code 0); only tabs and line ends may be in a text");
  CHECK(refusal("a: \"\\x1b[2J\"\n").starts_with("f:1: a: there is a control character (code 27)"));
  CHECK(refusal("\"a\\x07\": 1").starts_with("f:1: there is a control character (code 7)"));
  CHECK(refusal("\xef\xbb\xbf"
                "a: gr\xc3\xbc\xc3\x9f\n")
        == "accepted"); // a byte order mark, as Windows writes it
  CHECK(refusal("a: \"tab\\tline\\n\"\r\nb: 2\r\n") == "accepted");
}

TEST_CASE("tags of YAML's own types are followed, others refused") {
  CHECK(read_document("a: !!str 5")->root.find("a")->type == value_type::text);
  CHECK(read_document("a: !!str null")->root.find("a")->text == "null");
  CHECK(read_document("a: !!int 5")->root.find("a")->type == value_type::integer);
  CHECK(read_document("a: !!map {b: !!seq [1]}")->root.find("a")->find("b")->items.size() == 1);
  CHECK(refusal("a: !!int x") == "f:1: a: the tag 'tag:yaml.org,2002:int' is not known here; remove it");
  CHECK(refusal("a: !secret x") == "f:1: a: the tag '!secret' is not known here; remove it");
  CHECK(refusal("a: !!python/object:os.system {b: 1}").starts_with("f:1: a: the tag "));
}

TEST_CASE("what the YAML reader refuses comes with its line") {
  CHECK(refusal("a:\n\tb: 1\n").starts_with("f:2: not YAML: "));
  CHECK(refusal("a:\n\tb: 1\n").ends_with("; indent with blanks, a tab does not do"));
  CHECK(refusal("a:\n  b: 1\n  \tc: 1\n").ends_with("; indent with blanks, a tab does not do"));
  CHECK(refusal("a:\n  b: [\n").find("tab") == std::string::npos);
  CHECK(refusal("a:\t1\nb: 'x\ty'\n") == "accepted");
  CHECK(refusal("a: [1\n").starts_with("f:"));
  CHECK(refusal("a: 1\n---\nb: 2\n") == "f: more than one document; remove the second '---'");
  CHECK(refusal("[a]: 1\n") == "f:1: a mapping's key must be a single word");
  CHECK(refusal(std::string((1 << 20) + 1, '#')) == "f: 1048577 bytes; at most 1048576 are read");
}

} // namespace document_test
