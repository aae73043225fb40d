#include "config/parse.hpp"

#include "base/testing/wording.hpp"
#include "config/keys.hpp"
#include "config/testing/command_lines.hpp"

#include <doctest/doctest.h>

namespace parse_test {

using namespace swarm;
using namespace swarm::config;
using namespace swarm::config::testing;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

std::string origin_of(const process_config& config, std::string_view node, std::string_view key) {
  for (const auto& s : config.settings)
    if (s.node_name == node && s.key == key) return s.value + " from " + s.origin;
  return "";
}

} // namespace

TEST_CASE("an SN with defaults") {
  const auto out = parse(sn_with({"--sentinel"}), {});
  REQUIRE(out);
  CHECK(out->action == action::run);
  REQUIRE(out->config.sn.size() == 1);
  CHECK(out->config.sl.empty());
  const auto& sn = out->config.sn.front();
  CHECK(sn.sentinel);
  CHECK(sn.node_name == "sn-1");
  CHECK(sn.data_dir == "swarm-data/sn-1");
  CHECK(sn.bind_address == "0.0.0.0");
  CHECK(sn.sn_api_port == 30304);
  CHECK(sn.sn_p2p_port == 30303);
  CHECK(sn.identity.key == "k");
  CHECK(sn.identity.cacert == "a");
  CHECK(!sn.identity.verify_host);
  CHECK(out->config.data_dir == "swarm-data");
  CHECK(out->config.log_level == log::level::info);
}

TEST_CASE("who is reached by IPv6 listens on it, and on IPv4, unless told otherwise") {
  const auto of = [](const words& more) {
    return parse(words{"--role", "sn"} + identity + more, {}).value().config;
  };
  auto config = of({"--sentinel", "--host-ip=::1"});
  CHECK(config.sn.front().host_ip == "::1");
  CHECK(config.sn.front().bind_address == "::");
  CHECK(origin_of(config, "sn-1", "bind-address") == ":: from default");
  CHECK(of({"--sentinel", "--host-ip=[fd00::2]"}).sn.front().host_ip == "fd00::2");
  config = of({"--sentinel", "--host-ip=::1", "--bind-address=0.0.0.0"});
  CHECK(config.sn.front().bind_address == "0.0.0.0");
}

TEST_CASE("an SL with every flag") {
  const auto out = parse(words{"--role=sl",
                               "--sn-api-service=api.sn-1.swarm",
                               "--sl-fs-service",
                               "fs.sl-1.swarm:8443",
                               "--sl-fs-port=16000",
                               "--key=k",
                               "--cert=c",
                               "--capath=ca",
                               "--verify-host",
                               "--data-dir=/var/lib/swarm",
                               "--node-name=hospital-a",
                               "--log-level=debug",
                               "--bind-address=127.0.0.1",
                               "--request-channel=/run/q",
                               "--response-channel=/run/r",
                               "--make-me-admin=false",
                               "--leader-failure-base-timeout=60",
                               "--wait-for-full-quorum=5",
                               "--ram-intensive=False",
                               "--channel-group=ml",
                               "--store-quota=20G",
                               "--keep-merges=7",
                               "--genesis-hash=0x" + std::string(64, 'a')},
                         {});
  REQUIRE(out);
  const auto& sl = out->config.sl.at(0);
  CHECK(sl.channel_group == "ml");
  CHECK_FALSE(sl.channel_open);
  CHECK(sl.store_quota == std::uint64_t{20} << 30);
  CHECK(sl.keep_merges == 7);
  CHECK(to_hex(sl.genesis_hash.value().view()) == "0x" + std::string(64, 'a'));
  CHECK(sl.sn_api_service == service{"api.sn-1.swarm", 443});
  CHECK(sl.sl_fs_service == service{"fs.sl-1.swarm", 8443});
  CHECK(sl.sl_fs_port == 16000);
  CHECK(sl.identity.capath == "ca");
  CHECK(sl.identity.verify_host);
  CHECK(sl.data_dir == "/var/lib/swarm/sl-1");
  CHECK(sl.node_name == "hospital-a");
  CHECK(out->config.log_level == log::level::debug);
  CHECK(sl.bind_address == "127.0.0.1");
  CHECK(sl.request_channel == "/run/q");
  CHECK(sl.response_channel == "/run/r");
  CHECK(!sl.make_me_admin);
  CHECK(sl.leader_failure_base_timeout == std::chrono::seconds(60));
  CHECK(sl.wait_for_full_quorum == std::chrono::seconds(5));
  CHECK(!sl.ram_intensive);
}

