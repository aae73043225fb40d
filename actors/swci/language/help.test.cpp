#include "actors/swci/language/help.hpp"

#include "actors/swci/language/table.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace help_test {

using namespace swarm;
using namespace swarm::swci;

namespace {

std::string read(const std::string& file) {
  std::ifstream in(SWARM_SOURCE_DIR "/" + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string ended(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& each : lines)
    out += each + '\n';
  return out;
}

/// Compares with a golden file; what is there instead is written beside the test program.
void check_golden(const std::string& file, const std::string& real) {
  const auto written = read(file);
  if (written != real) std::ofstream(file.substr(file.rfind('/') + 1) + ".actual") << real;
  CHECK_MESSAGE(written == real, file, " is not what the table gives; see the .actual file here");
}

} // namespace

TEST_CASE("HELP shows all names and, of each command, how it is written and what it does") {
  check_golden("actors/swci/language/testdata/help.txt", ended(command_names()));
  check_golden("actors/swci/language/testdata/help_of_all.txt", ended(help_lines("")));
  CHECK(help_lines("CREATE TASK").size() > help_lines("CREATE TASK FROM").size());
  CHECK(ended(help_lines("CREATE TASK")).find("TASKRUNNER") == std::string::npos);
  CHECK(help_lines("NO SUCH").empty());
}

TEST_CASE("the operator's guide has the table of commands as it is") {
  constexpr std::string_view begin = "<!-- commands: begin -->\n", end = "\n<!-- commands: end -->";
  const auto guide = read("docs/operators.md");
  const auto from = guide.find(begin);
  const auto to = guide.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  const auto real = guide.substr(0, from + begin.size()) + commands_as_markdown() + guide.substr(to);
  check_golden("docs/operators.md", real);
}

TEST_CASE("help is whole sentences that fit a terminal") {
  for (const auto* each : all_commands()) {
    CAPTURE(each->how.usage);
    CHECK(each->help.ends_with('.'));
    CHECK(each->how.usage.size() <= 96);
  }
  for (const auto& line : help_lines("")) {
    CAPTURE(line);
    CHECK(line.size() <= 120);
  }
}

} // namespace help_test
