#include "merge/model/layout.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "base/utf8.hpp"
#include "merge/model/header_json.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace layout_test {

using namespace swarm;
using namespace swarm::merge;
using namespace swarm::merge::testing;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

/// A file of this JSON text and `data_size` zero bytes.
bytes file_of(std::string json, std::size_t data_size) {
  json.resize((json.size() + 7) / 8 * 8, ' ');
  bytes out(8 + json.size() + data_size);
  for (std::size_t i = 0; i < 8; ++i)
    out[i] = static_cast<std::uint8_t>(json.size() >> (8 * i));
  std::copy(json.begin(), json.end(), out.begin() + 8);
  return out;
}

wording parse_error(const bytes& file) {
  const auto layout = model_layout::parse(file, file.size());
  return layout ? "accepted" : layout.error().message;
}

model_layout made(std::vector<tensor_spec> specs) {
  auto layout = model_layout::make(std::move(specs));
  REQUIRE_MESSAGE(layout, (layout ? "" : layout.error().message));
  return std::move(*layout);
}

wording make_error(std::vector<tensor_spec> specs) {
  const auto layout = model_layout::make(std::move(specs));
  return layout ? "accepted" : layout.error().message;
}

} // namespace

TEST_CASE("a header is the one that the safetensors package writes, byte for byte") {
  const auto file = read_file(SWARM_SOURCE_DIR "/merge/testdata/numpy.safetensors");
  const auto layout = model_layout::parse(file, file.size());
  REQUIRE_MESSAGE(layout, (layout ? "" : layout.error().message));
  CHECK(layout->tensors().size() == 16);
  CHECK(layout->file_size() == file.size());
  const auto header = bytes_view(file).first(layout->data_offset());
  CHECK(to_bytes(header) == layout->canonical_header());

  std::vector<tensor_spec> specs;
  for (const auto& tensor : layout->tensors())
    specs.insert(specs.begin(), {tensor.name, tensor.type, tensor.shape});
  const auto ours = made(specs);
  CHECK(ours.canonical_header() == layout->canonical_header());
  CHECK(ours == *layout);
  CHECK(ours.file_size() == file.size());
  CHECK(ours.find("w.float32")->offset == layout->find("w.float32")->offset);
  CHECK(ours.find("nothing") == nullptr);
}

TEST_CASE("a foreign order of the data does not change a layout") {
  const auto file =
      file_of(R"({"__metadata__":{"format":"pt"}, "a":{"shape":[2],"dtype":"F32","data_offsets":[0,8]},)"
              R"("b":{"dtype":"F64","shape":[],"data_offsets":[8,16]}})",
              16);
  const auto layout = model_layout::parse(file, file.size());
  REQUIRE(layout);
  CHECK(*layout == made({{"a", dtype::f32, {2}}, {"b", dtype::f64, {}}}));
  CHECK(layout->tensors()[0].name == "b");
  CHECK(layout->tensors()[0].offset == 8);
  CHECK(layout->canonical().tensors()[0].offset == 0);
  CHECK(layout->canonical().file_size() == layout->canonical_header().size() + 16);
}

TEST_CASE("a header that breaks a rule is refused by name") {
  const auto one = [](const std::string& tensor) { return fmt::format(R"({{"a":{}}})", tensor); };
  struct row {
    std::string json;
    std::size_t data;
    std::string expected;
  };
  const std::vector<row> rows{
      {"", 0, "this is not a safetensors file"},
      {"[]", 0, "this is not a safetensors file"},
      {"{", 0, "but the text ends"},
      {"{} x", 0, "text after the end"},
      {R"({"a":1})", 0, "'{' expected"},
      {one(R"({"dtype":"F32","shape":[1]})"), 4, "'a' lacks data_offsets"},
      {one(R"({"dtype":"F32","data_offsets":[0,4]})"), 4, "'a' lacks shape"},
      {one(R"({"shape":[1],"data_offsets":[0,4]})"), 4, "'a' lacks dtype"},
      {one(R"({"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})"), 4, "'a' has dtype twice"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":"x"})"), 4, "unknown field 'more'"},
      {one(R"({"dtype":"C64","shape":[1],"data_offsets":[0,8]})"), 8, "unsupported dtype 'C64'"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), 4, "bad data_offsets"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})"), 4, "bad data_offsets"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4,8]})"), 4, "more than 2 numbers"},
      {one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"), 4, "whole number expected"},
      {one(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})"), 4, "']' expected"},
      {one(R"({"dtype":"F32","shape":[01],"data_offsets":[0,4]})"), 4, "leading zero"},
      {one(R"({"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]})"), 4, "number too large"},
      {one(R"({"dtype":"F32","shape":[1,],"data_offsets":[0,4]})"), 4, "whole number expected"},
      {one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"), 4,
       "needs 8 bytes, its data_offsets give 4"},
      {one(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]})"), 4, "is too large"},
      {one(R"({"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]})"), 0, "is too large"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), 8,
       "begins at byte 4 of the data, 0 expected"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), 3,
       "describes 4 bytes of data, but the file has 3"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), 5,
       "describes 4 bytes of data, but the file has 5"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{})"), 4, "'a' appears twice"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})"),
       4, "'b' begins at byte 0 of the data, 4 expected"},
      {one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]})"),
       5, "unaligned byte 1"},
      {R"({"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "a tensor name has 0 bytes"},
      {fmt::format(R"({{"{}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}})", std::string(513, 'n')),
       4, "a tensor name has 513 bytes"},
      {"{\"a\xff\":{}}", 0, "not UTF-8"},
      {"{\"a\n\":{}}", 0, "control character"},
      {R"({"\ud800":{}})", 0, "half of a surrogate pair"},
      {R"({"\q":{}})", 0, "unknown escape"},
      {R"({"\u12g4":{}})", 0, "four hexadecimal digits"},
      {R"({"__metadata__":{"a":1}})", 0, "'\"' expected"},
      {one("{" + std::string(50, ' ') + R"("dtype":"F32","shape":[)" +
           [] {
             std::string dims = "1";
             for (int i = 0; i < 32; ++i)
               dims += ",1";
             return dims;
           }()
           + R"(],"data_offsets":[0,4]})"),
       4, "more than 32 numbers"},
  };
  for (const auto& row : rows) {
    const auto text = parse_error(file_of(row.json, row.data));
    CHECK_MESSAGE(says(text, row.expected), row.json << " gave: " << text);
  }
  CHECK(parse_error(file_of(R"({"\u00e9\ud83d\ude00":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1))
        == "accepted");
  CHECK(parse_error(file_of("{}", 0)) == "accepted");
}

TEST_CASE("a header length that cannot be is refused before anything is read") {
  CHECK(says(parse_error(bytes(7)), "needs 8 for the header's length"));
  bytes file(16, 0xff);
  CHECK(says(parse_error(file), "at most 16777216 are allowed"));
  file = file_of("{}", 0);
  file[0] = 16;
  CHECK(says(parse_error(file), "announces 16 bytes, but the file ends after 8"));
  file = file_of("{}", 1);
  file[0] = 9;
  CHECK(says(parse_error(file), "no multiple of 8"));
}

TEST_CASE("changed bytes of a header never make a layout that its file does not hold") {
  const auto original = read_file(SWARM_SOURCE_DIR "/merge/testdata/numpy.safetensors");
  seeded_random random(11);
  std::size_t accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    auto file = original;
    for (std::uint64_t change = 0; change <= random.below(3); ++change) {
      const auto at = random.below(1056);
      file[at] = random.below(2) != 0 ? static_cast<std::uint8_t>(random()) : file[random.below(1056)];
    }
    const auto layout = model_layout::parse(file, file.size());
    if (!layout) continue;
    ++accepted;
    std::uint64_t total = 0;
    for (const auto& tensor : layout->tensors()) {
      total += tensor.size;
      REQUIRE(tensor.offset + tensor.size <= layout->data_size());
      REQUIRE(tensor_size(tensor.type, tensor.shape).value() == tensor.size);
    }
    REQUIRE(total == layout->data_size());
    REQUIRE(layout->data_offset() + total == file.size());
  }
  CHECK(accepted > 100); // names and spaces may change
}

