// The program itself, against a tree in this process.

#include "actors/admin/admin.hpp"
#include "actors/supervision/testing/test_tree.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"
#include "transport/io_runtime.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>

namespace inspect_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::test;
using namespace std::chrono_literals;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

struct output {
  int code = -1;
  std::string text; ///< both streams
};

output inspect(const std::string& arguments) {
  output out;
  auto* pipe = ::popen((std::string(SWARM_INSPECT " ") + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe);
  std::array<char, 4096> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

struct chain_state {};
caf::behavior chain(role_actor<chain_state>*) {
  return {[](const admin_query& q) {
    return q.method == "chain" ? std::string(R"({"block_num":12,"peers":[{"name":"b","lag_ms":3}]})")
                               : fmt::format(R"({{"params":{}}})", q.params);
  }};
}

struct fixture {
  swarm::testing::temporary_folder folder;
  transport::io_runtime io{1};
  std::shared_ptr<journal> log = std::make_shared<journal>();
  std::unique_ptr<running_tree> tree;

  fixture() {
    tree = std::make_unique<running_tree>(supervisor_spec{
        .children = {admin_child({.socket = folder / "admin.sock", .io = &io}),
                     nested({.name = "sn",
                             .how = strategy::rest_for_one,
                             .children = {{.name = "chain", .start = role<chain_state>(chain)},
                                          puppet_child("peers", log)}})}});
    REQUIRE(tree->wait_running("/sn/peers"));
    REQUIRE(tree->wait_running("/sn"));
    tree->env().methods.forward("chain", "/sn/chain");
    tree->env().methods.forward("round", "/sn/chain");
  }
  ~fixture() { tree.reset(); }
  output run(const std::string& arguments) const {
    return inspect("--data-dir " + folder.path().string() + " " + arguments);
  }
};

bool has(const output& out, std::string_view part) {
  return out.text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("tree, actor, top, chain and round print what the process says, for people and as JSON") {
  fixture f;
  auto out = f.run("tree");
  CHECK(out.code == 0);
  CHECK(has(out, "├─ admin"));
  CHECK(has(out, "└─ sn "));
  CHECK(has(out, "   ├─ chain"));
  CHECK(has(out, "   └─ peers"));
  CHECK(has(out, "puppet peers"));
  CHECK(!has(out, "\x1b")); // not a terminal
  out = f.run("--json tree");
  CHECK(out.text.starts_with("{\"actors\":["));
  CHECK(has(f.run("actor peers"), "actor       /sn/peers\n"));
  CHECK(has(f.run("actor peers --json"), "\"path\":\"/sn/peers\""));
  CHECK(has(f.run("top --once --interval 0.05"), "BUSY %"));
  CHECK(has(f.run("top --interval 0.05"), "/sn/chain")); // no terminal: one sample
  CHECK(f.run("chain").text == "block_num  12\n\npeers\n  name  lag_ms\n  b       3 ms\n");
  CHECK(f.run("round").text == "params\n  (none)\n");
  CHECK(f.run("round my.contract --json").text == "{\"params\":{\"contract\":\"my.contract\"}}\n");
}

TEST_CASE("kill shows the supervisor at work") {
  fixture f;
  const auto out = f.run("kill peers");
  CHECK(out.code == 0);
  CHECK(out.text.starts_with("/sn/peers was told to end\nits supervisor started it again within "));
  CHECK(out.text.ends_with("; restarts: 1\n"));
  CHECK(says(f.run("tree").text, "ago: ended on an operator's command"));
  const auto admin = f.run("kill admin");
  CAPTURE(admin.text); // which may say, too, that it was busy with this very command
  CHECK(admin.text.starts_with("/admin was told to end\n"));
  CHECK(admin.text.find("\nits supervisor started it again within ") != std::string::npos);
  CHECK(f.run("kill root").code == 1);
}

TEST_CASE("trace prints messages until the process is gone") {
  fixture f;
  output out;
  std::thread tracing([&] { out = f.run("trace peers"); });
  REQUIRE(eventually([&] { return f.tree->dir().record("/sn/peers")->traced(); }));
  f.tree->dir().send("/sn/peers", do_nothing{});
  f.tree->dir().send("/sn/peers", do_crash{"on command"});
  REQUIRE(eventually([&] { return f.tree->status("/sn/peers").restarts == 1; }));
  REQUIRE(f.tree->wait_running("/sn/peers"));
  CHECK(says(f.run("tree").text, "on command")); // on the same socket, after the events
  f.tree->end();
  tracing.join();
  CHECK(out.code == 0);
  CHECK(has(out, " test::do_nothing\n"));
  CHECK(has(out, " test::do_crash because on command\n"));
  CHECK(says(out.text, " ended on command (in message test::do_crash)\n"));
  CHECK(out.text.ends_with("swarm-inspect: the process has ended\n"));
}

TEST_CASE("mistakes get one line that says what to do") {
  fixture f;
  auto out = f.run("actor chian");
  CHECK(out.code == 1);
  CHECK(wording(out.text) == "swarm-inspect: no actor is called chian; similar: /sn/chain\n");
  const auto missing = (f.folder / "elsewhere").string();
  out = inspect("--data-dir " + missing + " tree");
  CHECK(out.code == 3);
  CHECK(wording(out.text)
        == "swarm-inspect: no swarmd answers at " + missing
               + "/admin.sock: there is no such file. It is not running, or its data directory is another "
                 "one: give "
                 "--data-dir or --socket\n");
  out = inspect("--socket " + f.folder.path().string() + " tree");
  CHECK(out.code == 3);
  CHECK(says(out.text, "is not a socket"));
  CHECK(inspect("").code == 2);
  CHECK(inspect("actor").code == 2);
  CHECK(inspect("nonsense").code == 2);
  CHECK(inspect("--help").code == 0);
}

} // namespace inspect_test
