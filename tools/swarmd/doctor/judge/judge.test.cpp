#include "tools/swarmd/doctor/judge/judge.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace judge_test {

using namespace swarm;
using namespace swarm::doctor;
using transport::net_errc;
using transport::tls_errc;

namespace {

constexpr std::uint64_t day = 86'400, now = 20'000 * day;
constexpr std::uint64_t mega = 1024 * 1024;

/// The lines that are not ok, as "check: verdict".
std::vector<std::string> faults(const lines& of) {
  std::vector<std::string> out;
  for (const auto& each : of)
    if (each.is != verdict::ok) out.push_back(each.check + ": " + std::string(to_string(each.is)));
  return out;
}
using texts = std::vector<std::string>;

identity_facts good_identity() {
  identity_facts out;
  out.subject = "CN=SL-1";
  out.organisation = out.anchor = "CN=CA";
  out.not_before = now - day;
  out.not_after = out.anchor_not_after = now + 365 * day;
  out.trusted_count = 1;
  out.key_file = "key.pem";
  out.key_mode = 0600;
  return out;
}

folder_facts good_folder() {
  folder_facts out;
  out.path = "data";
  out.free_bytes = 5000 * mega;
  out.sync_ms = 0.5;
  return out;
}

port_facts good_port(std::string key = "sl-fs-port") {
  port_facts out;
  out.key = std::move(key);
  out.bind = "0.0.0.0";
  out.number = 30305;
  out.host = "10.0.0.1";
  out.told = "10.0.0.1:30305";
  out.reached = port_facts::way::arrives;
  return out;
}

sn_facts good_sn() {
  sn_facts out;
  out.endpoint = "10.0.0.2:30304";
  out.subject = "CN=SN-1";
  out.organisation = "CN=CA";
  out.version = "0.2.0";
  out.genesis = hash32{};
  out.clock_ahead_s = 0.4;
  out.standing = standing_facts{.has_organisations = true, .organisation = 1};
  return out;
}

own_facts own() {
  own_facts out;
  out.role = "SL";
  out.anchor = "CN=CA";
  out.version = "0.2.1";
  return out;
}

} // namespace

TEST_CASE("what is as it should be makes no line but ok") {
  CHECK(faults(judge_identity(good_identity(), now)).empty());
  CHECK(faults(judge_folder(good_folder(), true)).empty());
  CHECK(faults(judge_memory({1024 * mega, 2048 * mega})).empty());
  CHECK(faults(judge_ports({good_port()})).empty());
  CHECK(faults(judge_sn(good_sn(), own(), now)).empty());
  CHECK(faults(judge_gpus({})).empty());
  CHECK(faults(judge_python({})).empty());
  CHECK(faults(judge_program({})).empty());
  manager_facts engine;
  engine.is_engine = engine.sl_image_there = true;
  CHECK(faults(judge_manager(engine)).empty());
  CHECK(faults(judge_manager({})).empty());
}

TEST_CASE("files that are refused make one line, by their reason") {
  const auto check_of = [](tls_errc code) {
    auto of = good_identity();
    of.refused = code;
    const auto found = judge_identity(of, now);
    REQUIRE(found.size() == 1);
    CHECK(found[0].is == verdict::wrong);
    CHECK(!found[0].remedy.empty());
    return found[0].check;
  };
  CHECK(check_of(tls_errc::missing_file) == "certificate");
  CHECK(check_of(tls_errc::not_pem) == "certificate");
  CHECK(check_of(tls_errc::key_mismatch) == "key");
  CHECK(check_of(tls_errc::encrypted_key) == "key");
  CHECK(check_of(tls_errc::expired) == "dates");
  CHECK(check_of(tls_errc::not_yet_valid) == "dates");
  CHECK(check_of(tls_errc::foreign_ca) == "chain");
  CHECK(check_of(tls_errc::no_ca) == "chain");
  CHECK(check_of(tls_errc::wrong_purpose) == "chain");
}

