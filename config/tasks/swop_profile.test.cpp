#include "config/tasks/swop_profile.hpp"

#include "config/tasks/testing/files.hpp"
#include "config/tasks/testing/readings.hpp"

#include <doctest/doctest.h>

namespace swop_profile_test {

using namespace swarm;
using namespace swarm::tasks;
using test::example;
using test::with;

namespace {

const test::readings<swop_profile> files(read_swop_profile, "p.yaml");

/// The least that a profile has, with one node that has `more` besides.
std::string small_profile(const std::string& more = "") {
  return "groupname: g\ntaskrunner: t\nresourcemgr: {mgrtype: PROCESS}\nnodes:\n"
         "- slnodedef:\n    idx: 0\n    identity: []\n    slhostname: ~\n    privatedata: ~\n    slenvvars: "
         "~\n"
         "    usrhostname: ~\n    usrenvvars: ~\n"
         + more;
}

} // namespace

TEST_CASE("the SNs that tasks may start") {
  CHECK(files.accepted(small_profile()).sns.empty());
  const std::string identity =
      "identity: [{attribute: {aType: KEY, mType: BIND, src: /k/key.pem, tgt: /k/key.pem}}]";
  const auto sn = [&](const std::string& more) { return "- snnodedef: {" + identity + ", " + more + "}\n"; };
  const auto profile = files.accepted(small_profile(
      "snnodes:\n" + sn("snname: sn-2")
      + sn("snname: sn-3, snhostip: 10.0.0.3, snapiport: 31304, snp2pport: 31303, snpatience: 20, "
           "snenvvars: [{SWARMD_OBSERVER: true}], snlimits: {memory: 2G}")));
  REQUIRE(profile.sns.size() == 2);
  const auto& usual = profile.sns[0];
  CHECK(usual.name == "sn-2");
  REQUIRE(usual.identity.size() == 1);
  CHECK(usual.identity[0].where.source == "/k/key.pem");
  CHECK(!usual.host_ip);
  CHECK(usual.api_port == 30304);
  CHECK(usual.p2p_port == 30303);
  CHECK(usual.patience_seconds == 600);
  CHECK(profile.sn_of("sn-3") == &profile.sns[1]);
  CHECK(profile.sn_of("sn-4") == nullptr);
  const auto& other = profile.sns[1];
  CHECK(other.host_ip == "10.0.0.3");
  CHECK(other.p2p_port == 31303);
  CHECK(other.patience_seconds == 20);
  CHECK(other.variables == environment{{"SWARMD_OBSERVER", "True"}});
  CHECK(other.limits.memory_bytes == 2ull << 30);
}

TEST_CASE("SNs that could not run side by side, or are called by no word") {
  const auto sn = [](const std::string& more) {
    return "- snnodedef: {identity: [{attribute: {aType: KEY, mType: BIND, src: /k, tgt: /k/key.pem}}], "
           + more + "}\n";
  };
  const auto refusal = [&](const std::string& sns) {
    return files.refusal(small_profile("snnodes:\n" + sns));
  };
  CHECK(refusal(sn("snname: a") + sn("snname: a, snapiport: 1, snp2pport: 2"))
        == "p.yaml:15: snnodes[1].snnodedef.snname: the SN in line 14 has the same; give each a name of its "
           "own");
  CHECK(refusal(sn("snname: a, snapiport: 7") + sn("snname: b, snapiport: 8, snp2pport: 7"))
        == "p.yaml:15: snnodes[1].snnodedef.snp2pport: the SN in line 14 has the same; give each a port of "
           "its own");
  CHECK(refusal(sn("snname: ../a")).find("a name of 1 to 40 letters") != std::string::npos);
  CHECK(refusal(sn("snname: a, snapiport: 0")) != "accepted");
  CHECK(refusal("- snnodedef: {snname: a}\n").find("identity: missing") != std::string::npos);
}

TEST_CASE("a profile for GPUs") {
  const auto profile = files.accepted(example("gpu_profile.yaml"));
  CHECK(profile.group_name == "radiology");
  CHECK(profile.taskrunner == "defaulttaskbb.taskdb.sml.hpe");
  CHECK(profile.manager == manager_type::docker);
  CHECK(profile.network == "host-1-net");
  CHECK(profile.sn.host == "192.168.7.1");
  CHECK(!profile.sn.port);
  CHECK(!profile.sn.service);
  CHECK(profile.variables
        == environment{{"SL_LOG_LEVEL", "INFO"},
                       {"http_proxy", "http://proxy.example:8080"},
                       {"no_proxy", std::nullopt}});
  REQUIRE(profile.nodes.size() == 2);
  const auto& first = profile.nodes[0];
  REQUIRE(first.identity.size() == 3);
  CHECK(first.identity[0].part == identity_part::key);
  CHECK(first.identity[0].where
        == mount{"<CURRENT-PATH>/cert/sl-1-key.pem", "/swarm-cert/sl-1-key.pem", mount_type::bind});
  CHECK(first.identity[2].where.type == mount_type::volume);
  CHECK(first.sl.host_name == "sl1");
  CHECK(first.sl_host_ip == "192.168.7.1");
  CHECK(first.sl_port == 16000);
  CHECK(first.user.host_name == "user1");
  CHECK(first.user.variables
        == environment{{"SCRATCH_DIR", "user1"}, {"SWARM_LOOPBACK", "False"}, {"WORKERS", "25"}});
  REQUIRE(first.user_options.size() == 1);
  CHECK(first.user_options[0].name == "gpus");
  CHECK(first.user_options[0].values == std::vector<std::string>{"all"});
  const auto& second = profile.nodes[1];
  CHECK(second.index == 1);
  REQUIRE(second.data);
  CHECK(second.data->source == "<CURRENT-PATH>/user2");
  CHECK(second.user_options[0].values == std::vector<std::string>{"/dev/kfd", "/dev/dri"});
  CHECK(second.user_options[3].values == std::vector<std::string>{"True"});
  const auto told = files.warnings(example("gpu_profile.yaml"));
  CHECK(told.find("p.yaml:65: nodes[1].slnodedef.privatedata: read from 'privateData'\n")
        != std::string::npos);
  CHECK(told.ends_with(": apls: no licence is needed, so no licence server is asked"));
}

TEST_CASE("a profile behind a proxy, whose nodes stand beside their key") {
  const auto profile = files.accepted(example("proxy_profile.yaml"));
  CHECK(profile.sn.service == "api.sn-1.swarm");
  CHECK(!profile.sn.host);
  CHECK(profile.dns == std::vector<std::string>{"10.0.0.53", "10.0.0.54"});
  CHECK(profile.variables == environment{{"SL_LOG_LEVEL", "DEBUG"}, {"http_proxy", std::nullopt}});
  REQUIRE(profile.nodes.size() == 1);
  const auto& node = profile.nodes[0];
  REQUIRE(node.identity.size() == 1);
  CHECK(node.identity[0].part == identity_part::spiffe_socket_path);
  CHECK(!node.identity[0].sub_path);
  CHECK(!node.sl_port);
  CHECK(node.sl_fs_service == "fs.sl-1.swarm");
  CHECK(node.sl.network_ip == "10.1.0.7");
  CHECK(node.user.network_ip == "10.1.0.8");
  REQUIRE(node.sl.labels.size() == 1);
  CHECK(node.sl.labels[0].values == std::vector<std::string>{"sl"});
  REQUIRE(node.user.labels.size() == 2);
  CHECK(node.user.labels[1].name == "team-b");
  CHECK(node.user.labels[1].values.empty());
  CHECK(!node.data);
  const auto told = files.warnings(example("proxy_profile.yaml"));
  CHECK(told.find("p.yaml:6: resourcemgr: read from 'resourceMgr'") != std::string::npos);
  CHECK(told.find("nodes[0].slnodedef: what stands beside it is taken as its content") != std::string::npos);
  CHECK(told.find("identity[0].attribute: what stands beside it is taken as its content")
        != std::string::npos);
}

TEST_CASE("a profile for processes needs no more than it uses") {
  const auto profile = files.accepted(
      small_profile("    sllimits: {memory: 512M}\n    usrlimits: {memory: 16G, cpus: 2.5}\n"));
  CHECK(profile.manager == manager_type::process);
  CHECK(profile.nodes[0].sl.limits.memory_bytes == 512ull << 20);
  CHECK(!profile.nodes[0].sl.limits.cpus);
  CHECK(profile.nodes[0].user.limits.memory_bytes == 16ull << 30);
  CHECK(profile.nodes[0].user.limits.cpus == 2.5);
  CHECK(files.warnings(small_profile()).empty());
  const auto memory = [](const std::string& text) {
    return files.accepted(small_profile("    sllimits: {memory: " + text + "}\n"))
        .nodes[0]
        .sl.limits.memory_bytes;
  };
  CHECK(memory("1000") == 1000);
  CHECK(memory("'1000'") == 1000);
  CHECK(memory("4k") == 4096);
  CHECK(memory("4kb") == 4096);
  CHECK(memory("7b") == 7);
  CHECK(memory("2T") == 2ull << 40);
  CHECK(!memory("~"));
}

TEST_CASE("managers are known by their names; where a cluster is may be said") {
  const auto somewhere = files.accepted(
      with(small_profile(), "PROCESS",
           "KUBERNETES, cluster: {server: 'https://a:6443', namespace: n, tokenfile: /t, cafile: ~}"));
  CHECK(somewhere.cluster.server == "https://a:6443");
  CHECK(somewhere.cluster.name_space == "n");
  CHECK(somewhere.cluster.token_file == "/t");
  CHECK(somewhere.cluster.ca_file.empty());
  CHECK(files.accepted(with(small_profile(), "PROCESS", "SLURM")).manager == manager_type::slurm);
  CHECK(files.accepted(with(small_profile(), "PROCESS", "KUBERNETES")).manager == manager_type::kubernetes);
  CHECK(name_of(manager_type::kubernetes) == "KUBERNETES");
  CHECK(files.refusal(with(small_profile(), "PROCESS", "PROCES"))
        == "p.yaml:3: resourcemgr.mgrtype: 'PROCES' is none of DOCKER, PROCESS, SLURM, KUBERNETES; did you "
           "mean 'PROCESS'?");
}

TEST_CASE("a policy is a file of this host, or none") {
  CHECK(!files.accepted(small_profile()).policy);
  CHECK(!files.accepted("policyuri: ~\n" + small_profile()).policy);
  CHECK(files.accepted("policyuri: tasks.yaml\n" + small_profile()).policy == "tasks.yaml");
  CHECK(files.accepted("policyuri: file:///etc/tasks.yaml\n" + small_profile()).policy == "/etc/tasks.yaml");
  CHECK(files.refusal("policyuri: ''\n" + small_profile()).starts_with("p.yaml:1: policyuri: "));
  for (const auto* elsewhere : {"http://x/tasks.yaml", "file://host/tasks.yaml"})
    CHECK(files.refusal(std::string("policyuri: ") + elsewhere + "\n" + small_profile())
          == "p.yaml:1: policyuri: give the path of a file of rules, or null to take the tasks of all "
             "organisations");
}

TEST_CASE("a licence server is answered, and not asked") {
  CHECK(files.warnings("apls: {locator: {host: 10.9.9.9, port: 5814}}\n" + small_profile())
        == "p.yaml:1: apls: no licence is needed, so no licence server is asked");
  for (const auto* none : {"apls: ~\n", "apls: {locator: ~}\n", "apls: {locator: {host: ~, port: ~}}\n"})
    CHECK(files.warnings(none + small_profile()).empty());
}

TEST_CASE("spellings that stand in people's files are read, with a warning") {
  CHECK(files.warnings(with(small_profile(), "slenvvars: ~", "slenvvvars: ~"))
        == "p.yaml:10: nodes[0].slnodedef.slenvvars: read from 'slenvvvars'");
  CHECK(files.warnings(small_profile("    slport: 1\n    slport: 2\n"))
        == "p.yaml:14: nodes[0].slnodedef.slport: given again (first in line 13); the last one counts");
  CHECK(files.accepted(small_profile("    slport: 1\n    slport: 2\n")).nodes[0].sl_port == 2);
  const auto lower = with(example("gpu_profile.yaml"), "subPath : null", "subpath : /x");
  CHECK(files.accepted(lower).nodes[0].identity[0].sub_path == "/x");
  CHECK(files.accepted("apls: ~\napisrv: ~\nenvvars: ~\ndns: ~\nnetwork: ~\n" + small_profile()).dns.empty());
  CHECK(files.accepted("apisrv: {locator: ~}\n" + small_profile()).sn.host == std::nullopt);
}

TEST_CASE("two nodes have the same host name but never the same number") {
  CHECK(files.refusal(with(example("gpu_profile.yaml"), "idx : 1", "idx : 0"))
        == "p.yaml:59: nodes[1].slnodedef.idx: the node in line 24 has the same; give each node a number of "
           "its own");
}

TEST_CASE("what breaks the schema is told with line, path and remedy") {
  CHECK(files.refusal(small_profile("    slport: 99999\n"))
        == "p.yaml:13: nodes[0].slnodedef.slport: 99999 is more than 65535");
  CHECK(files.refusal(small_profile("    slport: '16000'\n"))
        == "p.yaml:13: nodes[0].slnodedef.slport: is text, expected a whole number or nothing (~); take the "
           "quotes off");
  CHECK(
      files.refusal(small_profile("    sllimits: {memory: 16 GB}\n"))
      == "p.yaml:13: nodes[0].slnodedef.sllimits.memory: not a number of bytes, or one such as 512M or 16G");
  CHECK(files.refusal(small_profile("    sllimits: {cpus: 0}\n"))
        == "p.yaml:13: nodes[0].slnodedef.sllimits.cpus: 0 is not more than 0");
  CHECK(files.refusal(with(small_profile(), "    usrenvvars: ~\n", ""))
        == "p.yaml:6: nodes[0].slnodedef.usrenvvars: missing; ~ stands for none");
  CHECK(files.refusal(with(small_profile(), "slenvvars: ~", "slenvvars: {A: 1}"))
        == "p.yaml:10: nodes[0].slnodedef.slenvvars: is a mapping, expected a list or nothing (~); write '- "
           "' before "
           "each item; such as '- NAME: value'");
  CHECK(files.refusal(with(small_profile(), "slnodedef", "node"))
            .find("nodes[0].slnodedef: missing; begin each node with '- slnodedef:'")
        != std::string::npos);
  CHECK(files.refusal("- 1") == "p.yaml:1: is a list, expected a mapping");
  CHECK(files.refusal(with(small_profile(), "groupname: g", "groupname: 7"))
        == "p.yaml:1: groupname: is a whole number, expected text; put it in quotes");
}

} // namespace swop_profile_test
