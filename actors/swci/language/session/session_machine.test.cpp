#include "actors/swci/language/session/session_machine.hpp"

#include "actors/swci/language/render/render.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace session_session_machine_test {

using namespace swarm;
using namespace swarm::swci;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

/// A session with a terminal that keeps what it shows, and a shell that carries out what a test says.
class session {
public:
  explicit session(std::string_view script = {}) {
    auto lines = split_script(script);
    REQUIRE(lines);
    machine.step(event::script_read{"init", std::move(*lines)}, {});
    take();
  }

  void enter(const std::string& line) {
    REQUIRE(asking);
    screen += asked_with + line + '\n';
    asking = false;
    machine.step(event::line_entered{line}, {});
    take();
  }
  template <class Event>
  void tell(const Event& what) {
    machine.step(what, {});
    take();
  }
  void done() { tell(event::command_done{running.id, std::nullopt}); }
  void fails(std::string text) {
    tell(event::command_failed{running.id, make_error(errc::io, std::move(text))});
  }
  /// With a context to work in.
  void connect() {
    enter("create context c with ip sn1");
    done();
    enter("switch context c");
    screen.clear();
  }

  session_machine machine{user_folder("/srv/swci")};
  std::string screen;
  std::string asked_with;
  bool asking = false;
  action::run running;
  std::optional<std::uint64_t> cancelled;
  std::optional<int> exit_code;

private:
  void take() {
    for (auto& each : machine.take_actions())
      std::visit([&](auto& what) { act(what); }, each);
  }
  void act(const action::ask_line& what) {
    asking = true;
    asked_with = what.prompt;
  }
  void act(const action::echo& what) { screen += what.prompt + what.line + '\n'; }
  void act(const action::show& what) {
    if (what.anew) screen += "again:\n";
    screen +=
        is_at_prompt(what.what) ? what.prompt + text_of(what.what).front() + '\n' : shown_text(what.what);
  }
  void act(const action::show_error& what) {
    screen += std::string(indent) + error_text_of(what.text) + '\n';
  }
  void act(const action::note& what) { screen += std::string(indent) + what.text + '\n'; }
  void act(const action::mark&) { screen += '#'; }
  void act(const action::run& what) { running = what; }
  void act(const action::cancel& what) { cancelled = what.id; }
  void act(const action::exit& what) { exit_code = what.code; }
};

} // namespace

TEST_CASE("commands are counted, remarks are not") {
  session s;
  CHECK(s.asked_with == "SWCI:0 > ");
  s.enter("# a remark");
  s.enter("");
  s.enter("pwd()");
  s.enter("EXIT ON FAILURE OFF");
  s.enter("nonsense");
  CHECK(s.asked_with == "SWCI:3 > ");
  CHECK(wording(s.screen)
        == "SWCI:0 > # a remark\n"
           "SWCI:0 > \n"
           "SWCI:0 > pwd()\n"
           "    /platform/swarm/usr\n"
           "SWCI:1 > EXIT ON FAILURE OFF\n"
           "SWCI:1 > EXIT ON FAILURE IS TURNED OFF\n"
           "SWCI:2 > nonsense\n"
           "    ERROR : unknown command 'nonsense'; HELP lists all commands\n");
}

TEST_CASE("a context is created, chosen and asked") {
  session s;
  s.enter("LIST NODES");
  CHECK(says(s.screen,
             "there is no default context: CREATE CONTEXT <context> WITH IP <ip>, then SWITCH CONTEXT"));
  s.screen.clear();
  s.enter("CREATE CONTEXT testContext WITH IP sn.test.sw.net");
  CHECK(!s.asking);
  CHECK(s.running.context.empty());
  s.tell(event::command_says{s.running.id, answers::sn_is_up{}});
  s.done();
  s.enter("SWITCH CONTEXT testContext");
  CHECK(s.screen
        == "SWCI:1 > CREATE CONTEXT testContext WITH IP sn.test.sw.net\n"
           "    API Server is UP!\n"
           "    CONTEXT CREATED : testContext\n"
           "SWCI:2 > SWITCH CONTEXT testContext\n"
           "    DEFAULT CONTEXT SET TO : testContext\n");
  s.enter("LIST NODES");
  CHECK(s.running.context == "testContext");
  CHECK(s.running.what == command(commands::list_nodes{}));
  s.done();
  s.enter("GET CONTEXT INFO");
  CHECK(s.running.what == command(commands::get_context_info{"testContext"}));
  CHECK(s.running.context == "testContext");
  s.done();
  s.screen.clear();
  s.enter("LIST CONTEXTS");
  CHECK(says(s.screen, "    testContext  sn.test.sw.net:30304  no       yes\n"));
}

