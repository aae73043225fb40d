#include "actors/swop/managers/slurm/jobs.hpp"

#include <doctest/doctest.h>

namespace slurm_jobs_test {

using namespace swarm::managers::slurm;

TEST_CASE("squeue's lines: names with their states, the last one of a name counts, the rest is passed over") {
  CHECK(read_jobs("") == job_states{});
  CHECK(read_jobs("RUNNING|node-1|swarm-a-1@5\nPENDING||b\n")
        == job_states{{"b", {"PENDING", ""}}, {"swarm-a-1@5", {"RUNNING", "node-1"}}});
  CHECK(read_jobs("COMPLETED||a\nRUNNING|n|a") == job_states{{"a", {"RUNNING", "n"}}});
  CHECK(read_jobs("slurm_load_jobs error: Unable to contact\n|x|y\n\nRUNNING|x\nRUNNING|n|l|m\n")
        == job_states{{"l|m", {"RUNNING", "n"}}});
}

TEST_CASE("sinfo's lines: partitions with the nodes of each state") {
  CHECK(read_partitions("day*|up|2|idle|a\nday*|up|1|down*|b\nnight|down|8|idle|c\n")
        == std::vector<partition>{{"day", true, true, 2, "idle", "a"},
                                  {"day", true, true, 1, "down*", "b"},
                                  {"night", false, false, 8, "idle", "c"}});
  CHECK(read_partitions("slurm_load_partitions: Unable to contact\nday|up|x|idle|a\n||||\n").empty());
  for (const char* good : {"idle", "mix", "alloc"})
    CHECK(takes_jobs(good));
  for (const char* bad : {"down", "down*", "idle*", "drain", "drng", "unk", "fail"})
    CHECK_FALSE(takes_jobs(bad));
}

TEST_CASE("which jobs may have processes: all whose state is not known to be a last one") {
  for (const char* live : {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "SOMETHING_NEW"})
    CHECK(is_live(live));
  for (const char* over : {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL",
                           "PREEMPTED", "BOOT_FAIL", "DEADLINE"})
    CHECK_FALSE(is_live(over));
}

} // namespace slurm_jobs_test