TEST_CASE("a certificate or an authority that ends soon is told of in time") {
  auto of = good_identity();
  of.not_before = now - 352 * day;
  of.not_after = now + 13 * day;
  CHECK(faults(judge_identity(of, now)) == texts{"dates: warning"});
  of = good_identity();
  of.anchor_not_after = now + day;
  CHECK(faults(judge_identity(of, now)) == texts{"dates: warning"});
  // One of a day, which is renewed when a third of it is left.
  of = good_identity();
  of.not_before = now - day * 2 / 3;
  of.not_after = now + day / 3;
  CHECK(faults(judge_identity(of, now)).empty());
  of.not_before = now - day * 9 / 10;
  of.not_after = now + day / 10;
  CHECK(faults(judge_identity(of, now)) == texts{"dates: warning"});
}

TEST_CASE("an open key, another role, rules that cannot be read") {
  auto of = good_identity();
  of.key_mode = 0640;
  CHECK(faults(judge_identity(of, now)) == texts{"key: warning"});
  of = good_identity();
  of.role_refusal = "it is an SN's";
  CHECK(faults(judge_identity(of, now)) == texts{"role: wrong"});
  of = good_identity();
  of.trouble = "--members: not YAML";
  CHECK(faults(judge_identity(of, now)) == texts{"members: wrong"});
}

TEST_CASE("a data directory that is of no use says nothing of its disk") {
  auto of = good_folder();
  of.trouble = "it cannot be written to";
  CHECK(faults(judge_folder(of, false)) == texts{"data-directory: wrong"});
  of = good_folder();
  of.free_bytes = mega;
  CHECK(faults(judge_folder(of, false)) == texts{"disk: wrong"});
  of.free_bytes = 500 * mega;
  CHECK(faults(judge_folder(of, false)) == texts{"disk: warning"});
  of = good_folder();
  of.sync_ms = 250;
  CHECK(faults(judge_folder(of, true)) == texts{"sync: warning"});
  of = good_folder();
  of.key_trouble = "mode 0644";
  CHECK(faults(judge_folder(of, false)) == texts{"node-key: wrong"});
  CHECK(faults(judge_memory({100 * mega, 2048 * mega})) == texts{"memory: warning"});
}

TEST_CASE("a port that is taken says nothing of the way to it") {
  auto of = good_port();
  of.is = port_facts::state::foreign;
  of.reached = port_facts::way::not_tried;
  CHECK(faults(judge_ports({of})) == texts{"port: wrong"});
  of.is = port_facts::state::refused;
  CHECK(faults(judge_ports({of})) == texts{"port: wrong"});
  of.is = port_facts::state::own;
  of.reached = port_facts::way::answers;
  CHECK(faults(judge_ports({of})).empty());
}

TEST_CASE("a host name that leads nowhere is one fault, however many ports it stands for") {
  auto one = good_port("sn-api-port"), other = good_port("sn-p2p-port");
  for (auto* each : {&one, &other})
    each->reached = port_facts::way::unresolved;
  CHECK(faults(judge_ports({one, other})) == texts{"address: wrong"});
  one.reached = other.reached = port_facts::way::unreachable;
  CHECK(faults(judge_ports({one, other})) == texts{"address: warning"});
  one.reached = port_facts::way::elsewhere;
  CHECK(faults(judge_ports({one})) == texts{"address: wrong"});
  one = good_port();
  one.only_here = true;
  CHECK(faults(judge_ports({one})) == texts{"address: wrong"});
  one = good_port();
  one.host = one.told = "";
  one.reached = port_facts::way::not_tried;
  CHECK(faults(judge_ports({one})).empty()); // of whom nobody is told
}

TEST_CASE("how far the way to the SN goes") {
  const auto check_of = [](net_errc code) {
    auto of = good_sn();
    of.failed = code;
    const auto found = judge_sn(of, own(), now);
    REQUIRE(found.size() == 1);
    CHECK(found[0].is == verdict::wrong);
    return found[0].check;
  };
  CHECK(check_of(net_errc::resolve) == "sn-name");
  CHECK(check_of(net_errc::connect) == "sn-port");
  CHECK(check_of(net_errc::timeout) == "sn-port");
  CHECK(check_of(net_errc::handshake) == "sn-tls");
  CHECK(check_of(net_errc::http_status) == "sn-api");
  auto of = good_sn();
  of.role_refusal = "it is an SL's";
  CHECK(faults(judge_sn(of, own(), now)) == texts{"sn-tls: wrong"});
  of = good_sn();
  of.genesis.reset();
  CHECK(faults(judge_sn(of, own(), now)) == texts{"sn-api: wrong"});
  of = good_sn();
  of.unasked = "it is the sentinel";
  CHECK(faults(judge_sn(of, own(), now)) == texts{"sn: not checked"});
}