TEST_CASE("a context's name stands for one SN, and its variables are its own") {
  session s;
  s.connect();
  s.enter("create context c with ip sn1");
  s.done();
  CHECK(says(s.screen, "CONTEXT CREATED : c"));
  s.enter("create context c with ip sn2");
  CHECK(s.asking);
  CHECK(says(s.screen, "there is a context 'c' already, with sn1:30304; choose another name"));
  s.enter("switch context d");
  CHECK(says(s.screen, "there is no context 'd'"));
  s.screen.clear();
  s.enter("set context env A 'two words'");
  s.enter("set context env c B 1");
  s.enter("set context env d B 1");
  s.enter("get context env A");
  s.enter("get context env b");
  s.enter("list context env");
  CHECK(wording(s.screen)
        == "SWCI:5 > set context env A 'two words'\n"
           "    VARIABLE SET : A\n"
           "SWCI:6 > set context env c B 1\n"
           "    VARIABLE SET : B\n"
           "SWCI:7 > set context env d B 1\n"
           "    ERROR : there is no context 'd'; LIST CONTEXTS shows those that there are\n"
           "SWCI:8 > get context env A\n"
           "    VARIABLE  VALUE\n"
           "    A         two words\n"
           "SWCI:9 > get context env b\n"
           "    ERROR : context 'c' has no variable b\n"
           "SWCI:10 > list context env\n"
           "    VARIABLE  VALUE\n"
           "    A         two words\n"
           "    B         1\n");
}

TEST_CASE("contexts and their variables are bounded") {
  context_list all;
  for (std::size_t i = 0; i < context_list::contexts_max; ++i)
    REQUIRE(all.add("c" + std::to_string(i), {}));
  CHECK(all.add("one more", {}).error().is(errc::limit));
  CHECK(all.add("c0", {}));
  for (std::size_t i = 0; i < context_list::variables_max; ++i)
    REQUIRE(all.set_variable("c0", "V" + std::to_string(i), ""));
  CHECK(all.set_variable("c0", "V", "").error().is(errc::limit));
  CHECK(all.set_variable("c0", "V0", "x"));
  CHECK(all.set_variable("", "V0", "x").error().is(errc::not_found));
}