TEST_CASE("an SN joins by address or service and has more contracts") {
  const auto out = parse(sn_with({"--sentinel-ip", "sn1", "--sentinel-api-port=1", "--contract=a",
                                  "--contract=b", "--sn-p2p-service=p2p.x"}),
                         {});
  REQUIRE(out);
  const auto& sn = out->config.sn.at(0);
  CHECK(sn.sentinel_ip == "sn1");
  CHECK(sn.sentinel_api_port == 1);
  CHECK(sn.contracts == words{"a", "b"});
  CHECK(sn.sn_p2p_service == service{"p2p.x", 30303});
  CHECK(message(sn_with({"--sentinel-api-service=api.x"})) == "accepted");
  // With both services given, no address of the host is needed.
  CHECK(
      message(words{"--role", "sn", "--sentinel", "--sn-api-service=a.x", "--sn-p2p-service=p.x"} + identity)
      == "accepted");
}

TEST_CASE("the environment of the original is understood") {
  const environment env{{"SN_I_AM_SENTINEL", "1"},       {"THIS_NODE_IP", "10.0.0.9"},
                        {"SN_API_SERVER_PORT", "1111"},  {"SN_ETH_PORT_EXT", "2222"},
                        {"SN_ETH_P2P_SERVICE", "p2p.x"}, {"SWARM_ID_KEY", "k"},
                        {"SWARM_ID_CERT", "c"},          {"SWARM_ID_CAPATH", "ca"},
                        {"SWARM_ID_CACERT", ""},         {"SWARMD_CONTRACT", "a,b"}};
  const auto out = parse(words{"--role", "sn"}, env);
  REQUIRE(out);
  const auto& sn = out->config.sn.at(0);
  CHECK(sn.sentinel);
  CHECK(sn.host_ip == "10.0.0.9");
  CHECK(sn.sn_api_port == 1111);
  CHECK(sn.sn_p2p_port == 2222);
  CHECK(sn.sn_p2p_service == service{"p2p.x", 30303});
  CHECK(sn.identity.capath == "ca");
  CHECK(sn.identity.cacert.empty());
  CHECK(sn.contracts == words{"a", "b"});

  const auto joining = parse(words{"--role", "sn", "--host-ip=h"} + identity,
                             {{"SENTINEL_NODE_IP", "s"}, {"SENTINEL_API_SERVER_PORT", "5"}});
  REQUIRE(joining);
  CHECK(joining->config.sn.at(0).sentinel_ip == "s");
  CHECK(joining->config.sn.at(0).sentinel_api_port == 5);
  CHECK(parse(words{"--role", "sn", "--host-ip=h"} + identity, {{"SENTINEL_API_SERVICE", "s.x"}}));
}