TEST_CASE("a layout of our own keeps to the limits") {
  CHECK(says(make_error({{"", dtype::f32, {}}}), "0 bytes; 1 to 512"));
  CHECK(says(make_error({{std::string(513, 'a'), dtype::f32, {}}}), "513 bytes"));
  CHECK(says(make_error({{"\xc3", dtype::f32, {}}}), "not UTF-8"));
  CHECK(says(make_error({{"__metadata__", dtype::f32, {}}}), "__metadata__"));
  CHECK(says(make_error({{"a", dtype::f32, tensor_shape(33, 1)}}), "33 dimensions"));
  CHECK(make_error({{"a", dtype::f32, {1}}, {"a", dtype::i8, {1}}}) == "two tensors are called 'a'");
  CHECK(says(make_error({{"a", dtype::f32, {std::uint64_t{1} << 62}}}), "tensor 'a': shape"));
  CHECK(says(make_error({{"a", dtype::u8, {std::uint64_t{1} << 40}}, {"b", dtype::u8, {1}}}), "more than"));
  CHECK(says(make_error(std::vector<tensor_spec>(65537, {"a", dtype::f32, {}})), "65537 tensors"));
  std::vector<tensor_spec> wide;
  for (int i = 0; i < 65536; ++i)
    wide.push_back({fmt::format("{:0500}", i), dtype::u8, {1}});
  CHECK(says(make_error(wide), "the names of all tensors take"));
  CHECK(made({}).data_size() == 0);
}

TEST_CASE("a difference names the first tensors that differ, and how") {
  const auto base = made({{"a", dtype::f32, {2, 3}}, {"b", dtype::f32, {}}, {"c", dtype::i64, {1}}});
  CHECK(difference(base, base).empty());
  CHECK(difference(base, made({{"a", dtype::f32, {3, 2}}, {"b", dtype::f64, {}}, {"c", dtype::i64, {1}}}))
        == "'a' has shape [3, 2] instead of [2, 3]; 'b' has dtype F64 instead of F32");
  CHECK(difference(base, made({{"a", dtype::f32, {2, 3}}, {"b", dtype::f32, {}}, {"d", dtype::i64, {1}}}))
        == "'c' is missing; 'd' is extra");
  CHECK(difference(base, made({})) == "'a' is missing; 'b' is missing; 'c' is missing");
  CHECK(difference(
            made({}),
            made({{"a", dtype::u8, {}}, {"b", dtype::u8, {}}, {"c", dtype::u8, {}}, {"d", dtype::u8, {}}}))
        == "'a' is extra; 'b' is extra; 'c' is extra; and 1 more");
}

TEST_CASE("UTF-8 is what RFC 3629 says") {
  for (const auto* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(good));
  for (const auto* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe1\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc2z"})
    CHECK(!is_utf8(bad));
}

TEST_CASE("a name in a message is quoted, printable and short") {
  CHECK(quote_name("a\n\x7f")
        == "'a?"
           "?'");
  CHECK(quote_name(std::string(79, 'a') + "\u00e9").size() == 79 + 5);
  CHECK(quote_name("\xff") == "''");
}

} // namespace layout_test
