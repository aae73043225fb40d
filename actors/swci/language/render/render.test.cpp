#include "actors/swci/language/render/render.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <set>

namespace render_test {

using namespace swarm;
using namespace swarm::swci;

namespace {

constexpr moment noon{1'795'867'200}; // 2026-11-28 12:00:00 UTC
constexpr moment later{1'795'867'263};
const std::string uid_a = "0x00000000000000000000000000000000000000aa";
const std::string uid_b = "0x00000000000000000000000000000000000000bb";
const std::string runner = "defaulttaskbb.taskdb.sml.hpe";

answers::taskrunner_peer_status swop_with_pairs() {
  return {.taskrunner = runner,
          .index = 0,
          .uid = uid_a,
          .name = "SWOP-1",
          .runs_swarm = true,
          .status = "ACTIVE",
          .description = "training, round 3",
          .since = noon,
          .attempt = 1,
          .pairs = {{uid_b, "SL-1", "ACTIVE", "training, round 3", noon},
                    {"", "", "FAILED", "the program ended with exit code 1", later}},
          .outputs = {{"ML of pair 1, the program exited (exit code 1)",
                       {"Traceback (most recent call last):", "\tKeyError: 'x'"}}}};
}

answers::taskrunner_status running() {
  return {.name = runner,
          .task = "swarm_mnist_task",
          .peer_type = "SL",
          .state = "RUNNING",
          .mode = "WITH 2 PEERS",
          .run = 4,
          .quorum = 2,
          .listening = 2,
          .enrolled = 2,
          .active = 1,
          .failed = 1,
          .waits_for = "SWOP-2 to start its SL",
          .created = noon,
          .assigned = noon,
          .enrolled_at = later,
          .started = later};
}

answers::contract_status training() {
  return {
      .name = "defaultbb.cqdb.sml.hpe",
      .state = "COLLECTING",
      .generation = 1,
      .round_num = 4,
      .merged_round = 3,
      .merge_method = "mean",
      .merged_digest = "0x12ab",
      .min_peers = 2,
      .checked_in = 1,
      .waited_for = 2,
      .peers = {{uid_a, "SL-1", "active", true, 4, 0.25, 0.96875, 2, 5, ""},
                {uid_b, "SL-2", "active", false, 3, std::nullopt, std::nullopt, 0, 0, "SL-1 to check in"}},
      .reset = {uid_b, later, "the scanners were calibrated anew"}};
}

answer two_organisations() {
  return answers::organisations{
      {{1, "Clinic A", {}, 1, {256, 64, 256, 1 << 26, 8, std::uint64_t{1} << 36}, {"0x11", "0x12"}, 0},
       {3, "ü", later, 0, {1, 2, 3, 4, 5, 6}, {"0x21"}, 3}},
      {{"admit", "Clinic C", 2, {"Clinic A"}, 1'000'001, "0xaa", std::nullopt, {"0x31"}},
       {"set limits",
        "ü",
        3,
        {"Clinic A", "ü"},
        1'000'002,
        "0xbb",
        answers::organisations::limits{9, 9, 9, 9, 9, 9},
        {}}}};
}

/// An example of each answer, those with cases more than once.
std::vector<answer> all_answers() {
  using namespace answers;
  const sn_address sn1{"sn1", 30304, false};
  return {
      done{"CONTRACT CREATED", "digits"},
      text{{"PWD", "    Shows the working folder."}},
      names{"tasks", {"ROOTTASK", "run_mnist"}},
      names{"contracts", {}},
      sn_is_up{},
      answers::contexts{{{"test-mnist", sn1, true}, {"example", {"api.sn-1.swarm", 443, true}, false}}},
      answers::contexts{},
      context_info{"test-mnist", {"::1", 30304, false}, true, "10.0.0.1:30304", {"10.0.0.2:30304"}, uid_a},
      context_info{"example", sn1, false, "", {}, ""},
      context_version{"test-mnist", "0.1.0", 1338, 77},
      variables{"test-mnist", {{"A", "two words"}, {"LONG_NAME", ""}}},
      contract_info{"digits", "0xcc", uid_a, noon},
      contract_info{"defaultbb.cqdb.sml.hpe", "0xdd", "", {}},
      training(),
      answers::perfdata{
          "digits",
          {{uid_a, true, 0.251234567, 0.96875, 5, 2}, {uid_b, false, std::nullopt, std::nullopt, 0, 0}}},
      answers::perfdata{"digits", {}},
      model_saved{"digits", 3, "/platform/swarm/usr/m.safetensors", "0x12ab", 123456},
      proof_saved{"digits", 3, "/platform/swarm/usr/proof.json", 999},
      task_registered{"run_mnist", {"Author: 'x' was taken as a text"}, {{1, 4}, {5, 4}, {9, 1}}},
      task_info{"run_mnist", "RUN_SWARM", "HPE-TESTER", "build", "out", true, 9, 321, uid_a, noon, later},
      task_info{"ROOTTASK", "ROOT", "", "", "", true, 1, 3, "", {}, {}},
      task_body{"run_mnist", {"---", "BuildContext : sl-cli-lib", "BuildSteps :", "  - 'RUN true'"}},
      taskrunner_info{runner, "0xee", "", {}, 2, 4},
      running(),
      taskrunner_status{.name = runner,
                        .task = "",
                        .peer_type = "SWOP",
                        .state = "IDLE",
                        .last_reset = later,
                        .reset = {uid_a, later, "the disk was full"}},
      taskrunner_peers{runner, {{0, uid_a, "SWOP-1", "ACTIVE", 2}, {1, uid_b, "SWOP-2", "COMPLETE", 2}}},
      taskrunner_peers{runner, {}},
      swop_with_pairs(),
      taskrunner_peer_status{
          .taskrunner = runner, .index = 1, .uid = uid_b, .status = "COMPLETE", .since = later},
      taskrunner_peer_status{.taskrunner = runner,
                             .index = 1,
                             .uid = uid_b,
                             .status = "FAILED",
                             .description = "a path is missing",
                             .since = later,
                             .no_outputs = "of another organisation"},
      wait_begins{runner, 120},
      wait_ended{runner, "COMPLETE", false},
      wait_ended{runner, "RUNNING", true},
      two_organisations(),
      answers::organisations{},
      answers::seats{{{"Clinic A", 256, 5, 1, 2, 1, 1, 1, 2, "SL 3 by the network, TRAININGS 2 by itself"},
                      {"ü", 1, 2, 2, 0, 0, 0, 0}}},
      organisation_vote{"ADMIT", "Clinic C", "0xaa", 1, 2},
      organisation_vote{"REPLACE CA", "Clinic A", "", 0, 0},
      nodes{{{"SENTINEL", "172.1.1.1", 30304, "sn1", uid_a, "", noon},
             {"SL", "fs.sl-1.swarm", 443, "demo-sl-0", uid_b, uid_a, later}}},
      nodes{},
      doctor_report{
          {{"clock", true, ""}, {"certificate", false, "it ends in 3 days; make a new one with gen-cert"}}},
      files{false, {{"taskdefs", true, 0, "rwxr-xr-x", noon}, {"swci-init", false, 12, "rw-r--r--", noon}}},
      files{true,
            {{"taskdefs", true, 4096, "rwxr-xr-x", noon}, {"swci-init", false, 12, "rw-r--r--", later}}},
      folder{"/platform/swarm/usr", false},
      folder{"/platform/swarm/usr/taskdefs", true},
      answers::exit_on_failure{true},
  };
}

std::string shown_of_all() {
  std::string out;
  for (const auto& each : all_answers())
    out += shown_text(each) + json_of(each) + "\n\n";
  return out;
}

bool has_line(const std::vector<std::string>& lines, std::string_view wanted) {
  return std::find(lines.begin(), lines.end(), wanted) != lines.end();
}

/// What the original product's client does with a line of LIST NODES.
std::vector<std::string> split_at_commas(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ',')
      out.emplace_back();
    else if (c != ' ' || !out.back().empty())
      out.back() += c;
  }
  return out;
}

} // namespace

TEST_CASE("every answer's text and JSON are as they were") {
  const std::string file = SWARM_SOURCE_DIR "/actors/swci/language/testdata/answers.txt";
  std::ifstream in(file);
  const std::string written{std::istreambuf_iterator<char>(in), {}};
  const auto real = shown_of_all();
  if (written != real) std::ofstream("answers.txt.actual") << real;
  CHECK_MESSAGE(written == real, "answers look otherwise now; see answers.txt.actual here");
  std::set<std::size_t> kinds;
  for (const auto& each : all_answers())
    kinds.insert(each.index());
  CHECK(kinds.size() == std::variant_size_v<answer>);
}

TEST_CASE("JSON is one line and names its answer") {
  for (const auto& each : all_answers()) {
    const auto text = json_of(each);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(boost::json::parse(text).as_object().at("answer").is_string());
  }
  const auto status = boost::json::parse(json_of(running())).as_object();
  CHECK(status.at("task_state") == "RUNNING");
  CHECK(status.at("active_peers") == 1);
  CHECK(status.at("ended").is_null());
  CHECK(status.at("started") == "2026-11-28T12:01:03Z");
  CHECK(boost::json::parse(json_of(answers::exit_on_failure{true})).at("on") == true);
  CHECK(boost::json::parse(error_json_of("a \"b\"\n")).at("error") == "a \"b\"?");
}

TEST_CASE("the lines that the original product's client looks for are there") {
  CHECK(has_line(text_of(answers::task_registered{"t", {}, {}}, true), "Task Registered : t"));
  const auto state_in = [](const std::vector<std::string>& lines) {
    std::size_t found = 0;
    for (const auto& each : lines)
      if (each.find("TASK_STATE") != std::string::npos && each.find(": RUNNING") != std::string::npos)
        ++found;
    return found;
  };
  CHECK(state_in(text_of(running(), true)) == 1);
  const auto body = text_of(answers::task_body{"t", {"---", "BuildContext : x"}}, true);
  CHECK(body == std::vector<std::string>{"0000: ---", "0001: BuildContext : x"});
  const auto nodes = text_of(answers::nodes{{{"SN", "172.1.1.1", 30304, "sn1", uid_a, uid_b, noon}}}, true);
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[1] == "SN, 172.1.1.1, 30304, sn1, " + uid_a + ", " + uid_b + ", 2026-11-28 12:00:00 UTC");
  CHECK(text_of(answers::nodes{}, true).size() == 1);
  CHECK(error_text_of("no SN answers") == "ERROR : no SN answers");
}