TEST_CASE("which way leads to the SN, where there is a proxy") {
  auto of = good_sn();
  CHECK(judge_sn(of, own(), now)[0].check == "sn-port"); // without one nothing is said
  of.by.excepted = true;
  CHECK(judge_sn(of, own(), now)[0]
        == line{"proxy", verdict::ok, "the SN is reached directly, as no_proxy says", {}});
  of.by = {.proxy = "http://p:3128"};
  CHECK(judge_sn(of, own(), now)[0]
        == line{"proxy", verdict::ok, "the SN is reached by the proxy http://p:3128, and directly, too", {}});
  of.by.direct_trouble = "nobody listens";
  CHECK(judge_sn(of, own(), now)[0].text.ends_with("and not directly: nobody listens"));
  CHECK(faults(judge_sn(of, own(), now)).empty());

  of.failed = net_errc::response;
  of.trouble = "407";
  of.proxy_failed = true;
  auto found = judge_sn(of, own(), now);
  REQUIRE(found.size() == 1);
  CHECK(found[0].check == "proxy");
  CHECK(found[0].text == "407; nor is it reached without the proxy: nobody listens");
  of.by.direct_trouble.clear();
  found = judge_sn(of, own(), now);
  REQUIRE(found.size() == 1);
  CHECK(found[0].text == "407; without the proxy it answers");
  CHECK(found[0].remedy == "name the SN's host in no_proxy (--no-proxy)");
  of.proxy_failed = false; // the proxy does not reach it
  of.failed = net_errc::connect;
  CHECK(faults(judge_sn(of, own(), now)) == texts{"proxy: wrong"});
  of.by.direct_trouble = "nobody listens";
  CHECK(faults(judge_sn(of, own(), now)) == texts{"sn-port: wrong"});
  of.by = {.excepted = true};
  CHECK(judge_sn(of, own(), now)[0].text == "407 (dialled directly, as no_proxy says)");
}

TEST_CASE("the SN of another network, of another version, with another time") {
  auto self = own();
  self.genesis = hash32{};
  CHECK(faults(judge_sn(good_sn(), self, now)).empty());
  (*self.genesis)[0] = 1;
  auto of = good_sn();
  of.standing->organisation = 0; // which means nothing in another network
  CHECK(faults(judge_sn(of, self, now)) == texts{"network: wrong"});
  of = good_sn();
  of.version = "0.3.0";
  CHECK(faults(judge_sn(of, own(), now)) == texts{"version: warning"});
  of.version.reset();
  CHECK(faults(judge_sn(of, own(), now)) == texts{"version: warning"});
  of = good_sn();
  of.clock_ahead_s = -20;
  CHECK(faults(judge_sn(of, own(), now)) == texts{"clock: warning"});
  self = own();
  self.is_sn = true; // whose blocks would not be taken
  CHECK(faults(judge_sn(of, self, now)) == texts{"clock: wrong"});
  of.clock_ahead_s = 3600;
  CHECK(faults(judge_sn(of, own(), now)) == texts{"clock: wrong"});
  of.clock_ahead_s.reset();
  CHECK(faults(judge_sn(of, own(), now)) == texts{"clock: not checked"});
}

TEST_CASE("how a node stands on the chain") {
  const auto told = [](standing_facts standing) {
    auto of = good_sn();
    of.standing = std::move(standing);
    return faults(judge_sn(of, own(), now));
  };
  standing_facts of{.has_organisations = true, .organisation = 0};
  CHECK(told(of) == texts{"organisation: wrong"});
  of = {.has_organisations = false, .organisation = 0};
  CHECK(told(of).empty());
  of = {.has_organisations = true, .organisation = 2, .has_account = true, .known = true};
  of.role = "SL";
  of.active = true;
  CHECK(told(of).empty());
  of.role = "SWOP";
  CHECK(told(of) == texts{"membership: wrong"});
  of.role = "SL";
  of.active = false;
  CHECK(told(of) == texts{"membership: warning"}); // removed, or left
  of.pending = true;
  CHECK(told(of) == texts{"membership: warning"});
  of.pending = false;
  of.expiry = now - 1;
  CHECK(told(of).empty()); // registers anew
  auto sn = good_sn();
  sn.standing.reset();
  CHECK(faults(judge_sn(sn, own(), now)) == texts{"membership: not checked"});
}

