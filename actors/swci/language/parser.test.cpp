#include "actors/swci/language/parser.hpp"

#include "actors/swci/language/table.hpp"
#include "actors/swci/language/words.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <set>

namespace parser_test {

using namespace swarm;
using namespace swarm::swci;
using namespace swarm::swci::commands;
using swarm::testing::says;

namespace {

struct good {
  std::string_view line;
  command means;
};

using std::chrono::milliseconds;
const sn_address sn1{"sn1", 30304, false};
const sn_address proxy{"api.sn-1.swarm", 443, true};

const std::vector<good> good_lines{
    {"WAIT FOR IP sn1", wait_for_sn{sn1, 360}},
    {"wait for ip 10.0.0.1 16000", wait_for_sn{{"10.0.0.1", 16000, false}, 360}},
    {"Wait For IP ::1 30304 5", wait_for_sn{{"::1", 30304, false}, 5}},
    {"WAIT FOR IP [fe80::1] 30304 100000", wait_for_sn{{"fe80::1", 30304, false}, 100'000}},
    {"WAIT FOR SERVICE api.sn-1.swarm", wait_for_sn{proxy, 360}},
    {"WAIT FOR SERVICE api.sn-1.swarm:17000 3", wait_for_sn{{"api.sn-1.swarm", 17000, true}, 3}},
    {"CREATE CONTEXT test-mnist WITH IP sn1", create_context{"test-mnist", sn1}},
    {"create context X with ip 172.1.1.1 30304", create_context{"X", {"172.1.1.1", 30304, false}}},
    {"CREATE CONTEXT example WITH SERVICE api.sn-1.swarm", create_context{"example", proxy}},
    {"create context 'my net' with service a.b:1", create_context{"my net", {"a.b", 1, true}}},
    {"CREATE CONTEXT WITH WITH IP IP", create_context{"WITH", {"IP", 30304, false}}},
    {"SWITCH CONTEXT test-mnist", switch_context{"test-mnist"}},
    {"LIST CONTEXTS", list_contexts{}},
    {"\t list\tcontexts  ", list_contexts{}},
    {"GET CONTEXT INFO", get_context_info{}},
    {"get context info testContext", get_context_info{"testContext"}},
    {"GET CONTEXT VERSION", get_context_version{}},
    {"LIST CONTEXT ENV", list_context_env{}},
    {"LIST CONTEXT ENV c", list_context_env{"c"}},
    {"GET CONTEXT ENV A_1", get_context_env{"", "A_1"}},
    {"GET CONTEXT ENV c A", get_context_env{"c", "A"}},
    {"SET CONTEXT ENV A b", set_context_env{"", "A", "b"}},
    {"SET CONTEXT ENV c A \"\"", set_context_env{"c", "A", ""}},
    {"SET CONTEXT ENV c A 'two words'", set_context_env{"c", "A", "two words"}},
    {"CREATE CONTRACT MyContract", create_contract{"MyContract"}},
    {"INVITE 'Hospital B' TO CONTRACT ours", invite{"Hospital B", "ours"}},
    {"TRUST MERGES ours", verify_merges{"ours", when_verified::never}},
    {"VERIFY MERGES ours", verify_merges{"ours", when_verified::before}},
    {"verify merges ours behind", verify_merges{"ours", when_verified::behind}},
    {"RESET CONTRACT defaultbb.cqdb.sml.hpe", reset_contract{"defaultbb.cqdb.sml.hpe", {}}},
    {"reset contract c note 'the scanners changed'", reset_contract{"c", "the scanners changed"}},
    {"LIST CONTRACTS", list_contracts{}},
    {"GET CONTRACT INFO c", get_contract_info{"c"}},
    {"get contract status C", get_contract_status{"C"}},
    {"PERFDATA defaultbb.cqdb.sml.hpe", perfdata{"defaultbb.cqdb.sml.hpe"}},
    {"PERFDATA CONTRACT defaultbb.cqdb.sml.hpe", perfdata{"defaultbb.cqdb.sml.hpe"}},
    {"perfdata contract CONTRACT", perfdata{"CONTRACT"}},
    {"PERFDATA \"CONTRACT\"", perfdata{"CONTRACT"}},
    {"WATCH CONTRACT c", watch_contract{"c"}},
    {"GET MODEL c TO m.safetensors", get_model{"c", std::nullopt, "m.safetensors"}},
    {"get model c round 7 to \"a model\"", get_model{"c", 7, "a model"}},
    {"PROVE c ROUND 7 TO proofs/7.json", prove_merge{"c", 7, "proofs/7.json"}},
    {"create task from taskdefs/user_env_tf_build_task.yaml",
     create_task_from{"taskdefs/user_env_tf_build_task.yaml"}},
    {"CREATE TASK run_swarm t 'HPE TESTER' ROOTTASK out",
     create_task{"RUN_SWARM", "t", "HPE TESTER", "ROOTTASK", "out"}},
    {"APPEND TASK BODY t 1 BuildContext : sl-cli-lib", append_task_body{"t", 1, "BuildContext : sl-cli-lib"}},
    {"append task body t 22   - \"RUN it's", append_task_body{"t", 22, "  - \"RUN it's"}},
    {"APPEND TASK BODY t 2 # a comment", append_task_body{"t", 2, "# a comment"}},
    {"FINALIZE TASK t", finalize_task{"t"}},
    {"DELETE TASK t", delete_task{"t"}},
    {"GET TASK INFO t", get_task_info{"t"}},
    {"get task body swarm_mnist_task", get_task_body{"swarm_mnist_task"}},
    {"list tasks", list_tasks{}},
    {"CREATE TASKRUNNER tr", create_taskrunner{"tr"}},
    {"RESET TASKRUNNER defaulttaskbb.taskdb.sml.hpe", reset_taskrunner{"defaulttaskbb.taskdb.sml.hpe", {}}},
    {"LIST TASKRUNNERS", list_taskrunners{}},
    {"LIST TASKRUNNER PEERS tr", list_taskrunner_peers{"tr"}},
    {"GET TASKRUNNER INFO tr", get_taskrunner_info{"tr"}},
    {"GET TASKRUNNER STATUS tr", get_taskrunner_status{"tr"}},
    {"GET TASKRUNNER PEER STATUS tr 0", get_taskrunner_peer_status{"tr", 0u}},
    {"GET TASKRUNNER PEER STATUS tr 0xAB12", get_taskrunner_peer_status{"tr", "0xAB12"}},
    {"ASSIGN TASK t TO tr WITH 2 PEERS", assign_task{"t", "tr", with_peers{2}}},
    {"assign task TO to TO with all peers", assign_task{"TO", "TO", with_all_peers{}}},
    {"ASSIGN TASK t TO tr TARGET 0xab", assign_task{"t", "tr", one_swop{"0xab"}}},
    {"WAIT FOR TASKRUNNER tr", wait_for_taskrunner{"tr"}},
    {"list organisations", list_organisations{}},
    {"list seats", list_seats{}},
    {"LIMIT SEATS sl 3", limit_seats{"SL", 3, {}}},
    {"limit seats TRAININGS 0 of 'St. Mary'", limit_seats{"TRAININGS", 0, "St. Mary"}},
    {"ADMIT ORGANISATION 'St. Mary' FROM ca/mary.pem", admit_organisation{"St. Mary", "ca/mary.pem"}},
    {"admit organisation FROM from from", admit_organisation{"FROM", "from"}},
    {"REMOVE ORGANISATION clinic", remove_organisation{"clinic"}},
    {"remove node 0x1234567890123456789012345678901234567890",
     remove_node{"0x1234567890123456789012345678901234567890"}},
    {"replace ca of clinic from new.pem", replace_ca{"clinic", "new.pem"}},
    {"list Nodes", list_nodes{}},
    {"doctor", doctor{}},
    {"SLEEP 15", sleep_for{milliseconds(15'000)}},
    {"sleep 0", sleep_for{milliseconds(0)}},
    {"sleep 0.25", sleep_for{milliseconds(250)}},
    {"cd /platform/swarm/usr", change_folder{"/platform/swarm/usr"}},
    {"CD 'my folder'", change_folder{"my folder"}},
    {"ls", list_files{}},
    {"ls()", list_files{}},
    {"LS ( )", list_files{}},
    {"ls -l", list_files{"l", {}}},
    {"ls(-l)", list_files{"l", {}}},
    {"ls -la -t taskdefs \"a b\"", list_files{"lat", {"taskdefs", "a b"}}},
    {"pwd", show_folder{}},
    {"pwd()", show_folder{}},
    {"HELP", help{}},
    {"help create contract", help{"CREATE CONTRACT"}},
    {"help list", help{"LIST"}},
    {"EXIT", exit_session{}},
    {"EXIT ON FAILURE", exit_on_failure{true}},
    {"exit on failure On", exit_on_failure{true}},
    {"EXIT ON FAILURE OFF", exit_on_failure{false}},
};

struct bad {
  std::string_view line;
  std::string_view says;
};

const std::vector<bad> bad_lines{
    // Words that begin no command.
    {"LST NODES", "unknown command 'LST NODES'; did you mean LIST NODES?"},
    {"list node", "unknown command 'list node'; did you mean LIST NODES?"},
    {"LISTNODES", "unknown command 'LISTNODES'; did you mean LIST NODES?"},
    {"EXIIT", "unknown command 'EXIIT'; did you mean EXIT?"},
    {"CREATE TASKRUNER tr", "unknown command 'CREATE TASKRUNER'; did you mean CREATE TASKRUNNER?"},
    {"frobnicate the swarm", "unknown command 'frobnicate'; HELP lists all commands"},
    {"\"LIST\" NODES", "unknown command 'LIST NODES'; did you mean LIST NODES?"},
    {"rm -rf /", "unknown command 'rm'; HELP lists all commands"},
    {"help frobnicate", "there is no command 'frobnicate'; HELP lists all commands"},
    {"help list nods", "there is no command 'list nods'; did you mean LIST NODES?"},
    // The beginning of a command.
    {"LIST", "LIST only begins a command; CONTEXTS, CONTEXT, CONTRACTS, TASKS, TASKRUNNERS, TASKRUNNER, "
             "ORGANISATIONS, SEATS or "
             "NODES may follow"},
    {"WAIT FOR", "WAIT FOR only begins a command; IP, SERVICE or TASKRUNNER may follow"},
    {"WAIT FOR ME", "unknown command 'WAIT FOR ME'; did you mean WAIT FOR IP?"},
    {"WAIT FOR GODOT",
     "WAIT FOR: 'GODOT', word 3, stands where IP, SERVICE or TASKRUNNER is expected; usage: WAIT FOR IP "
     "<ip> [port [retries]]; or WAIT FOR SERVICE <service> [retries]; or WAIT FOR TASKRUNNER "
     "<taskrunner>"},
    // Too little.
    {"CREATE CONTRACT", "CREATE CONTRACT: <contract> (the name of a training contract) is missing; usage: "
                        "CREATE CONTRACT <contract>"},
    {"PERFDATA",
     "PERFDATA: CONTRACT or <contract> (the name of a training contract) is missing; usage: PERFDATA "
     "[CONTRACT] <contract>"},
    {"PERFDATA CONTRACT",
     "PERFDATA: <contract> (the name of a training contract) is missing; usage: PERFDATA [CONTRACT] "
     "<contract>"},
    {"ASSIGN TASK t", "ASSIGN TASK: TO is missing; usage: ASSIGN TASK <task> TO <taskrunner> WITH <count> "
                      "PEERS; or ASSIGN TASK <task> TO "
                      "<taskrunner> WITH ALL PEERS; or ASSIGN TASK <task> TO <taskrunner> TARGET <swop>"},
    {"ASSIGN TASK t TO tr WITH 2",
     "ASSIGN TASK: PEERS is missing; usage: ASSIGN TASK <task> TO <taskrunner> WITH "
     "<count> PEERS"},
    {"APPEND TASK BODY t 1",
     "APPEND TASK BODY: <line> (the text of the line, as it stands, of less than 80 characters) "
     "is missing; usage: APPEND TASK BODY <task> <index> <line>"},
    {"APPEND TASK BODY t 1   ", "<line>"},
    {"GET CONTEXT ENV",
     "GET CONTEXT ENV: <context> (the name of a context) or <variable> (the name of a variable: "
     "letters, digits and '_') is missing; usage: GET CONTEXT ENV [context] <variable>"},
    {"cd", "CD: <folder> (a folder in the user folder) is missing; usage: CD <folder>"},
    {"sleep", "SLEEP: <seconds>"},
    {"ADMIT ORGANISATION x",
     "ADMIT ORGANISATION: FROM is missing; usage: ADMIT ORGANISATION <organisation> FROM <file>"},
    {"ADMIT ORGANISATION x FROM", "<file> (a file in the user folder) is missing"},
    {"REMOVE ORGANISATION", "REMOVE ORGANISATION: <organisation> (the name of an organisation, in quotes if "
                            "it has blanks) is missing"},
    {"REPLACE CA OF '' FROM f", "<organisation> is empty"},
    {"CREATE TASK RUN_SWARM t me ROOTTASK",
     "CREATE TASK: <outcome> (a text, in quotes if it has blanks) is missing"},
    // Too much.
    {"LIST NODES now", "LIST NODES: 'now', word 3, is too much; usage: LIST NODES"},
    {"LIST SEATS now", "LIST SEATS: 'now', word 3, is too much; usage: LIST SEATS"},
    {"LIST ORGANISATIONS now", "LIST ORGANISATIONS: 'now', word 3, is too much; usage: LIST ORGANISATIONS"},
    {"SWITCH CONTEXT a b", "SWITCH CONTEXT: 'b', word 4, is too much; usage: SWITCH CONTEXT <context>"},
    {"cd my folder", "CD: 'folder', word 3, is too much"},
    {"pwd(now)", "PWD: 'now', word 2, is too much; usage: PWD"},
    {"GET CONTEXT ENV a b c", "is too much"},
    {"EXIT NOW",
     "EXIT: 'NOW', word 2, stands where ON is expected; usage: EXIT; or EXIT ON FAILURE [ON|OFF]"},
    // Wrong.
    {"ASSIGN TASK t TOO tr WITH 2 PEERS", "ASSIGN TASK: 'TOO', word 4, stands where TO is expected; usage: "},
    {"ASSIGN TASK t TO tr FOR 2 PEERS",
     "ASSIGN TASK: 'FOR', word 6, stands where WITH or TARGET is expected"},
    {"ASSIGN TASK t TO tr WITH two PEERS",
     "ASSIGN TASK: 'two' is no count: give how many peers are needed, from 1 to 65536"},
    {"ASSIGN TASK t TO tr WITH 0 PEERS", "'0' is no count"},
    {"ASSIGN TASK t TO tr WITH -1 PEERS", "'-1' is no count"},
    {"ASSIGN TASK t TO tr WITH 99999999999999999999 PEERS", "is no count"},
    {"ASSIGN TASK t TO tr WITH ALL 2 PEERS", "ASSIGN TASK: '2', word 8, stands where PEERS is expected"},
    {"WAIT FOR IP sn1 0", "WAIT FOR IP: '0' is no port: give the port of the SN's API, from 1 to 65535"},
    {"WAIT FOR IP sn1 65536", "'65536' is no port"},
    {"WAIT FOR IP sn1 30304 never", "'never' is no retries: give how often to try"},
    {"CREATE CONTEXT c WITH IP sn1:30304",
     "CREATE CONTEXT: 'sn1:30304' has a port in it: write host and port as two words"},
    {"CREATE CONTEXT c WITH IP s/n", "'s/n' is no ip"},
    {"CREATE CONTEXT c WITH SERVICE a:b", "'a:b' is no service"},
    {"CREATE CONTEXT c WITH SERVICE :443", "':443' is no service"},
    {"CREATE CONTEXT '' WITH IP sn1", "CREATE CONTEXT: <context> is empty: give the name of a context"},
    {"CREATE TASK RUN t a ROOTTASK o", "CREATE TASK: 'RUN' is no type: give RUN_SWARM, MAKE_USER_CONTAINER, "
                                       "PULL_IMAGE, MAKE_SWARM_USER_CONTENT or RUN_NODE"},
    {"APPEND TASK BODY t 0 x", "'0' is no index: give the number of a line, from 1 to 511"},
    {"GET MODEL c ROUND x TO f", "GET MODEL: 'x' is no round"},
    {"GET MODEL c INTO f", "GET MODEL: 'INTO', word 4, stands where ROUND or TO is expected"},
    {"GET CONTEXT ENV c 1A", "'1A' is no variable"},
    {"EXIT ON FAILURE MAYBE", "EXIT ON FAILURE: 'MAYBE' is no ON|OFF: give ON or OFF"},
    {"ls -z", "LS: '-z' is no option of ls; it knows -lahrtS1A"},
    {"SLEEP 1.2.3", "'1.2.3' is no seconds"},
    {"SLEEP 604801", "'604801' is no seconds"},
    {"SLEEP .5", "'.5' is no seconds"},
    {"SLEEP 1.", "'1.' is no seconds"},
    {"GET TASKRUNNER PEER STATUS tr 1024", "'1024' is no swop"},
    {"SWITCH CONTEXT 'a", "the quote ' before 'a' is not closed"},
    {"SWITCH CONTEXT 'a'b", "'b' follows a closing quote; put a blank between"},
};

command parsed(std::string_view line) {
  auto out = parse(line);
  REQUIRE_MESSAGE(out, line, ": ", out ? "" : out.error().message);
  return *out;
}

} // namespace

TEST_CASE("every command is understood") {
  for (const auto& each : good_lines) {
    CAPTURE(each.line);
    CHECK(parsed(each.line) == each.means);
  }
}

TEST_CASE("every command of the table has a good line and every one with a hole a bad one") {
  std::set<std::size_t> seen;
  for (const auto& each : good_lines)
    seen.insert(each.means.index());
  CHECK(seen.size() == std::variant_size_v<command>);
  std::set<std::size_t> made;
  for (const auto* each : all_commands())
    made.insert(each->makes);
  CHECK(made == seen);
}

TEST_CASE("what is wrong with a line is said with the word, what is expected and the nearest command") {
  for (const auto& each : bad_lines) {
    CAPTURE(each.line);
    const auto out = parse(each.line);
    REQUIRE(!out);
    CHECK(says(out.error(), each.says));
  }
}

TEST_CASE("no keyword can be left out, added or taken for another") {
  for (const auto* spec : all_commands()) {
    const auto& name = spec->how.name;
    CAPTURE(name);
    std::string spaced = name + ' ';
    for (auto blank = spaced.find(' '); blank + 1 < spaced.size(); blank = spaced.find(' ', blank + 1)) {
      const auto wrong = spaced.substr(0, blank) + "X" + spaced.substr(blank);
      const auto out = parse(wrong);
      REQUIRE_MESSAGE(!out, wrong);
      CHECK(out.error().is(wrong.starts_with("EXIT ") ? errc::invalid : errc::not_found));
    }
    if (spec->how.holes.empty() && name != "EXIT") CHECK(!parse(name + " 'surplus word'"));
  }
}

TEST_CASE("a command's every hole has a bound") {
  const std::string text(2000, 'x');
  const std::string line = "SWITCH CONTEXT " + text;
  CHECK(parse("SWITCH CONTEXT " + std::string(160, 'x')));
  CHECK(parse(line).error().is(errc::limit));
  CHECK(parse("LIST NODES" + std::string(line_bytes_max - 10, ' ')));
  CHECK(parse("LIST NODES" + std::string(line_bytes_max - 9, ' ')).error().is(errc::limit));
  CHECK(parse("APPEND TASK BODY t 1 " + std::string(79, 'x')));
  CHECK(parse("APPEND TASK BODY t 1 " + std::string(80, 'x')).error().is(errc::limit));
  std::string umlauts;
  for (int i = 0; i < 79; ++i)
    umlauts += "\xc3\xa4";
  CHECK(parse("APPEND TASK BODY t 1 " + umlauts));
  CHECK(parse("APPEND TASK BODY t 1 " + umlauts + umlauts).error().is(errc::limit));
  std::string paths = "ls";
  for (int i = 0; i < 16; ++i)
    paths += " x";
  CHECK(parse(paths));
  CHECK(parse(paths + " x").error().is(errc::limit));
  CHECK(parse("ls " + text).error().is(errc::invalid));
  CHECK(parse("cd " + std::string(1025, 'x')).error().is(errc::limit));
}

TEST_CASE("bytes that would take over a terminal are refused") {
  for (const auto* line :
       {"LIST \x1b[31mNODES", "LIST\x01NODES", "SWITCH CONTEXT a\x7f", "SWITCH CONTEXT \u009b31m",
        "LIST NODES\r", "SWITCH CONTEXT \xff", "SWITCH CONTEXT \xc0\x80"}) {
    const auto out = parse(line);
    REQUIRE(!out);
    CHECK(out.error().is(errc::invalid));
  }
  CHECK(parse(std::string_view("LIST NODES\0", 11)).error().is(errc::invalid));
  CHECK(parsed("SWITCH CONTEXT \xc2\xa0\xe2\x82\xac") == command(switch_context{"\xc2\xa0\xe2\x82\xac"}));
}

TEST_CASE("remarks order nothing") {
  for (const auto* line : {"", "   ", "\t", "# a remark", "   # indented", "#", "\r"})
    CHECK(is_remark(line));
  CHECK(!is_remark("LIST NODES # no remark"));
  CHECK(says(parse("LIST NODES # no remark").error(), "'#', word 3, is too much"));
  CHECK(parse("").error().is(errc::invalid));
  CHECK(parse("()").error().is(errc::not_found));
}

TEST_CASE("who asks an SN needs a context, nobody else does") {
  CHECK(needs_context(parsed("LIST NODES")));
  CHECK(needs_context(parsed("RESET TASKRUNNER t")));
  CHECK(!needs_context(parsed("WAIT FOR IP sn1")));
  CHECK(!needs_context(parsed("CREATE CONTEXT c WITH IP sn1")));
  CHECK(!needs_context(parsed("DOCTOR")));
  CHECK(!needs_context(parsed("EXIT")));
}

} // namespace parser_test
