#include "tools/swarmd/doctor/command_line.hpp"

#include <doctest/doctest.h>

namespace command_line_test {

using namespace swarm;
using namespace swarm::doctor;

namespace {

result<command_line> read(const std::vector<std::string>& args) {
  return read_command_line(args);
}

} // namespace

TEST_CASE("doctor takes its own flags and leaves the rest to swarmd") {
  const auto got = read({"--role", "sl", "--json", "--program", "python3 train.py", "--python=/opt/py",
                         "--sn-ip=a", "--program-seconds", "5", "--process", "1"});
  REQUIRE(got);
  CHECK(got->json);
  CHECK(got->program == "python3 train.py");
  CHECK(got->python == "/opt/py");
  CHECK(got->program_seconds == 5);
  CHECK(got->process == "1");
  CHECK(got->rest == std::vector<std::string>{"--role", "sl", "--sn-ip=a"});
  CHECK_FALSE(got->help);
  CHECK(read({"-h"})->help);
}

TEST_CASE("a flag of its own without a good value is refused") {
  for (const auto* value : {"0", "x", "5s", "4000", "-1"})
    CHECK_FALSE(read({"--program-seconds", value}));
  CHECK_FALSE(read({"--program"}));
  CHECK_FALSE(read({"--python", ""}));
}

} // namespace command_line_test
