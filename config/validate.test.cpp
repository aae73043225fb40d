#include "config/validate.hpp"

#include "config/testing/command_lines.hpp"

#include <doctest/doctest.h>

namespace validate_test {

using namespace swarm;
using namespace swarm::config;
using namespace swarm::config::testing;
using swarm::testing::says;

TEST_CASE("without certificates nothing starts, and the message says what is missing") {
  const words bare{"--role", "sn", "--sentinel", "--host-ip", "h"};
  CHECK(
      message(bare)
      == "sn-1: no certificates are given; set --key, --cert, and --cacert or --capath (deploy/bin/gen-cert "
         "makes a key, a certificate and an authority), or --socket-path for those of a SPIFFE agent");
  CHECK(message(bare + words{"--cert=c", "--cacert=a"})
        == "sn-1: --key is missing, the private key of the certificate (--cert); deploy/bin/gen-cert makes a "
           "key, a "
           "certificate and an authority");
  CHECK(message(bare + words{"--key=k", "--cacert=a"}, {{"SWARM_ID_KEY", "z"}})
            .starts_with("sn-1: --cert is missing, the certificate of the key (--key)"));
  CHECK(message(bare + words{"--cert=c"}, {{"SWARM_ID_KEY", "z"}})
            .starts_with("sn-1: --cacert (a file) or --capath (a folder) is missing: the authorities"));
  CHECK(code(bare) == config_errc::identity);
}

TEST_CASE("a SPIFFE agent's socket takes the place of all certificate files") {
  const words agent{"--role", "sn", "--sentinel", "--host-ip", "h"};
  const auto with = parse(agent + words{"--socket-path=/run/agent.sock"}, {});
  REQUIRE(with);
  CHECK(with->config.sn.at(0).identity.agent == "/run/agent.sock");
  const auto said = parse(agent, {{"SPIFFE_ENDPOINT_SOCKET", "unix:///run/agent.sock"}});
  REQUIRE(said);
  CHECK(said->config.sn.at(0).identity.agent == "/run/agent.sock");
  CHECK(message(agent + words{"--socket-path=/a", "--cert=c"})
        == "sn-1: both --socket-path (--socket-path) and --cert (--cert) are given; certificates come from a "
           "SPIFFE agent or from files: leave the others out");
  CHECK(says(message(agent + words{"--key=k"}, {{"SPIFFE_ENDPOINT_SOCKET", "unix:/run/agent.sock"}}),
             "both --socket-path (environment SPIFFE_ENDPOINT_SOCKET) and --key (--key) are given"));
  CHECK(says(message(agent + words{"--socket-path=/a", "--verify-host"}), "SPIFFE IDs name no hosts"));
  CHECK(says(message(agent + words{"--socket-path=tcp://127.0.0.1:8000"}), "give its absolute path"));
  CHECK(says(message(agent + words{"--socket-path=agent.sock"}), "is no SPIFFE agent's socket"));
}

TEST_CASE("what an SN cannot do without, and what excludes each other") {
  CHECK(message(sn_with())
        == "sn-1: give --sentinel to begin a chain, or --sentinel-ip or --sentinel-api-service to join one");
  CHECK(message(sn_with({"--sentinel", "--sentinel-ip=x"}))
        == "sn-1: both --sentinel (--sentinel) and --sentinel-ip (--sentinel-ip) are given; the first begins "
           "a chain, the "
           "second joins one: keep one");
  CHECK(message(sn_with({"--sentinel-api-service=x"}), {{"SN_I_AM_SENTINEL", "True"}})
            .starts_with("sn-1: both --sentinel (environment SN_I_AM_SENTINEL) and --sentinel-api-service"));
  CHECK(message(words{"--role", "sn", "--sentinel", "--sn-api-service=a"} + identity)
        == "sn-1: --host-ip is missing, the address by which other nodes reach this host (not needed when "
           "--sn-api-service and --sn-p2p-service are both given)");
  CHECK(message(sn_with({"--sentinel", "--sn-api-port=5", "--sn-p2p-port=5"}))
        == "sn-1 and sn-1 both use port 5: sn-api-port (--sn-api-port) and sn-p2p-port (--sn-p2p-port); give "
           "each its own "
           "port");
  CHECK(code(sn_with()) == config_errc::missing);
  CHECK(code(sn_with({"--sentinel", "--sentinel-ip=x"})) == config_errc::conflict);
}

TEST_CASE("what an SL cannot do without, and what excludes each other") {
  CHECK(message(words{"--role", "sl", "--host-ip=h"} + identity)
        == "sl-1: give --sn-ip or --sn-api-service, the SN to use");
  CHECK(message(words{"--role", "sl", "--sn-ip=h"} + identity)
        == "sl-1: --host-ip is missing, the address by which other nodes reach this host (not needed when "
           "--sl-fs-service is given)");
  CHECK(message(words{"--role", "sl", "--sn-ip=h", "--sl-fs-service=f"} + identity) == "accepted");
  CHECK(message(sl_with({"--request-channel=/x/p", "--response-channel=/x/./p"}))
        == "sl-1: request-channel (--request-channel) and response-channel (--response-channel) are the same "
           "path "
           "'/x/p'");
  const auto out = parse(sl_with({"--sn-api-service=api.x"}), {});
  REQUIRE(out);
  CHECK(out->notes
        == words{"sl-1: sn-ip (--sn-ip) is not used, because sn-api-service (--sn-api-service) is given"});
}

TEST_CASE("the roles of one process share no port, pipe, folder or name") {
  const scratch here;
  auto with = [&](std::string_view roles) {
    return message({"--profile", here.profile(fmt::format(
                                     "host-ip: h\nkey: k\ncert: c\ncacert: a\nsn-ip: s\n{}", roles))});
  };
  const auto file = (here.folder / "host.yaml").native();
  CHECK(with("sl: [{request-channel: a, response-channel: b}, {request-channel: c, response-channel: d}]\n")
        == "sl-1 and sl-2 both use port 30305: sl-fs-port and sl-fs-port; give each its own port");
  CHECK(with("sl: [{bind-address: 127.0.0.1, request-channel: a, response-channel: b},\n"
             "     {bind-address: 127.0.0.2, request-channel: c, response-channel: d}]\n")
        == "accepted");
  CHECK(with("sl: [{sl-fs-port: 0, request-channel: a, response-channel: b},\n"
             "     {sl-fs-port: 0, request-channel: c, response-channel: d}]\n")
        == "accepted");
  CHECK(with("sl: {sl-fs-port: 0, sl-fs-service: fs.sl-1.swarm}\n")
        == fmt::format(
            "sl-1: sl-fs-port ({0}:6:18) is 0, any that is free, but sl-fs-service ({0}:6:36) leads to "
            "one that is known; give that one",
            file));
  CHECK(with("sl: [{sl-fs-port: 1}, {sl-fs-port: 2}]\n")
        == "sl-1 and sl-2 both use /tmp/channel/request.channel: request-channel and request-channel; each "
           "SL needs its "
           "own pair of pipes\nsl-1 and sl-2 both use /tmp/channel/response.channel: response-channel and "
           "response-channel; each SL needs its own pair of pipes");
  CHECK(with("sn: {sentinel: true, data-dir: x}\nsl: {data-dir: y/../x}\n")
        == fmt::format(
            "sn-1 and sl-1 both use {}: data-dir ({}:6:32) and data-dir ({}:7:16); each role needs its own "
            "folder",
            (here.folder / "x").native(), file, file));
  CHECK(with("sn: {sentinel: true, node-name: x}\nsl: {node-name: x}\n")
            .starts_with("two roles of this process are named 'x' ("));
  CHECK(with("sn: [{sentinel: true}, {sentinel: true, sn-api-port: 1, sn-p2p-port: 2}]\n")
        == "2 SNs; one process runs at most one, start another swarmd for the next");
  CHECK(with(fmt::format("node-name: {}\nsn: {{sentinel: true}}\nsl: {{}}\n", std::string(60, 'n')))
            .starts_with("the name 'nnnn"));
}

} // namespace validate_test