TEST_CASE("the working folder is where files are named from, and it stays in the user folder") {
  session s;
  s.connect();
  s.enter("cd taskdefs");
  CHECK(s.running.what == command(commands::change_folder{"taskdefs"}));
  CHECK(s.machine.working_folder().empty());
  s.done();
  CHECK(says(s.screen, "SWCI:2 > Current Directory : /platform/swarm/usr/taskdefs\n"));
  s.enter("create task from build.yaml");
  CHECK(s.running.what == command(commands::create_task_from{"taskdefs/build.yaml"}));
  s.done();
  s.enter("get model m to ../model");
  CHECK(s.running.what == command(commands::get_model{"m", std::nullopt, "model"}));
  s.done();
  s.enter("prove m round 1 to /platform/swarm/usr/proof");
  CHECK(s.running.what == command(commands::prove_merge{"m", 1, "proof"}));
  s.done();
  s.enter("ls");
  CHECK(s.running.what == command(commands::list_files{"", {"taskdefs"}}));
  s.done();
  s.enter("ls -l .. x");
  CHECK(s.running.what == command(commands::list_files{"l", {"", "taskdefs/x"}}));
  s.done();
  s.enter("admit organisation x from ca.pem");
  CHECK(s.running.what == command(commands::admit_organisation{"x", "taskdefs/ca.pem"}));
  s.done();
  s.enter("admit organisation x from spiffe://x.example");
  CHECK(s.running.what == command(commands::admit_organisation{"x", "spiffe://x.example"}));
  s.done();
  s.enter("replace ca of x from spiffe://y.example");
  CHECK(s.running.what == command(commands::replace_ca{"x", "spiffe://y.example"}));
  s.done();
  s.enter("cd nowhere");
  s.fails("no such folder");
  CHECK(s.machine.working_folder() == "taskdefs");
  for (const auto* line : {"cd ../..", "cd /", "ls ../..", "create task from ../../x",
                           "get model m to /tmp/x", "prove m round 1 to ../../x"}) {
    s.screen.clear();
    s.enter(line);
    CHECK(s.asking);
    CHECK(says(s.screen, "is outside of /platform/swarm/usr, which commands cannot leave"));
  }
  s.screen.clear();
  s.enter("pwd");
  CHECK(says(s.screen, "/platform/swarm/usr/taskdefs"));
}

TEST_CASE("a script runs line by line, then the operator is asked") {
  session s("# set up\nwait for ip sn1\n\nHELP PWD\r\nbad line\nSLEEP 1");
  CHECK(!s.asking);
  s.tell(event::command_says{s.running.id, answers::sn_is_up{}});
  s.done();
  CHECK(s.running.what == command(commands::sleep_for{std::chrono::seconds(1)}));
  CHECK(!s.asking);
  s.done();
  CHECK(s.asking);
  CHECK(s.asked_with == "SWCI:4 > ");
  CHECK(wording(s.screen)
        == "SWCI:0 > # set up\n"
           "SWCI:0 > wait for ip sn1\n"
           "    API Server is UP!\n"
           "SWCI:1 > \n"
           "SWCI:1 > HELP PWD\n"
           "    PWD\n"
           "        Shows the working folder.\n"
           "SWCI:2 > bad line\n"
           "    ERROR : init:5: unknown command 'bad'; HELP lists all commands\n"
           "SWCI:3 > SLEEP 1\n");
  s.screen.clear();
  s.enter("bad line");
  CHECK(says(s.screen, "ERROR : unknown command 'bad'"));
}

TEST_CASE("EXIT ends the session with 0, whatever failed before") {
  session s("bad line\nEXIT\nLIST NODES");
  CHECK(s.exit_code == exit_code_good);
  CHECK(!s.asking);
  s.tell(event::line_entered{"LIST NODES"});
  CHECK(s.screen.find("LIST NODES") == std::string::npos);
}

TEST_CASE("EXIT ON FAILURE ends the session with 1 at the first failure") {
  session s("EXIT ON FAILURE\nSLEEP 1\nEXIT ON FAILURE OFF\nSLEEP 2\nexit on failure on\nSLEEP 3\nEXIT");
  s.done();
  s.fails("x");
  CHECK(!s.exit_code);
  s.fails("the SN is gone");
  CHECK(s.exit_code == exit_code_failure);
  CHECK(says(s.screen,
             "    ERROR : init:6: the SN is gone\n    The session ends, as EXIT ON FAILURE is on.\n"));
  for (const auto* bad : {"nonsense", "switch context nowhere", "cd ..", "LIST NODES"}) {
    session other("EXIT ON FAILURE\n" + std::string(bad) + "\nEXIT");
    CHECK(other.exit_code == exit_code_failure);
  }
}

TEST_CASE("the end of the input ends the session, but not a command under way") {
  session s;
  s.enter("SLEEP 1");
  s.tell(event::input_ended{});
  CHECK(!s.exit_code);
  s.done();
  s.tell(event::input_ended{});
  CHECK(s.exit_code == exit_code_good);
}

