#include "actors/swop/managers/process/spec_json.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <iterator>

namespace spec_json_test {

using namespace swarm;
using namespace swarm::managers;
using swarm::testing::wording;

namespace {

program_spec full() {
  program_spec out;
  out.name = "demo-swarm_mnist_task-u-0";
  out.argv = {"python3", "model/mnist_pyt.py", "--cuda", ""};
  out.environment = {{"MAX_EPOCHS", "2"}, {"EMPTY", ""}, {"TEXT", "\"quoted\" \\ \n \u00e9"}};
  out.working_directory = "/tmp/test";
  out.mounts = {{"/data/private", "/tmp/test", true}, {"/data/model", "/tmp/test/model", false}};
  out.host_name = "user1";
  out.dns = {"10.0.0.1"};
  out.uid = 1000;
  out.gid = 1001;
  out.limits = {1 << 30, 3600, 250, 100, 1 << 20, 1024, 1 << 21, 1 << 22};
  out.gpus = "0,1";
  out.output = {"/var/log/p", 65536, 5};
  out.run_time_max = std::chrono::seconds(7200);
  return out;
}

program_spec least() {
  program_spec out;
  out.name = "p";
  out.argv = {"true"};
  out.working_directory = "/";
  return out;
}

struct broken {
  std::string_view named;
  std::function<void(program_spec&)> change;
};

std::function<void(program_spec&)> variable(std::string name, std::string value) {
  return [=](program_spec& s) { s.environment = {{name, value}}; };
}

std::function<void(program_spec&)> mounted(const mount& what) {
  return [=](program_spec& s) { s.mounts = {what}; };
}

std::vector<broken> broken_commands() {
  static const std::string nul("a\0b", 3);
  return {{"name", [](auto& s) { s.name = ""; }},
          {"name", [](auto& s) { s.name = "../x"; }},
          {"name", [](auto& s) { s.name = ".hidden"; }},
          {"name", [](auto& s) { s.name = std::string(101, 'a'); }},
          {"argv", [](auto& s) { s.argv.clear(); }},
          {"argv", [](auto& s) { s.argv = {""}; }},
          {"argv", [](auto& s) { s.argv = {nul}; }},
          {"argv", [](auto& s) { s.argv = {std::string(200'000, 'a')}; }},
          {"environment", variable("", "x")},
          {"environment", variable("A=B", "x")},
          {"environment", variable("A", nul)},
          {"environment", variable("A", std::string(200'000, 'a'))},
          {"working_directory", [](auto& s) { s.working_directory = "tmp"; }},
          {"working_directory", [](auto& s) { s.working_directory = "/tmp/../etc"; }}};
}

std::vector<broken> broken_worlds() {
  return {{"mounts", mounted({"data", "/x", false})},
          {"mounts", mounted({"/data/../x", "/x", false})},
          {"mounts", mounted({"/data", "/", false})},
          {"mounts", mounted({"/data", "/x/", false})},
          {"mounts", mounted({"/data", "/x//y", false})},
          {"mounts", mounted({"/data", "/proc/self", false})},
          {"mounts", mounted({"/data", "/dev", true})},
          {"mounts",
           [](auto& s) {
             s.mounts = {{"/a", "/x", false}, {"/b", "/x", false}};
           }},
          {"mounts",
           [](auto& s) {
             for (int i = 0; i < 101; ++i)
               s.mounts.push_back({"/a", "/x" + std::to_string(i), false});
           }},
          {"host_name", [](auto& s) { s.host_name = "user 1"; }},
          {"host_name", [](auto& s) { s.host_name = std::string(65, 'a'); }},
          {"dns", [](auto& s) { s.dns = {"10.0.0.1\nsearch evil"}; }},
          {"gpus", [](auto& s) { s.gpus = "0 1"; }},
          {"output", [](auto& s) { s.output.folder = "logs"; }},
          {"output", [](auto& s) { s.output.file_bytes = 10; }},
          {"output", [](auto& s) { s.output.files = 0; }},
          {"output", [](auto& s) { s.output.files = 101; }},
          {"run_time_max_s", [](auto& s) { s.run_time_max = std::chrono::seconds(0); }},
          {"uid", [](auto& s) { s.uid = 0xffffffff; }}};
}

} // namespace

TEST_CASE("what is written can be read") {
  for (const auto& spec : {full(), least()}) {
    const auto back = read_spec(write_spec(spec));
    REQUIRE_MESSAGE(back, back.error().message);
    CHECK(*back == spec);
    CHECK(write_spec(*back) == write_spec(spec));
  }
}

TEST_CASE("each rule is checked and named") {
  auto all = broken_commands();
  std::ranges::move(broken_worlds(), std::back_inserter(all));
  for (const auto& each : all) {
    CAPTURE(each.named);
    auto spec = full();
    each.change(spec);
    const auto done = check_spec(spec);
    REQUIRE_FALSE(done);
    CHECK(wording(done.error()).starts_with(each.named));
    CHECK_FALSE(read_spec(write_spec(spec)));
  }
}

TEST_CASE("nothing may be missing, unknown or of another type") {
  const auto text = write_spec(full());
  const auto changed = [&](std::string_view from, std::string_view to) {
    auto out = text;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  CHECK_FALSE(read_spec(changed("\"uid\":1000,", "")));
  CHECK_FALSE(read_spec(changed("\"uid\":1000", "\"uid\":\"1000\"")));
  CHECK_FALSE(read_spec(changed("\"uid\":1000", "\"uid\":-1")));
  CHECK_FALSE(read_spec(changed("\"uid\":1000", "\"uid\":1e3")));
  CHECK_FALSE(read_spec(changed("\"uid\":1000", "\"uid\":4294967296")));
  CHECK_FALSE(read_spec(changed("\"uid\":1000", "\"uid\":1000,\"privileged\":true")));
  CHECK_FALSE(read_spec(changed("\"writable\":true", "\"writable\":1")));
  CHECK_FALSE(read_spec(changed("\"writable\":true", "\"writable\":true,\"more\":1")));
  CHECK_FALSE(read_spec(changed("\"memory_bytes\"", "\"memory\"")));
  CHECK_FALSE(read_spec(changed("[\"python3\"", "[3,\"python3\"")));
  CHECK_FALSE(read_spec(changed("\"MAX_EPOCHS\":\"2\"", "\"MAX_EPOCHS\":2")));
  CHECK_FALSE(read_spec(text + "x"));
  CHECK_FALSE(read_spec(std::string(spec_bytes_max + 1, ' ')));
  for (const char* other : {"", "[]", "null", "1", "{}", "[[[[[[[[[[[[[[[["})
    CHECK_FALSE(read_spec(other));
}

TEST_CASE("whatever is done to the text, reading it ends, and what is accepted holds the rules") {
  const auto text = write_spec(full());
  seeded_random random(1);
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    CHECK_FALSE(read_spec(std::string_view(text).substr(0, cut)));
  for (int i = 0; i < 5000; ++i) {
    auto other = text;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      other[random.below(other.size())] = static_cast<char>(random.below(256));
    if (const auto read = read_spec(other)) CHECK(check_spec(*read));
  }
}

} // namespace spec_json_test
