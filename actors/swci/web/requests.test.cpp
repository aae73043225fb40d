#include "actors/swci/web/requests.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace requests_test {

using namespace swarm;
using namespace swarm::swci;

namespace {

std::string command_of(std::string_view target) {
  const auto read = read_order({.method = "POST", .target = target});
  if (const auto* no = std::get_if<refusal>(&read)) return fmt::format("{}", no->status);
  return std::get<order::exec>(std::get<any_order>(read)).command;
}

std::variant<any_order, refusal> upload(std::string_view body,
                                        std::string_view type = "multipart/form-data; boundary=x") {
  return read_order({.method = "POST", .target = "/uploadTaskDef", .content_type = type, .body = body});
}

std::string form(std::string_view file_name, std::string_view content) {
  return fmt::format("--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n"
                     "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\n"
                     "Content-Type: application/octet-stream\r\n\r\n{}\r\n--x--\r\n",
                     file_name, content);
}

unsigned status_of(const std::variant<any_order, refusal>& read) {
  const auto* no = std::get_if<refusal>(&read);
  return no == nullptr ? 200 : no->status;
}

} // namespace

TEST_CASE("a command is what follows cmd=, whatever characters clients leave as they are") {
  CHECK(command_of("/exec?cmd=list%20tasks") == "list tasks");
  CHECK(command_of("/exec?cmd=create%20context%20c%20with%20ip%20a.b:30304")
        == "create context c with ip a.b:30304");
  CHECK(command_of("/exec?cmd=cd%20a/b+c&d=%41#e") == "cd a/b+c&d=A#e");
  CHECK(command_of("/exec?cmd=50%") == "50%");
  CHECK(command_of("/exec?cmd=50%2") == "50%2");
  CHECK(command_of("/exec?cmd=50%zz") == "50%zz");
  CHECK(command_of("/exec?cmd=") == "");
  CHECK(command_of("/exec?cmd=%C3%A4") == "\u00e4");
}

TEST_CASE("what is no command is refused") {
  CHECK(command_of("/exec") == "400");
  CHECK(command_of("/exec?command=ls") == "400");
  CHECK(command_of("/exec?cmd=ls%0Apwd") == "400");
  CHECK(command_of("/exec?cmd=ls%00") == "400");
  CHECK(command_of("/exec?cmd=%ff%fe") == "400");
  CHECK(command_of("/exec?cmd=" + std::string(5000, 'x')) == "400");
  CHECK(command_of("/") == "404");
  CHECK(command_of("/execute?cmd=ls") == "404");
  CHECK(status_of(read_order({.method = "GET", .target = "/exec?cmd=ls"})) == 405);
  CHECK(status_of(read_order({.method = "POST", .target = "/exec?cmd=ls", .origin = "https://example.org"}))
        == 403);
  CHECK(std::holds_alternative<order::interrupt>(
      std::get<any_order>(read_order({.method = "POST", .target = "/interrupt"}))));
}

TEST_CASE("an upload is the part 'file' of a form") {
  const auto read = upload(form("task.yaml", "Name: a\r\nBody:\r\n"));
  REQUIRE(status_of(read) == 200);
  const auto& got = std::get<order::upload>(std::get<any_order>(read));
  CHECK(got.name == "task.yaml");
  CHECK(got.content == "Name: a\r\nBody:\r\n");
  const auto none = upload(form("empty.yaml", ""));
  REQUIRE(status_of(none) == 200);
  CHECK(std::get<order::upload>(std::get<any_order>(none)).content.empty());
  CHECK(status_of(upload(form("a b.yaml", "x"), "Multipart/Form-Data; charset=utf-8; boundary=\"x\""))
        == 200);
}

TEST_CASE("names that are no names, and files that are no texts, are refused") {
  for (const auto* name : {"", ".", "..", ".hidden", "../up.yaml", "/etc/passwd", "a/b.yaml", "a\\\\b.yaml",
                           "t\tb", "\xc3\xa4.yaml", "it's"}) {
    CAPTURE(name);
    CHECK(status_of(upload(form(name, "x"))) == 400);
  }
  CHECK(status_of(upload(form(std::string(129, 'a'), "x"))) == 400);
  CHECK(status_of(upload(form("a.yaml", std::string(upload_bytes_max + 1, 'x')))) == 413);
  CHECK(status_of(upload(form("a.yaml", std::string_view("a\0b", 3)))) == 400);
  CHECK(status_of(upload(form("a.yaml", "\xff"))) == 400);
}

TEST_CASE("a form that is cut off anywhere, or is none, is refused") {
  const auto whole = form("a.yaml", "content");
  const auto needed = whole.find("\r\n--x--") + 5; // the end mark of the part
  for (std::size_t size = 0; size < needed; ++size) {
    CAPTURE(size);
    CHECK(status_of(upload(std::string_view(whole).substr(0, size))) == 400);
  }
  CHECK(status_of(upload(whole, "multipart/form-data")) == 400);
  CHECK(status_of(upload(whole, "text/plain; boundary=x")) == 400);
  CHECK(status_of(upload(whole, "multipart/form-data; boundary=\"x")) == 400);
  CHECK(status_of(upload(whole, "multipart/form-data; boundary=")) == 400);
  CHECK(status_of(upload("--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n--x--\r\n"))
        == 400);
  CHECK(status_of(upload("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n1\r\n--x--\r\n"))
        == 400);
}

TEST_CASE("an answer always has an element") {
  CHECK(content_json({}) == R"({"CONTENT":["OK"]})");
  CHECK(content_json({"a\nb", "ERROR : \"c\""}) == R"({"CONTENT":["a\nb","ERROR : \"c\""]})");
}

} // namespace requests_test
