#include "config/parse.hpp"
#include "config/testing/command_lines.hpp"

#include <doctest/doctest.h>

namespace config_answered_test {

using namespace swarm;
using namespace swarm::config;
using namespace swarm::config::testing;

TEST_CASE("the licence server of the original is answered: as flags and as variables, of every role") {
  const auto by_flags =
      parse(sn_with({"--sentinel", "--apls-ip=a", "--apls-port=5814", "--primary-apls-ip=a",
                     "--primary-apls-port=5814", "--secondary-apls-ip=b", "--secondary-apls-port=5814"}),
            {});
  REQUIRE(by_flags);
  REQUIRE(by_flags->notes.size() == 6);
  for (const auto& note : by_flags->notes)
    CHECK(note.ends_with(" is not needed: no licence is needed"));
  const environment variables{{"SWARM_LICENSE_AUTOPASSJ_SERVER_PRIMARY_IP", "a"},
                              {"SWARM_LICENSE_AUTOPASSJ_SERVER_PRIMARY_PORT", "5814"},
                              {"SWARM_LICENSE_AUTOPASSJ_SERVER_SECONDARY_IP", ""},
                              {"SN_START_MINING", "True"}};
  const auto by_variables = parse(sn_with({"--sentinel"}), variables);
  REQUIRE(by_variables);
  CHECK(by_variables->notes
        == words{"SWARM_LICENSE_AUTOPASSJ_SERVER_PRIMARY_IP is not needed: no licence is needed",
                 "SWARM_LICENSE_AUTOPASSJ_SERVER_PRIMARY_PORT is not needed: no licence is needed",
                 "SN_START_MINING is not needed: blocks are agreed on by validators, nobody mines"});
}

} // namespace config_answered_test
