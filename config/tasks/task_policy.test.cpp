#include "config/tasks/task_policy.hpp"

#include <doctest/doctest.h>

namespace task_policy_test {

using namespace swarm;
using namespace swarm::tasks;

namespace {

task_policy accepted(std::string_view text) {
  auto read = read_task_policy(text, "policy.yaml");
  REQUIRE(read.value);
  CHECK(read.warnings.empty());
  return std::move(*read.value);
}
std::string refused(std::string_view text) {
  const auto read = read_task_policy(text, "policy.yaml");
  REQUIRE(!read.value);
  return read.value.error().message;
}
std::string verdict(const task_policy& policy, std::string_view organisation, task_type type) {
  const auto out = allows(policy, organisation, type);
  if (!out) CHECK(out.error().is(policy_errc::not_allowed));
  return out ? "" : out.error().message;
}

} // namespace

TEST_CASE("the first rule that matches says whether a task is taken") {
  const auto policy = accepted(R"(rules:
  - { organisations: ["Clinic 9"], take: false }
  - { organisations: [Hospital A, "clinic *"], types: [RUN_SWARM, PULL_IMAGE], take: true }
  - { organisations: [Hospital A], take: true }
)");
  CHECK(verdict(policy, "Hospital A", task_type::run_swarm) == "");
  CHECK(verdict(policy, "hospital a", task_type::make_user_container) == "");
  CHECK(verdict(policy, "CLINIC 7", task_type::pull_image) == "");
  CHECK(verdict(policy, "Clinic 9", task_type::run_swarm)
        == "a RUN_SWARM task of 'Clinic 9' is refused by the rule in line 2 of policy.yaml");
  CHECK(verdict(policy, "Clinic 7", task_type::make_swarm_user_content)
        == "no rule of policy.yaml takes a MAKE_SWARM_USER_CONTENT task of 'Clinic 7': add one to carry such "
           "tasks out");
  CHECK(
      verdict(policy, "", task_type::run_swarm)
      == "no rule of policy.yaml takes a RUN_SWARM task of no organisation: add one to carry such tasks out");
  CHECK(verdict(accepted("rules:\n  - { organisations: ['*'], take: true }\n"), "", task_type::run_swarm)
        == "");
}

TEST_CASE("what is wrong in a policy is told with line and column") {
  CHECK(refused("rules:\n  - organisations: [A]\n    take: perhaps\n")
            .starts_with("policy.yaml:3:11: rules[0].take: "));
  CHECK(refused("rules:\n  - organisations: A\n    take: true\n")
            .starts_with("policy.yaml:2:20: rules[0].organisations: "));
  CHECK(refused("rules:\n  - { organisations: [A] }\n").find("rules[0].take: missing") != std::string::npos);
  CHECK(refused("rules:\n  - { organisations: [A], types: [run_swarm], take: true }\n")
            .starts_with("policy.yaml:2:35: rules[0].types[0]: "));
  CHECK(refused("rules: []\n").starts_with("policy.yaml:1:8: rules: "));
  CHECK(refused("rules:\n  - { organisations: [A], take: true, until: 9 }\n")
            .starts_with("policy.yaml:2:39: "));
  CHECK(refused("").starts_with("policy.yaml"));
  CHECK(refused("rules: [").starts_with("policy.yaml:1:"));
  // All is told at once.
  const auto both =
      refused("rules:\n  - { organisations: [], take: true }\n  - { organisations: [A], take: 1 }\n");
  CHECK(both.find("policy.yaml:2:22:") != std::string::npos);
  CHECK(both.find("policy.yaml:3:33:") != std::string::npos);
}

TEST_CASE("spellings that are near are read with a warning") {
  const auto read = read_task_policy("Rules:\n  - { organizations: [A], Take: true }\n", "policy.yaml");
  REQUIRE(read.value);
  CHECK(read.warnings.size() == 3);
}

} // namespace task_policy_test