TEST_CASE("Ctrl-C ends a wait and not the session") {
  session s("EXIT ON FAILURE\nSLEEP 100\n# then\nRESET TASKRUNNER t\nEXIT");
  s.tell(event::command_waits{s.running.id});
  s.tell(event::command_waits{s.running.id});
  s.tell(event::interrupted{});
  CHECK(s.cancelled == s.running.id);
  s.cancelled.reset();
  s.tell(event::interrupted{});
  CHECK(!s.cancelled);
  CHECK(!s.asking);
  s.tell(event::command_failed{s.running.id, make_error(errc::cancelled, "stopped")});
  CHECK(!s.exit_code);
  CHECK(s.asking);
  CHECK(s.screen
        == "SWCI:0 > EXIT ON FAILURE\n"
           "SWCI:0 > EXIT ON FAILURE IS TURNED ON\n"
           "SWCI:1 > SLEEP 100\n"
           "##    ERROR : interrupted\n"
           "    init goes no further: line 3 and what follows are left out.\n");
  s.tell(event::interrupted{});
  CHECK(s.asking);
}

TEST_CASE("a command that was done before it could be interrupted is done") {
  session s("SLEEP 100\nPWD");
  s.tell(event::interrupted{});
  s.done();
  CHECK(says(s.screen, "/platform/swarm/usr"));
}

TEST_CASE("a command that shows the same thing over and over says so") {
  session s;
  s.connect();
  s.enter("watch contract c");
  s.screen.clear();
  s.tell(event::command_says{s.running.id, answers::sn_is_up{}, true});
  s.tell(event::command_says{s.running.id, answers::sn_is_up{}});
  CHECK(s.screen == "again:\n    API Server is UP!\n    API Server is UP!\n");
}

TEST_CASE("news of a command that is not under way is passed over") {
  session s;
  s.enter("SLEEP 1");
  const auto id = s.running.id;
  s.done();
  const auto before = s.screen;
  s.tell(event::command_done{id, answers::sn_is_up{}});
  s.tell(event::command_failed{id, make_error(errc::io, "late")});
  s.tell(event::command_says{id, answers::sn_is_up{}});
  s.tell(event::command_waits{id});
  s.tell(event::command_done{id + 1, answers::sn_is_up{}});
  CHECK(s.screen == before);
  s.enter("SLEEP 2");
  CHECK(s.running.id != id);
  s.tell(event::line_entered{"EXIT"});
  CHECK(!s.exit_code);
  CHECK(says(s.machine.status(), "command 1 is under way, no context"));
}

TEST_CASE("another shell goes on where the former one stood") {
  session s;
  s.connect();
  const auto before = s.asked_with;
  s.asking = false;
  s.tell(event::shell_restarted{});
  CHECK(s.asking);
  CHECK(s.asked_with == before);
  CHECK(s.machine.contexts().default_name() == "c");

  s.enter("list tasks");
  const auto lost = s.running.id;
  s.screen.clear();
  s.tell(event::shell_restarted{});
  CHECK(s.asking);
  CHECK(says(s.screen, "had to be started again"));
  s.screen.clear();
  s.tell(event::command_done{lost, answers::sn_is_up{}});
  CHECK(s.screen.empty());
}

TEST_CASE("a script goes on in another shell, unless it ends on failure") {
  session s("sleep 1\npwd\n");
  s.tell(event::shell_restarted{});
  CHECK(says(s.screen, "init:1: the session's actor"));
  CHECK(s.screen.find("/platform/swarm/usr") != std::string::npos);

  session strict("exit on failure\nsleep 1\npwd\n");
  strict.tell(event::shell_restarted{});
  CHECK(strict.exit_code == exit_code_failure);
}

TEST_CASE("DOCTOR looks at the present context, and is there without one") {
  session s;
  s.enter("doctor");
  CHECK(s.running.context.empty());
  s.done();
  s.connect();
  s.enter("doctor");
  CHECK(s.running.context == "c");
}

} // namespace session_session_machine_test
