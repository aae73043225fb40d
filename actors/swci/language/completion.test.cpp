#include "actors/swci/language/completion.hpp"

#include "actors/swci/language/table.hpp"

#include <doctest/doctest.h>

namespace completion_test {

using namespace swarm;
using namespace swarm::swci;

namespace {

using words = std::vector<std::string>;

words names_of(hole_kind kind) {
  switch (kind) {
  case hole_kind::contract:
    return {"defaultbb.cqdb.sml.hpe", "digits", "two words"};
  case hole_kind::task:
    return {"ROOTTASK", "run_mnist"};
  case hole_kind::taskrunner:
    return {"defaulttaskbb.taskdb.sml.hpe"};
  case hole_kind::node:
  case hole_kind::peer:
    return {"0xab12", "0xcd34"};
  case hole_kind::context:
    return {"test-mnist"};
  case hole_kind::file:
    return {"taskdefs/build.yaml", "taskdefs/my run.yaml"};
  default:
    return {};
  }
}

words offered(std::string_view line) {
  return candidates_of(complete(line, line.size()), names_of);
}

} // namespace

TEST_CASE("keywords are completed in the operator's case") {
  CHECK(offered("LIS") == words{"LIST"});
  CHECK(offered("LI") == words{"LIMIT", "LIST"});
  CHECK(offered("lis") == words{"list"});
  CHECK(offered("LIST ")
        == words{"CONTEXT", "CONTEXTS", "CONTRACTS", "NODES", "ORGANISATIONS", "SEATS", "TASKRUNNER",
                 "TASKRUNNERS", "TASKS"});
  CHECK(offered("list ")
        == words{"context", "contexts", "contracts", "nodes", "organisations", "seats", "taskrunner",
                 "taskrunners", "tasks"});
  CHECK(offered("GET TASKRUNNER P") == words{"PEER"});
  CHECK(offered("ASSIGN TASK t TO tr ") == words{"TARGET", "WITH"});
  CHECK(offered("ASSIGN TASK t TO tr WITH ") == words{"ALL"});
  CHECK(offered("ASSIGN TASK t TO tr WITH 2 ") == words{"PEERS"});
  CHECK(offered("").size() > 10);
  CHECK(offered("LIST NODES ").empty());
  CHECK(offered("frobnicate ").empty());
  CHECK(offered("EXIT ") == words{"ON"});
  CHECK(offered("EXIT ON FAILURE ") == words{"OFF", "ON"});
  CHECK(offered("exit on failure of") == words{"off"});
  CHECK(offered("CREATE TASK ")
        == words{"FROM", "MAKE_SWARM_USER_CONTENT", "MAKE_USER_CONTAINER", "PULL_IMAGE", "RUN_NODE",
                 "RUN_SWARM"});
}

TEST_CASE("names are completed where they belong") {
  CHECK(offered("GET CONTRACT INFO d") == words{"defaultbb.cqdb.sml.hpe", "digits"});
  CHECK(offered("PERFDATA ") == words{"\"two words\"", "CONTRACT", "defaultbb.cqdb.sml.hpe", "digits"});
  CHECK(offered("PERFDATA CONTRACT di") == words{"digits"});
  CHECK(offered("ASSIGN TASK run") == words{"run_mnist"});
  CHECK(offered("ASSIGN TASK RUN").empty());
  CHECK(offered("ASSIGN TASK run_mnist TO ") == words{"defaulttaskbb.taskdb.sml.hpe"});
  CHECK(offered("ASSIGN TASK t TO tr TARGET 0xa") == words{"0xab12"});
  CHECK(offered("GET TASKRUNNER PEER STATUS tr ") == words{"0xab12", "0xcd34"});
  CHECK(offered("SWITCH CONTEXT ") == words{"test-mnist"});
  CHECK(offered("CREATE TASK FROM taskdefs/") == words{"\"taskdefs/my run.yaml\"", "taskdefs/build.yaml"});
  CHECK(offered("APPEND TASK BODY run_mnist 1 d").empty());
}

TEST_CASE("a word in an open quote is replaced with its quote") {
  const std::string_view line = "GET CONTRACT INFO \"two w";
  const auto at = complete(line, line.size());
  CHECK(at.begin == 18);
  CHECK(at.end == line.size());
  CHECK(at.prefix == "two w");
  CHECK(candidates_of(at, names_of) == words{"\"two words\""});
  CHECK(offered("\"LI").empty());
}

TEST_CASE("Tab writes what is certain and shows what is not") {
  const auto pressed = [](std::string_view line) {
    const auto at = complete(line, line.size());
    return tab(at, candidates_of(at, names_of));
  };
  CHECK(pressed("lis").text == "list ");
  CHECK(pressed("li").text.empty());
  CHECK(pressed("li").choices == words{"limit", "list"});
  CHECK(pressed("GET CONTRACT INFO d").choices == words{"defaultbb.cqdb.sml.hpe", "digits"});
  CHECK(pressed("GET CONTRACT INFO d").text.empty());
  CHECK(pressed("ASSIGN TASK run").text == "run_mnist ");
  CHECK(pressed("GET TASKRUNNER PEER STATUS tr 0").text == "0x");
  CHECK(pressed("GET TASKRUNNER PEER STATUS tr 0x").choices == words{"0xab12", "0xcd34"});
  CHECK(pressed("frobnicate ").text.empty());
  CHECK(pressed("frobnicate ").choices.empty());
  const auto at = complete("CD t", 4);
  CHECK(tab(at, {"taskdefs/"}).text == "taskdefs/");
  CHECK(tab(at, {"t\u00e4", "t\u00e9"}).choices.size() == 2); // half a character is not written
}

TEST_CASE("columns are filled downwards and fit") {
  CHECK(in_columns({"a", "bb", "c", "d", "e"}, 10) == words{"a   c   e", "bb  d"});
  CHECK(in_columns({"a", "b"}, 4) == words{"a  b"});
  CHECK(in_columns({"longer than that", "b"}, 4) == words{"longer than that", "b"});
  CHECK(in_columns({"\u00e4\u00e4", "b"}, 20) == words{"\u00e4\u00e4  b"});
  CHECK(in_columns({}, 80).empty());
}

TEST_CASE("only what stands before the cursor counts") {
  const auto at = complete("LIST NODES", 2);
  CHECK(at.begin == 0);
  CHECK(at.end == 2);
  CHECK(at.keywords == words{"LIST", "LIMIT"});
  const auto middle = complete("GET CON INFO x", 7);
  CHECK(middle.begin == 4);
  CHECK(middle.keywords == words{"CONTEXT", "CONTRACT"});
  CHECK(complete("LIST", 1000).keywords == words{"LIST"});
}

TEST_CASE("HELP completes commands") {
  CHECK(offered("HELP LIST N") == words{"NODES"});
  CHECK(offered("help cr") == words{"create"});
  CHECK(offered("HELP ").size() == offered("").size());
  const auto at = complete("HELP GET CON", 12);
  CHECK(at.begin == 9);
  CHECK(at.end == 12);
}

TEST_CASE("every keyword of the table can be reached by completion") {
  for (const auto* spec : all_commands())
    for (const auto& way : spec->how.sequences) {
      std::string line;
      for (const auto& each : way) {
        if (const auto* word = std::get_if<keyword>(&each)) {
          const auto found = offered(line + word->text.substr(0, 1));
          CHECK_MESSAGE(std::find(found.begin(), found.end(), word->text) != found.end(), line, word->text);
          line += word->text + ' ';
        } else {
          line += "1 ";
        }
      }
    }
}

} // namespace completion_test