TEST_CASE("the environments of a SWOP and of a SWCI of the original are understood") {
  const environment identity_files{{"SWARM_ID_KEY", "k"}, {"SWARM_ID_CERT", "c"}, {"SWARM_ID_CACERT", "a"}};
  environment env = identity_files;
  env.insert({{"SWARMD_ROLE", "swop"},
              {"USR_DIR", "/platform/swarm/usr"},
              {"SWOP_PROFILE", "swop1_profile.yaml"},
              {"SWOP_UID", "1000"},
              {"SWOP_GID", "1001"},
              {"SWOP_KEEP_CONTAINERS", "True"},
              {"SWOP_LINES_PORT", "3333"},
              {"SN_NODE_IP", "10.0.0.2"},
              {"SN_API_SERVER_PORT", "1111"}});
  env.insert({{"SWOP_DOCKER_SOCKET", "unix:///run/e.sock"}, {"SWOP_SL_IMAGE", "hub:5000/org/sl:1.2"}});
  const auto swop_out = parse(
      words{"--allow-path=/data", "--allow-path=/more/../other", "--allow-volume=v1", "--allow-volume=v2"},
      env);
  REQUIRE(swop_out);
  const auto& swop = swop_out->config.swop.at(0);
  CHECK(swop.node_name == "swop-1");
  CHECK(swop.usr_dir == "/platform/swarm/usr");
  CHECK(swop.profile_file == "swop1_profile.yaml");
  CHECK(swop.uid == 1000);
  CHECK(swop.gid == 1001);
  CHECK(swop.keep_containers);
  CHECK(swop.lines_port == 3333);
  CHECK(swop.sn_ip == "10.0.0.2");
  CHECK(swop.sn_api_port == 1111);
  CHECK(swop.manager.empty());
  CHECK(swop.allow_paths == std::vector<std::filesystem::path>{"/data", "/other"});
  CHECK(swop.allow_volumes == std::vector<std::string>{"v1", "v2"});
  CHECK(swop.engine_socket == "/run/e.sock");
  CHECK(swop.sl_image == "hub:5000/org/sl:1.2");

  env = identity_files;
  env.insert({{"SWARMD_ROLE", "swci"},
              {"USR_DIR", "/u"},
              {"SWCI_MODE", "Web"},
              {"SWCI_WEB_PORT", "4444"},
              {"SWCI_STARTUP_SCRIPT", "start"},
              {"SWCI_TASK_MAX_WAIT_TIME", "7"}});
  const auto swci_out = parse(words{}, env);
  REQUIRE(swci_out);
  const auto& swci = swci_out->config.swci.at(0);
  CHECK(swci.web);
  CHECK(swci.web_port == 4444);
  CHECK(!swci.web_plain);
  CHECK(swci.init_script == "start");
  CHECK(swci.task_max_wait_time == std::chrono::minutes(7));
}

TEST_CASE("what a SWOP and a SWCI cannot do without") {
  const auto swop = [](const words& more) { return message(words{"--role", "swop"} + identity + more); };
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p"}) == "accepted"); // the profile may name the SN
  CHECK(swop({"--profile-file-name=p"}).contains("swop-1: give --usr-dir"));
  CHECK(swop({"--usr-dir=u"}).contains("swop-1: give --profile-file-name"));
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p", "--swop-gid=5"}).contains("without swop-uid"));
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p", "--manager=nomad"})
            .contains("there are 'process', 'docker', 'slurm' and 'kubernetes'"));
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p", "--docker-socket-file=tcp://h:2375"})
            .contains("is no container engine's socket"));
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p", "--sl-image=a b"}).contains("is no image's name"));
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p", "--allow-volume=../etc"}) != "accepted");
  CHECK(swop({"--usr-dir=u", "--profile-file-name=p", "--allow-path=data"}).contains("not an absolute path"));
  CHECK(message(words{"--role", "swci"} + identity).contains("swci-1: give --usr-dir"));
  CHECK(message(words{"--role", "swci", "--usr-dir=u", "--swci-mode=page"} + identity)
            .contains("there are CLI and WEB"));
  CHECK(message(words{"--role", "swci", "--role", "swci"} + identity) != "accepted");
}

TEST_CASE("files in the user directory are named in the same way by a flag and in a profile") {
  const scratch here;
  const auto profile = here.profile("host-ip: h\nkey: k\ncert: c\ncacert: a\nsn-ip: s\n"
                                    "swop: {usr-dir: usr, profile-file-name: swop.yaml}\n"
                                    "swci: {usr-dir: usr, init-script-name: start}\n");
  const auto out = parse(words{"--profile", profile}, environment{});
  REQUIRE(out);
  CHECK(out->config.swop.at(0).usr_dir == here.folder / "usr");
  CHECK(out->config.swop.at(0).profile_file == "swop.yaml");
  CHECK(out->config.swci.at(0).init_script == "start");
}

