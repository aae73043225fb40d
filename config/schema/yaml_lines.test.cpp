#include "config/schema/yaml_lines.hpp"

#include "config/schema/document.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace yaml_lines_test {

using namespace swarm::schema;

namespace {

using lines = std::vector<std::string>;

std::string joined(const lines& all) {
  std::string out;
  for (const auto& line : all)
    out += line + "\n";
  return out;
}

value list_of(std::vector<value> items) {
  value out;
  out.type = value_type::list;
  out.items = std::move(items);
  return out;
}

/// Values of every shape, with texts that are hard for YAML.
class generator {
public:
  explicit generator(std::uint32_t seed) : random_(seed) {}

  value make(int depth) {
    const auto kind = depth == 0 ? below(3) : below(5);
    if (kind == 0) return {};
    if (kind == 1) return plain_scalar(std::to_string(static_cast<int>(below(2000)) - 1000));
    if (kind == 2) return make_text(text(below(3) == 0 ? 300 : 12));
    if (kind == 3) {
      std::vector<value> items;
      for (auto i = below(4); i > 0; --i)
        items.push_back(make(depth - 1));
      return list_of(std::move(items));
    }
    std::vector<value::member> members;
    for (auto i = below(4); i > 0; --i) {
      auto key = text(below(4) == 0 ? 200 : 8);
      const auto same = [&](const auto& other) { return other.key == key; };
      if (key == "<<" || std::any_of(members.begin(), members.end(), same)) continue;
      members.push_back({std::move(key), 0, make(depth - 1)});
    }
    return make_mapping(std::move(members));
  }

private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string text(std::size_t longest) {
    constexpr std::string_view pieces[]{"a",
                                        "B",
                                        "7",
                                        " ",
                                        "  ",
                                        "\t",
                                        "\n",
                                        "\\",
                                        "\"",
                                        "'",
                                        "#",
                                        " #",
                                        ":",
                                        ": ",
                                        "-",
                                        "- ",
                                        "?",
                                        "~",
                                        "null",
                                        "True",
                                        "yes",
                                        "0x1",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        ",",
                                        "&",
                                        "*",
                                        "!",
                                        "|",
                                        ">",
                                        "%",
                                        "@",
                                        "`",
                                        "/",
                                        ".",
                                        "...",
                                        "_",
                                        "\xc3\xbc",
                                        "\xc2\x85",
                                        "\xf0\x9f\x98\x80",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "=",
                                        "<<",
                                        "$",
                                        "--",
                                        "\r",
                                        "\xc2\xa0",
                                        "\xef\xbf\xbe"};
    std::string out;
    const auto size = below(longest + 1);
    while (out.size() < size)
      out += pieces[below(std::size(pieces))];
    return out;
  }

  std::mt19937 random_;
};

} // namespace

TEST_CASE("members are sorted, lists stand below their key, and what can stand plain does") {
  const auto root =
      read_document("z: [1, x, {b: 2, a: ~}]\ny: {}\nx: []\nw: '25'\nv: True\nu: {t: s}\n")->root;
  CHECK(yaml_lines(root, 79)
        == lines{"---", "u :", "  t : s", "v : True", "w : \"25\"", "x : []", "y : {}", "z :", "- 1", "- x",
                 "- a : ~", "  b : 2"});
  CHECK(yaml_lines(make_text("x"), 79) == lines{"---", "x"});
  CHECK(yaml_lines({}, 79) == lines{"---", "~"});
}

TEST_CASE("long texts go on in further lines, at a blank where there is one") {
  const auto root = make_mapping({{"a", 0, make_text("one two three four five six seven eight  nine")}});
  CHECK(yaml_lines(root, 40)
        == lines{"---", "a : \"one two three four five six seven \\", "  eight  nine\""});
  const auto word = make_mapping({{"a", 0, make_text(std::string(50, 'x'))}});
  CHECK(yaml_lines(word, 40)
        == lines{"---", "a : \"" + std::string(34, 'x') + "\\", "  " + std::string(16, 'x') + "\""});
  const auto key = make_mapping({{std::string(50, 'k'), 0, plain_scalar("1")}});
  CHECK(yaml_lines(key, 40)
        == lines{"---", "? \"" + std::string(36, 'k') + "\\", "  " + std::string(14, 'k') + "\"", ": 1"});
}

TEST_CASE("whatever is written is read back, in lines of the width that was asked for") {
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    const auto root = generator(seed).make(4);
    const auto written = yaml_lines(root, 79);
    for (const auto& line : written)
      CHECK(line.size() <= 79);
    const auto read = read_document(joined(written));
    CAPTURE(joined(written));
    REQUIRE_MESSAGE(read, told(read.error(), "f"));
    REQUIRE(equal(read->root, root));
  }
}

} // namespace yaml_lines_test