TEST_CASE("engine, image, sandbox, devices") {
  using fault = manager_facts::fault;
  manager_facts of;
  of.is_engine = true;
  for (const auto each : {fault::absent, fault::forbidden, fault::too_old, fault::other}) {
    of.is = each;
    CHECK(faults(judge_manager(of)) == texts{"engine: wrong"});
  }
  of.is = fault::none;
  CHECK(faults(judge_manager(of)) == texts{"sl-image: wrong"});
  of.image_trouble = "the engine has died";
  CHECK(faults(judge_manager(of)) == texts{"sl-image: not checked"});
  of = {};
  of.is = fault::forbidden;
  CHECK(faults(judge_manager(of)) == texts{"sandbox: wrong"});
  gpu_facts devices;
  devices.wishes = {{"gpus: all", "/dev/nvidiactl", false}, {"device: /dev/dri", "/dev/dri", true}};
  CHECK(faults(judge_gpus(devices)) == texts{"gpu: wrong"});
  devices.hidden = true;
  CHECK(faults(judge_gpus(devices)) == texts{"gpu: not checked"});
}

TEST_CASE("clusters") {
  slurm_facts of;
  of.version = "slurm-wlm 22.05.8";
  CHECK(faults(judge_slurm(of)) == texts{"scheduler: wrong"}); // no default partition
  of.wanted = of.partition = "day";
  CHECK(judge_slurm(of)[0].text == "Slurm has no partition day for this user");
  of.found = true;
  CHECK(judge_slurm(of)[0].text == "the partition day takes no jobs");
  of.is_up = true;
  of.nodes = 3;
  CHECK(judge_slurm(of)[0].text == "none of the 3 nodes of the partition day is ready");
  of.ready = 2;
  CHECK(faults(judge_slurm(of)).empty());
  of.is_this_host = false;
  of.local_disk = "ext4";
  CHECK(faults(judge_slurm(of)) == texts{"shared-folder: warning"});
  of.trouble = "sinfo: nobody";
  CHECK(faults(judge_slurm(of)) == texts{"scheduler: wrong"});
  pods_facts pods;
  CHECK(faults(judge_pods(pods)).empty());
  pods.forbidden = {"create jobs", "get pods/log"};
  CHECK(faults(judge_pods(pods)) == texts{"rights: wrong"});
  CHECK(judge_pods(pods)[0].text.ends_with(": create jobs, get pods/log"));
  pods.trouble = "nobody";
  CHECK(faults(judge_pods(pods)) == texts{"api-server: wrong"});
}

TEST_CASE("Python and programs") {
  using fault = python_facts::fault;
  python_facts of;
  of.is = fault::no_package;
  CHECK(faults(judge_python(of)) == texts{"python: warning"});
  of.named = true;
  CHECK(faults(judge_python(of)) == texts{"python: wrong"});
  of.is = fault::no_python;
  CHECK(faults(judge_python(of)) == texts{"python: wrong"});
  of.named = false;
  CHECK(faults(judge_python(of)) == texts{"python: not checked"});
  of.is = fault::broken;
  CHECK(faults(judge_python(of)) == texts{"python: wrong"});
  program_facts run;
  run.exit_code = 3;
  run.last_lines = {"one", "two"};
  const auto found = judge_program(run);
  CHECK(faults(found) == texts{"program: wrong"});
  CHECK(found[0].text.ends_with("one\ntwo"));
  run = {};
  run.out_of_time = true;
  CHECK(faults(judge_program(run)).empty());
  run.trouble = "no shell";
  CHECK(faults(judge_program(run)) == texts{"program: wrong"});
}

TEST_CASE("times and sizes for people") {
  CHECK(time_text(0) == "1970-01-01 00:00 UTC");
  CHECK(time_text(1'764'400'689) == "2025-11-29 07:18 UTC");
  CHECK(size_text(3ULL << 30) == "3.0 GB");
  CHECK(size_text(512 * mega) == "512 MB");
  CHECK(size_text(17 * 1024) == "17 KB");
}

} // namespace judge_test