TEST_CASE("a SWOP beside an SN uses that SN") {
  const auto out = parse(words{"--role", "sn", "--role", "swop", "--sentinel", "--host-ip=h",
                               "--sn-api-port=7", "--usr-dir=u", "--profile-file-name=p"}
                             + identity,
                         environment{});
  REQUIRE(out);
  CHECK(out->config.swop.at(0).sn_ip == "127.0.0.1");
  CHECK(out->config.swop.at(0).sn_api_port == 7);
}

TEST_CASE("the environment of an SL of the original is understood") {
  const environment env{{"SWARMD_ROLE", "sl"},
                        {"THIS_NODE_IP", "sl1"},
                        {"SN_NODE_IP", "10.0.0.2"},
                        {"SN_API_SERVER_PORT", "1111"},
                        {"SL_FS_PORT", "16000"},
                        {"SL_FS_SERVICE", "fs.x"},
                        {"SL_REQUEST_CHANNEL", "/a"},
                        {"SL_RESPONSE_CHANNEL", "/b"},
                        {"SL_MAKE_ME_ADMIN", "False"},
                        {"SL_LEADER_FAILURE_BASE_TIMEOUT", "7"},
                        {"SL_WAIT_FOR_FULL_QUORUM_SECONDS", "8"},
                        {"SL_RAM_INTENSIVE", "False"},
                        {"SL_LOG_LEVEL", "WARNING"},
                        {"SWARM_ID_KEY", "k"},
                        {"SWARM_ID_CERT", "c"},
                        {"SWARM_ID_CACERT", "a"}};
  const auto out = parse(words{}, env);
  REQUIRE(out);
  const auto& sl = out->config.sl.at(0);
  CHECK(sl.host_ip == "sl1");
  CHECK(sl.sn_ip == "10.0.0.2");
  CHECK(sl.sn_api_port == 1111);
  CHECK(sl.sl_fs_port == 16000);
  CHECK(sl.sl_fs_service == service{"fs.x", 443});
  CHECK(sl.request_channel == "/a");
  CHECK(sl.response_channel == "/b");
  CHECK(!sl.make_me_admin);
  CHECK(sl.leader_failure_base_timeout == std::chrono::seconds(7));
  CHECK(sl.wait_for_full_quorum == std::chrono::seconds(8));
  CHECK(!sl.ram_intensive);
  CHECK(out->config.log_level == log::level::warning);
}

TEST_CASE("flags win over the role's section, that over the profile's top, that over the environment") {
  const scratch here;
  const auto file = here.profile("host-ip: top\nsn-api-port: 2\nsn-p2p-port: 2\nkey: k\ncert: c\ncacert: a\n"
                                 "sn: {sn-p2p-port: 3, sentinel: true}\n");
  const environment env{
      {"THIS_NODE_IP", "env"}, {"SN_API_SERVER_PORT", "1"}, {"SWARMD_BIND_ADDRESS", "127.0.0.9"}};
  const auto out = parse(words{"--profile", file, "--sn-api-port=4"}, env);
  REQUIRE(out);
  const auto& config = out->config;
  CHECK(config.sn.at(0).sn_api_port == 4);
  CHECK(config.sn.at(0).sn_p2p_port == 3);
  CHECK(config.sn.at(0).host_ip == "top");
  CHECK(config.sn.at(0).bind_address == "127.0.0.9");
  CHECK(config.sn.at(0).identity.key == here.folder / "k");
  CHECK(origin_of(config, "sn-1", "sn-api-port") == "4 from --sn-api-port");
  CHECK(origin_of(config, "sn-1", "sn-p2p-port") == "3 from " + file + ":7:19");
  CHECK(origin_of(config, "sn-1", "host-ip") == "top from " + file + ":1:10");
  CHECK(origin_of(config, "sn-1", "bind-address") == "127.0.0.9 from environment SWARMD_BIND_ADDRESS");
  CHECK(origin_of(config, "sn-1", "sentinel-api-port") == "30304 from default");
  CHECK(origin_of(config, "sn-1", "data-dir") == "swarm-data/sn-1 from default");
  CHECK(origin_of(config, "", "log-level") == "INFO from default");
  CHECK(describe(config).find("sn-1  sn-api-port") != std::string::npos);
}

