#include "config/tasks/task.hpp"

#include "config/tasks/testing/files.hpp"
#include "config/tasks/testing/readings.hpp"

#include <doctest/doctest.h>

namespace task_test {

using namespace swarm;
using namespace swarm::tasks;
using test::example;
using test::with;

namespace {

const test::readings<task_definition> files(read_task, "t.yaml");

} // namespace

TEST_CASE("a RUN_SWARM task") {
  const auto task = files.accepted(example("run_task.yaml"));
  CHECK(task.head()
        == task_head{"swarm_digits_task", task_type::run_swarm, "radiology", "user_env_task",
                     "swarm_digits_task"});
  CHECK(std::get<run_swarm>(task.body)
        == run_swarm{"model/digits.py --cuda",
                     "python3",
                     "/tmp/test",
                     {{"DATA_DIR", "app-data"},
                      {"MODEL_DIR", "model"},
                      {"MAX_EPOCHS", "2"},
                      {"SWARM_LOOPBACK", "False"}},
                     "/tmp/test/",
                     {{"/srv/swarm/model", "/tmp/test/model", mount_type::bind}}});
  CHECK(files.warnings(example("run_task.yaml")).empty());
}

TEST_CASE("a MAKE_USER_CONTAINER task, of a Dockerfile or of requirements") {
  const auto text = example("build_task.yaml");
  const auto body = std::get<make_user_container>(files.accepted(text).body);
  CHECK(body.context == "sl-cli-lib");
  CHECK(body.type == build_type::dockerfile);
  REQUIRE(body.steps.size() == 7);
  CHECK(body.steps[1] == " ");
  CHECK(body.steps[2].ends_with('\\'));
  CHECK(body.steps[3] == "   keras matplotlib pandas protobuf==3.15.6 ");
  const auto venv = files.accepted(with(with(text, "INLINE", "VENV"), "sl-cli-lib ", "~"));
  CHECK(std::get<make_user_container>(venv.body).type == build_type::venv);
  CHECK(!std::get<make_user_container>(venv.body).context);
  CHECK(std::get<make_user_container>(files.accepted(with(text, "INLINE", "REMOTE")).body).type
        == build_type::remote);
}

TEST_CASE("a MAKE_SWARM_USER_CONTENT task, with a checksum of ours") {
  const auto body = std::get<make_swarm_user_content>(files.accepted(example("content_task.yaml")).body);
  CHECK(body.type == content_type::swarm);
  CHECK(body.operations
        == std::vector<content_operation>{
            {operation_kind::download, "http://192.168.7.2:9292/digits/data.npz", "data/data.npz",
             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
            {operation_kind::extract, "data/model.tar.gz", std::nullopt, std::nullopt}});
  CHECK(
      files.refusal(with(example("content_task.yaml"), "E3B0", "X3B0"))
      == "t.yaml:13: Body.OpsList[0].Options[1].Sha256: not 64 hexadecimal digits, as sha256sum prints them");
}

TEST_CASE("a PULL_IMAGE task, with a password that is not in it") {
  const auto text = example("pull_task.yaml");
  CHECK(std::get<pull_image>(files.accepted(text).body)
        == pull_image{"registry.example/hub/", "pytorch", "2.7.0", {}});
  const auto file = files.accepted(with(text, "Auth      : ~", "Auth: /root/config.json"));
  CHECK(std::get<std::string>(std::get<pull_image>(file.body).auth) == "/root/config.json");
  const auto login = [&](const std::string& password) {
    return with(text, "Auth      : ~", "Auth: {Username: u, Password: " + password + "}");
  };
  for (const char* name : {"$HUB_2", "'${HUB_2}'"}) {
    const auto body = std::get<pull_image>(files.accepted(login(name)).body);
    CHECK(std::get<registry_login>(body.auth) == registry_login{"u", "HUB_2"});
    CHECK(body_lines({"n", "a", "p", "o", body}).at(2) == "  Password : $HUB_2");
  }
  for (const char* secret : {"s3cr$t", "''", "$hub", "$A$B", "'${A'", "A", "'$A '", "'$A\\n'"}) {
    const auto told = files.refusal(login(secret));
    CHECK(
        told
        == "t.yaml:10: Body.Auth.Password: not $NAME, a variable of the SWOPs: a password would stand on the "
           "chain for good, where every member reads it. Start each SWOP with NAME=PASSWORD and "
           "NAME_REGISTRY=REGISTRY, or write the path of a config.json on the SWOPs' hosts as Auth");
  }
  CHECK(files.refusal(with(text, "Auth      : ~", "Auth: {Username: u}"))
        == "t.yaml:10: Body.Auth.Password: missing");
}

TEST_CASE("keys in any case, of the branch that the type says") {
  const auto text = with(with(example("run_task.yaml"), "Envvars", "EnvVars"), "Tgt", "tgt");
  CHECK(files.accepted(text) == files.accepted(example("run_task.yaml")));
  CHECK(files.warnings(text)
        == "t.yaml:10: Body.Envvars: read from 'EnvVars'\n"
           "t.yaml:14: Body.SharedContent[0].Tgt: read from 'tgt'");
  CHECK(files.accepted(with(example("run_task.yaml"), "TaskType", "tasktype"))
        == files.accepted(example("run_task.yaml")));
}

TEST_CASE("values of environment variables reach the program as Python writes them") {
  const auto variables = [](const std::string& list) {
    return std::get<run_swarm>(
               files
                   .accepted(with(example("run_task.yaml"),
                                  "[\"DATA_DIR\": app-data, \"MODEL_DIR\": model, \"MAX_EPOCHS\": 2, "
                                  "\"SWARM_LOOPBACK\": False]",
                                  list))
                   .body)
        .variables;
  };
  CHECK(variables("[A: true, B: 025, C: '025', D: 1.50, E: ~, F: '', G: no, H: 'no']")
        == environment{{"A", "True"},
                       {"B", "21"},
                       {"C", "025"},
                       {"D", "1.5"},
                       {"E", std::nullopt},
                       {"F", ""},
                       {"G", "False"},
                       {"H", "no"}});
  CHECK(variables("~").empty());
  CHECK(variables("[{A: 1, B: 2}, A: 3]") == environment{{"A", "1"}, {"B", "2"}, {"A", "3"}});
}

TEST_CASE("environments are merged, a later one wins") {
  const environment sl{{"A", "1"}, {"B", "2"}}, node{{"B", std::nullopt}, {"C", "3"}, {"C", "4"}};
  CHECK(merged({sl, node}) == environment{{"A", "1"}, {"B", std::nullopt}, {"C", "4"}});
}

TEST_CASE("paths that a program is to see should be absolute") {
  CHECK(files.warnings(with(example("run_task.yaml"), "WorkingDir: /tmp", "WorkingDir: tmp"))
        == "t.yaml:9: Body.WorkingDir: not an absolute path; begin it with '/'");
  CHECK(files.warnings(with(example("run_task.yaml"), "Tgt: /tmp", "Tgt: tmp"))
        == "t.yaml:14: Body.SharedContent[0].Tgt: not an absolute path; begin it with '/'");
}

TEST_CASE("every rule that is broken is told with line, path and remedy") {
  const auto run = example("run_task.yaml"), build = example("build_task.yaml");
  CHECK(files.refusal(with(build, "RUN pip3 install /tmp", "RUN pip3 install /tmp" + std::string(160, 'x')))
        == "t.yaml:16: Body.BuildSteps[6]: longer than 160 characters (it has 246); end the line with '\\' "
           "and go on in "
           "the next item");
  CHECK(files.refusal(with(build, "- ' '", "- ~"))
        == "t.yaml:11: Body.BuildSteps[1]: is empty, expected text; an empty line is ' ' in quotes");
  CHECK(
      files.refusal(with(run, "TaskType: RUN_SWARM", "TaskType: RUN_SWRM"))
      == "t.yaml:2: TaskType: 'RUN_SWRM' is none of RUN_SWARM, MAKE_SWARM_USER_CONTENT, MAKE_USER_CONTAINER, "
         "PULL_IMAGE, RUN_NODE; did you mean 'RUN_SWARM'?");
  CHECK(files.refusal(with(run, "Prereq: user_env_task\n", ""))
        == "t.yaml:1: Prereq: missing; ROOTTASK stands for none");
  CHECK(files.refusal(with(run, "Outcome: swarm_digits_task", "Outcome: 2.7"))
        == "t.yaml:5: Outcome: is a number, expected text; put it in quotes");
  CHECK(files.refusal(with(run, "Entrypoint: python3", "Entrypont: python3"))
        == "t.yaml:7: Body.Entrypoint: missing\n"
           "t.yaml:8: Body.Entrypont: unknown key; did you mean 'Entrypoint'?");
  CHECK(files.refusal(with(run, "MType: BIND", "MType: TMPFS"))
        == "t.yaml:15: Body.SharedContent[0].MType: 'TMPFS' is none of BIND, VOLUME");
  CHECK(files.refusal(with(run, "DATA_DIR\": app", "A=B\": app"))
        == "t.yaml:10: Body.Envvars[0].A=B: the name is not a text without '='");
  CHECK(files.refusal("Name: x\n")
        == "t.yaml:1: TaskType: missing\nt.yaml:1: Author: missing\nt.yaml:1: Prereq: missing; ROOTTASK "
           "stands for "
           "none\nt.yaml:1: Outcome: missing\nt.yaml:1: Body: missing");
  CHECK(files.refusal("") == "t.yaml: is empty, expected a mapping");
  CHECK(files.refusal("a: [") != "accepted");
  CHECK(read_task("a: [", "f").value.error().is(tasks_errc::not_a_document));
  CHECK(read_task("a: 1", "f").value.error().is(tasks_errc::against_schema));
}

TEST_CASE("names of types") {
  for (const auto type : {task_type::run_swarm, task_type::make_swarm_user_content,
                          task_type::make_user_container, task_type::pull_image, task_type::run_node})
    CHECK(task_type_of(name_of(type)) == type);
  CHECK(!task_type_of("run_swarm"));
}

} // namespace task_test