TEST_CASE("what others wrote cannot take over a terminal, begin a line or become a column") {
  const std::string nasty = "a\x1b[2J\r\nERROR x,y\xc2\x9b"
                            "31m";
  const auto lines = text_of(answers::nodes{{{nasty, nasty, 1, nasty, nasty, nasty, noon}}}, true);
  REQUIRE(lines.size() == 2);
  CHECK(split_at_commas(lines[1]).size() == 7);
  CHECK(one_line(nasty)
        == "a?[2J??ERROR x,y\xc2\xbf"
           "31m");
  CHECK(one_line("\xff\xfe") == "??");
  CHECK(one_line("\tx") == " x");
  auto status = swop_with_pairs();
  status.name = status.description = status.pairs[0].name = status.outputs[0].of = nasty;
  status.outputs[0].lines = {nasty};
  for (const auto& line : text_of(status)) {
    CHECK(line.find_first_of("\x1b\r\n") == std::string::npos);
    CHECK(line.find("\xc2\x9b") == std::string::npos);
  }
  CHECK(json_of(status).find("\\u001b") == std::string::npos);
  // Marks that turn the direction of writing; one that only says which a letter has stays.
  CHECK(one_line("a\u202eb\u2066c\u200fd") == "a\ufffdb\ufffdc\u200fd");
  // A program's lines begin with a bar, whatever they say.
  auto liar = swop_with_pairs();
  liar.outputs[0].lines = {"STATUS : COMPLETE"};
  CHECK(has_line(text_of(liar), "| STATUS : COMPLETE"));
  CHECK(boost::json::parse(json_of(answers::text{{"\xff"}})).at("lines").at(0) == "?");
}

TEST_CASE("numbers and times that are none do not look like some") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), big = 1e300;
  const answers::perfdata rows{"c", {{uid_a, false, nan, big, 0, 0}, {uid_b, false, HUGE_VAL, -0.5, 1, 1}}};
  const auto all = boost::json::parse(json_of(rows)).at("peers").as_array();
  CHECK(all[0].at("loss").is_null());
  CHECK(all[0].at("metric") == big);
  CHECK(all[1].at("loss").is_null());
  CHECK(json_of(answers::task_info{.created = moment{UINT64_MAX}}).find("9999-12-31T23:59:59Z")
        != std::string::npos);
}

} // namespace render_test