TEST_CASE("a profile starts several roles of one host, and --role picks among them") {
  const scratch here;
  const auto file =
      here.profile("host-ip: h\nkey: k\ncert: c\ncacert: a\ndata-dir: d\n"
                   "sn: {sentinel: true, sn-api-port: 7000}\n"
                   "sl:\n"
                   "  - {node-name: left, request-channel: lq, response-channel: lr}\n"
                   "  - {sl-fs-port: 2, request-channel: rq, response-channel: rr, data-dir: other}\n");
  const auto out = parse(words{"--profile", file}, {});
  REQUIRE(out);
  const auto& config = out->config;
  REQUIRE(config.sn.size() == 1);
  REQUIRE(config.sl.size() == 2);
  CHECK(config.data_dir == here.folder / "d");
  CHECK(config.sl[0].node_name == "left");
  CHECK(config.sl[0].data_dir == here.folder / "d/sl-1");
  CHECK(config.sl[1].node_name == "sl-2");
  CHECK(config.sl[1].data_dir == here.folder / "other");
  // The SN of the same process is the one to use.
  CHECK(config.sl[0].sn_ip == "127.0.0.1");
  CHECK(config.sl[0].sn_api_port == 7000);
  CHECK(origin_of(config, "left", "sn-ip") == "127.0.0.1 from sn-1 of this process");

  const auto only_sn = parse(words{"--profile", file, "--role", "sn", "--node-name", "alpha"}, {});
  REQUIRE(only_sn);
  CHECK(only_sn->config.sl.empty());
  CHECK(only_sn->config.sn.at(0).node_name == "alpha");
  CHECK(only_sn->config.sn.at(0).data_dir == here.folder / "d/sn-1");
  const auto all_named = parse(words{"--profile", file, "--node-name", "alpha"}, {});
  REQUIRE(all_named);
  CHECK(all_named->config.sn.at(0).node_name == "alpha-sn-1");
  CHECK(all_named->config.sl.at(1).node_name == "alpha-sl-2");
  CHECK(all_named->config.sl.at(0).node_name == "left");
}

TEST_CASE("a profile can come from the environment, and roles from flags alone") {
  const scratch here;
  const auto file = here.profile("sl: {host-ip: h, sn-ip: s, key: k, cert: c, cacert: a}\n");
  CHECK(parse(words{}, {{"SWARMD_PROFILE", file}, {"SWARMD_ROLE", "sn"}})->config.sl.size() == 1);
  const auto both =
      parse(words{"--role", "sn", "--role", "sl", "--sentinel", "--host-ip", "h"} + identity, {});
  REQUIRE(both);
  CHECK(both->config.sn.size() == 1);
  CHECK(both->config.sl.size() == 1);
}

TEST_CASE("names of flags match in any case, and what the original needed is accepted with a note") {
  const auto out = parse(sn_with({"--Sentinel=1", "--apls-ip", "1.2.3.4"}), {});
  REQUIRE(out);
  CHECK(out->config.sn.at(0).sentinel);
  CHECK(out->notes == words{"--apls-ip is not needed: no licence is needed"});
}

