// The body of a task on its way to the chain and back.
#include "base/testing/wording.hpp"
#include "config/tasks/task.hpp"
#include "config/tasks/testing/files.hpp"
#include "config/tasks/testing/random_task.hpp"

#include <doctest/doctest.h>

namespace task_body_test {

using namespace swarm;
using namespace swarm::tasks;
using swarm::testing::wording;
using test::example;

namespace {

using lines = std::vector<std::string>;

task_definition read(const char* name) {
  auto out = read_task(example(name), name);
  REQUIRE(out.value);
  return std::move(*out.value);
}

} // namespace

TEST_CASE("bodies as GET TASK BODY shows them") {
  CHECK(body_lines(read("run_task.yaml"))
        == lines{"---", "Command : model/digits.py --cuda", "Entrypoint : python3",
                 "Envvars :", "- DATA_DIR : app-data", "- MODEL_DIR : model", "- MAX_EPOCHS : 2",
                 "- SWARM_LOOPBACK : False", "PrivateContent : /tmp/test/",
                 "SharedContent :", "- MType : BIND", "  Src : /srv/swarm/model", "  Tgt : /tmp/test/model",
                 "WorkingDir : /tmp/test"});
  CHECK(body_lines(read("build_task.yaml"))
        == lines{"---", "BuildContext : sl-cli-lib", "BuildSteps :", "- FROM python:3.11", "- \" \"",
                 "- RUN pip3 install --upgrade pip && pip3 install \\",
                 "- \"   keras matplotlib pandas protobuf==3.15.6 \"", "- \" \"",
                 "- \"COPY swarmlearning-client-py3-none-manylinux_2_24_x86_64.whl \\",
                 "  /tmp/packages/swarmlearning-client-py3-none-manylinux_2_24_x86_64.whl\"",
                 "- \"RUN pip3 install /tmp/packages/swarmlearning-client-py3-none-manylinux_2_24\\",
                 "  _x86_64.whl\"", "BuildType : INLINE"});
  CHECK(body_lines(read("content_task.yaml")).at(3) == "- Operation : DOWNLOAD");
  CHECK(body_lines(read("pull_task.yaml")).at(1) == "Auth : ~");
  CHECK(body_lines(read("node_task.yaml")) == lines{"---", "Node : sn-2", "State : RUNNING"});
}

TEST_CASE("a body is read back to the same task") {
  for (const auto* name :
       {"run_task.yaml", "build_task.yaml", "content_task.yaml", "pull_task.yaml", "node_task.yaml"}) {
    const auto task = read(name);
    const auto back = task_of(task.head(), body_lines(task));
    REQUIRE(back.value);
    CHECK(*back.value == task);
    CHECK(back.warnings.empty());
  }
}

TEST_CASE("whatever the task, its body is read back and no line is longer than 79 bytes") {
  for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
    CAPTURE(seed);
    const auto task = test::random_task(seed);
    const auto body = body_lines(task);
    CHECK(body.at(0) == "---");
    for (const auto& line : body)
      CHECK(line.size() <= body_line_bytes_max);
    const auto back = task_of(task.head(), body);
    REQUIRE_MESSAGE(back.value, schema::told(back.errors, "body"));
    REQUIRE(*back.value == task);
  }
}

TEST_CASE("lines that people append are read as a file is, and refused with their index") {
  const task_head head{"t", task_type::make_user_container, "me", "ROOTTASK", "env"};
  const lines good{"buildcontext: ~", "BuildType: VENV", "BuildSteps: [numpy]"};
  const auto read = task_of(head, good);
  REQUIRE(read.value);
  CHECK(std::get<make_user_container>(read.value->body).steps == lines{"numpy"});
  CHECK(schema::told(read.warnings, "t", schema::line_numbers::of_task_body)
        == "t:0000: Body.BuildContext: read from 'buildcontext'");
  const auto message = [&](const task_head& of, const lines& body) {
    return task_of(of, body).value.error();
  };
  CHECK(wording(message(head, {"---", "BuildContext: ~", "BuildType: FAST", "BuildSteps: [a]"}))
        == "task t:0002: Body.BuildType: 'FAST' is none of INLINE, REMOTE, VENV");
  CHECK(wording(message(head, {})) == "task t: Body: is empty, expected a mapping");
  CHECK(wording(message(head, {"---", "a: !x 1"}))
        == "task t:0001: Body.a: the tag '!x' is not known here; remove it");
  CHECK(message(head, {"a: ["}).is(tasks_errc::not_a_document));
  auto nameless = head;
  nameless.name = "";
  CHECK(wording(message(nameless, good)) == "task : Name: shorter than 1 character (it has 0)");
}

} // namespace task_body_test