TEST_CASE("mistakes on the command line") {
  CHECK(message({})
        == "no role is given: start with --role sn, sl, swop, swci or ui, or with --profile FILE (swarmd "
           "--help lists the settings)");
  CHECK(message(sn_with({"--sentinle"})) == "unknown flag '--sentinle'; did you mean '--sentinel'?");
  CHECK(message(sn_with({"--sentinel", "--foo=3"})) == "unknown flag '--foo' (see --help)");
  CHECK(message(sn_with({"--sentinel", "bar"}))
        == "unexpected argument 'bar'; settings are given as --name value (see --help)");
  CHECK(message(sn_with({"--sentinel", "--sn-api-port"})) == "--sn-api-port needs a value (see --help)");
  CHECK(message({"--role", "sl", "--sn-ip", "--host-ip", "a"}) == "--sn-ip needs a value (see --help)");
  CHECK(message(sn_with({"--sentinel", "--host-ip=b"})) == "--host-ip is given 2 times; keep one of them");
  CHECK(message({"--profile=a", "--profile=b"}).starts_with("--profile is given 2 times; keep one of them"));
  CHECK(message({"--role", "swob"})
        == "--role: 'swob' is not a role; the roles are sn, sl, swop, swci and ui");
  CHECK(message({}, {{"SWARMD_ROLE", "x"}})
        == "environment SWARMD_ROLE: 'x' is not a role; the roles are sn, sl, swop, swci and ui");
  CHECK(message({"--role", "sl", "--role", "sl"})
        == "--role: 'sl' is given twice; several of one kind in a process need a profile (--profile)");
  CHECK(message(words(2000, "x")) == "2000 arguments; at most 1024 are read");
  CHECK(code({"--nonsense"}) == config_errc::usage);
  CHECK(code({}) == config_errc::missing);
}

TEST_CASE("a wrong value names its source") {
  const scratch here;
  CHECK(message(sn_with({"--sentinel", "--sn-api-port=0"}))
        == "--sn-api-port: '0' is not a port; give a number from 1 to 65535");
  CHECK(message(sn_with({"--sentinel"}), {{"SN_ETH_PORT_EXT", "x"}})
        == "environment SN_ETH_PORT_EXT: sn-p2p-port: 'x' is not a port; give a number from 1 to 65535");
  const auto file = here.profile("sn:\n  sentinel: perhaps\n");
  CHECK(message(words{"--profile", file, "--host-ip=h"} + identity)
        == file + ":2:13: sentinel: 'perhaps' is neither true nor false");
  CHECK(message(sn_with({"--sentinel", "--contract=a", "--contract=a"}))
        == "--contract: contract 'a' is named twice");
  CHECK(message(sn_with({"--sentinel", "--node-name=" + std::string(65, 'n')}))
        == "--node-name: the name '" + std::string(65, 'n') + "' has 65 bytes; at most 64 are allowed");
  CHECK(message(sn_with({"--sentinel", "--log-level=loud"}))
        == "--log-level: 'loud' is not a log level; give TRACE, DEBUG, INFO, WARNING, ERROR or OFF");
  CHECK(code(sn_with({"--sentinel=maybe"})) == config_errc::bad_value);
  words many = sn_with({"--sentinel"});
  for (int i = 0; i < 65; ++i)
    many.push_back(fmt::format("--contract=c{}", i));
  CHECK(message(many) == "--contract: more than 64 contracts");
}

TEST_CASE("all wrong values are reported at once, each once") {
  CHECK(message(words{"--role=sn", "--role=sl", "--sn-api-port=0", "--sl-fs-port=x"})
        == "--sn-api-port: '0' is not a port; give a number from 1 to 65535\n"
           "--sl-fs-port: 'x' is not a port; give a number from 1 to 65535");
}

TEST_CASE("help, version and check") {
  const auto help = parse(words{"--help"}, {});
  REQUIRE(help);
  CHECK(help->action == action::show);
  for (const auto& group : key_groups()) {
    CHECK(help->text.find(fmt::format("\n{}\n", group.title)) != std::string::npos);
    for (const auto& spec : group.keys) {
      CAPTURE(spec.key);
      CHECK(help->text.find(fmt::format("--{}", spec.key)) != std::string::npos);
      for (const auto name : spec.env)
        CHECK(help->text.find(name) != std::string::npos);
      CHECK(help->text.find(spec.fallback) != std::string::npos);
    }
  }
  const auto shown = parse(words{"-V"}, {});
  REQUIRE(shown);
  CHECK(shown->action == action::show);
  CHECK(shown->text.starts_with(fmt::format("swarmd {}\n", version())));
  CHECK(parse(sn_with({"--sentinel", "--check"}), {})->action == action::check);
}

TEST_CASE("the health of a node needs nothing but its directory") {
  const auto asked = parse(words{"--health"}, {{"SWARMD_ROLE", "sl"}, {"SWARMD_DATA_DIR", "/x"}});
  REQUIRE(asked);
  CHECK(asked->action == action::health);
  CHECK(asked->config.data_dir == "/x");
  CHECK(message({"--health"}).starts_with("no role is given"));
  CHECK(message({"--health", "--role", "sl", "--sl-fs-port", "x"}).starts_with("--sl-fs-port"));
}

TEST_CASE("the store can be verified with nothing but its directory") {
  const auto plain = parse(words{"--role", "sn", "--data-dir", "/x", "--verify-store"}, {});
  REQUIRE(plain);
  CHECK(plain->action == action::verify_store);
  CHECK_FALSE(plain->repair);
  REQUIRE(plain->config.sn.size() == 1);
  CHECK(plain->config.sn.front().data_dir == "/x/sn-1");
  const auto repair = parse(words{"--role", "sn", "--data-dir", "/x", "--verify-store", "--repair"}, {});
  REQUIRE(repair);
  CHECK(repair->repair);
  CHECK(message({"--role", "sn", "--repair"}) == "--repair goes with --verify-store");
  CHECK(
      message({"--role", "sl", "--verify-store"}).starts_with("--verify-store looks at the chain of an SN"));
}

TEST_CASE("the files of an identity must be there, and are then opened one by one") {
  const scratch here;
  std::ofstream(here.folder / "k") << "key";
  std::ofstream(here.folder / "c") << "cert";
  std::filesystem::create_directories(here.folder / "ca");
  const words args{"--role",
                   "sn",
                   "--sentinel",
                   "--host-ip=h",
                   "--key=" + (here.folder / "k").native(),
                   "--cert=" + (here.folder / "c").native()};
  auto config_with = [&](const std::string& more) { return parse(args + words{more}, {})->config; };
  auto missing = [&](const std::string& more) -> wording {
    const auto checked = check_identities(config_with(more));
    return checked ? "accepted" : checked.error().message;
  };
  const auto ca = (here.folder / "ca").native();
  CHECK(missing("--capath=" + ca)
        == "sn-1: capath '" + ca
               + "' is empty; correct the path, or make certificates with deploy/bin/gen-cert");
  CHECK(missing("--cacert=" + ca)
        == "sn-1: cacert '" + ca
               + "' is not a file; correct the path, or make certificates with deploy/bin/gen-cert");
  CHECK(says(missing("--cacert=" + ca + "/x"), "/x' is not there; correct the path"));
  CHECK(says(missing("--capath=" + (here.folder / "k").native()), "is not a folder"));
  std::ofstream(here.folder / "ca/root.pem") << "x";
  CHECK(missing("--capath=" + ca) == "accepted");

  const auto config = config_with("--capath=" + ca);
  const auto good = check(config, [&](const identity_options& id) -> result<> {
    CHECK(id.capath == ca);
    return {};
  });
  REQUIRE(good);
  CHECK(good->ends_with("certificates: in order\n"));
  CHECK(good->find("--host-ip") != std::string::npos);
  const auto bad = check(
      config, [](const identity_options&) -> result<> { return fail(config_errc::identity, "expired"); });
  REQUIRE(!bad);
  CHECK(wording(bad.error()) == "sn-1: expired");
}

TEST_CASE("the process's own environment is read") {
  ::setenv("SWARMD_TEST_VARIABLE", "a=b", 1);
  CHECK(process_environment().at("SWARMD_TEST_VARIABLE") == "a=b");
}

} // namespace parse_test
