#include "actors/swop/managers/kubernetes/manifest.hpp"

#include "actors/swop/managers/kubernetes/api.hpp"
#include "actors/swop/managers/kubernetes/pods.hpp"
#include "actors/swop/managers/manager.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

namespace kubernetes_manifest_test {

using namespace swarm;
using namespace swarm::kubernetes;
using namespace swarm::managers;
using swarm::testing::wording;

namespace {

program_spec small() {
  program_spec out;
  out.name = "7.1.0.0.ml";
  out.container.emplace();
  out.container->image = "user-env:1";
  out.argv = {"a.py"};
  out.uid = out.gid = 1000;
  return out;
}

json::object part(const program_spec& spec, const mount_places& places = {}) {
  auto out = part_of(spec, "ml", places);
  REQUIRE_MESSAGE(out, (out ? std::string() : out.error().message));
  return *out;
}

json::object pod(const std::string& text) {
  return json::parse(text).as_object();
}

} // namespace

TEST_CASE("mounts become the volumes that programs in pods can have") {
  const mount_places places{
      .channels = "/data/parts",
      .scratch = "/data/nodes",
      .is_in_pod = true,
      .volumes = {{"/data", {{"persistentVolumeClaim", {{"claimName", "swop"}}}}, "home"},
                  {"/usr-dir", {{"hostPath", {{"path", "/srv"}}}}, ""}}};
  auto spec = small();
  spec.mounts = {{"/data/parts/1/channel", "/tmp/hpe-swarm", true},
                 {"/data/nodes/0", "/var/lib/swarm", true},
                 {"/data/volumes/v", "/v", true},
                 {"/usr-dir/a/b", "/b", false},
                 {"shared", "/shared", true}};
  const auto out = part(spec, places);
  const auto& volumes = out.at("volumes").as_array();
  REQUIRE(volumes.size() == 5);
  CHECK(volumes[0] == json::parse(R"({"name": "channel", "emptyDir": {}})"));
  CHECK(volumes[1] == json::parse(R"({"name": "ml-m1", "emptyDir": {}})"));
  CHECK(volumes[2] == json::parse(R"({"name": "ml-m2", "persistentVolumeClaim": {"claimName": "swop"}})"));
  CHECK(volumes[4] == json::parse(R"({"name": "ml-m4", "persistentVolumeClaim": {"claimName": "shared"}})"));
  const auto& mounts = out.at("container").at("volumeMounts").as_array();
  CHECK(mounts[2] == json::parse(R"({"name": "ml-m2", "mountPath": "/v", "subPath": "home/volumes/v"})"));
  CHECK(mounts[3]
        == json::parse(R"({"name": "ml-m3", "mountPath": "/b", "readOnly": true, "subPath": "a/b"})"));
  spec.mounts = {{"/etc", "/e", false}};
  CHECK(part_of(spec, "ml", places).error().is(manager_errc::path_not_allowed));
  CHECK(part(spec).at("volumes").as_array()[0]
        == json::parse(R"({"name": "ml-m0", "hostPath": {"path": "/etc"}})"));
}

TEST_CASE("limits, GPUs, users and words as a cluster has them; what it has not is refused") {
  auto spec = small();
  spec.limits.cpu_percent = 150;
  spec.limits.memory_bytes = 1 << 20;
  spec.container->options.gpus = "device=0,2";
  spec.environment["A"] = "$(B)";
  spec.argv = {"--host-ip", "SWARM_NODE_ADDRESS", "$HOME"};
  const auto out = part(spec).at("container").as_object();
  CHECK(out.at("resources")
        == json::parse(R"({"limits": {"cpu": "1500m", "memory": "1048576", "nvidia.com/gpu": "2"}})"));
  CHECK(out.at("args") == json::parse(R"~(["--host-ip", "$(SWARM_NODE_ADDRESS)", "$$HOME"])~"));
  CHECK(out.at("env").as_array()[1] == json::parse(R"~({"name": "A", "value": "$$(B)"})~"));
  CHECK(out.at("securityContext").at("runAsNonRoot").as_bool());
  const auto refused = [](const std::function<void(program_spec&)>& change) {
    auto wrong = small();
    change(wrong);
    const auto done = part_of(wrong, "ml", {});
    return !done && done.error().is(manager_errc::bad_spec);
  };
  CHECK(refused([](auto& wrong) { wrong.container->options.gpus = "all"; }));
  CHECK(refused([](auto& wrong) { wrong.container->options.privileged = true; }));
  CHECK(refused([](auto& wrong) { wrong.container->network = "swarm-net"; }));
  CHECK(refused([](auto& wrong) { wrong.container->address = "10.0.0.9"; }));
  CHECK(refused([](auto& wrong) { wrong.container->labels["a b"] = "x"; }));
  CHECK(refused([](auto& wrong) { wrong.limits.open_files = 7; }));
}

TEST_CASE("a Job has all of a pair, is never tried again, and its secret goes with it") {
  const swarm::testing::temporary_folder folder;
  std::ofstream(folder / "key.pem") << "a key";
  auto sl = small();
  sl.mounts = {{(folder / "key.pem").string(), "/swarm/key.pem", false}};
  sl.container->copied = {"/swarm/key.pem"};
  sl.run_time_max = std::chrono::seconds(9);
  const auto first = part_of(sl, "sl", {});
  REQUIRE(first);
  const std::vector<json::object> parts{*first, part(small())};
  const auto job = job_of("swarmd-1", "abc", parts);
  CHECK(job.at("spec").at("backoffLimit") == 0);
  const auto& spec = job.at("spec").at("template").at("spec").as_object();
  CHECK(spec.at("restartPolicy") == "Never");
  CHECK(spec.at("containers").as_array().size() == 2);
  CHECK(spec.at("activeDeadlineSeconds") == 9);
  CHECK(spec.at("automountServiceAccountToken") == false);
  CHECK(spec.at("volumes").as_array()[0].at("secret").at("secretName") == "swarmd-1");
  const auto secret = secret_of("swarmd-1", "abc", "uid-1", parts);
  CHECK(secret.at("stringData") == json::parse(R"({"sl-m0": "a key"})"));
  CHECK(secret.at("metadata").at("ownerReferences").as_array()[0].at("uid") == "uid-1");
  CHECK(secret_of("swarmd-1", "abc", "uid-1", {part(small())}).empty());
  std::ofstream(folder / "key.pem") << "\xff\xfe";
  CHECK(part_of(sl, "sl", {}).error().is(manager_errc::bad_spec));
}

TEST_CASE("what a cluster says of a pod is told as it is; what is missing or strange is none") {
  const auto read = [](const char* status, const char* meta = "{}") {
    return read_pod(pod(fmt::format(
        R"({{"metadata": {}, "spec": {{"nodeName": "n", "containers": [{{"name": "ml"}}]}}, "status": {}}})",
        meta, status)));
  };
  const auto ended = [&](const pod_facts& facts, bool told = false) {
    return program_in("p", "ml", facts, told);
  };
  CHECK(ended(read("{}")).phase == program_phase::starting);
  CHECK(ended(read(R"({"containerStatuses": 7})")).phase == program_phase::starting);
  CHECK(
      ended(
          read(
              R"({"containerStatuses": [{"name": "ml", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]})"))
          .phase
      == program_phase::running);
  const auto killed = read(
      R"({"containerStatuses": [{"name": "ml", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]})");
  CHECK(ended(killed).how->cause == ending_cause::out_of_memory);
  CHECK(ended(killed).how->signal == 9);
  CHECK(ended(read(R"({"phase": "Failed", "reason": "Evicted", "message": "disk"})")).how->cause
        == ending_cause::not_started);
  const auto waits = [&](const char* reason, const char* message) {
    return trouble_of(
        read(
            fmt::format(
                R"({{"containerStatuses": [{{"name": "ml", "state": {{"waiting": {{"reason": "{}", "message": "{}"}}}}}}]}})",
                reason, message)
                .c_str()),
        "ml");
  };
  CHECK_FALSE(waits("ContainerCreating", ""));
  CHECK(waits("ErrImagePull", "no")->is(manager_errc::image_missing));
  CHECK(waits("RunContainerError", "exec: executable file not found")->is(manager_errc::no_such_command));
  CHECK(waits("CreateContainerConfigError", "no secret")->is(manager_errc::not_started));
  CHECK(
      ended(read(R"({"containerStatuses": [{"name": "ml", "state": {"terminated": {"exitCode": 70000}}}]})"))
          .how->exit_code
      == 255);
  auto gone = read("{}");
  gone.is_gone = true;
  CHECK(ended(gone, true).how->cause == ending_cause::told);
}

TEST_CASE("where the API server is: as the profile says, else as the pod does") {
  const swarm::testing::temporary_folder account;
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  CHECK(find_api({}, account.path()).error().is(api_errc::nowhere));
  const auto named = find_api({.server = "https://api.example:6443/", .name_space = "n"}, account.path());
  REQUIRE(named);
  CHECK(named->host == "api.example");
  CHECK(named->port == 6443);
  CHECK(named->token_file == account / "token");
  CHECK(find_api({.server = "https://api.example", .name_space = "n"}, account.path())->port == 443);
  CHECK(find_api({.server = "http://api.example", .name_space = "n"}, account.path())
            .error()
            .is(api_errc::nowhere));
  ::setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
  ::setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
  CHECK(find_api({}, account.path()).error().is(api_errc::nowhere)); // which namespace?
  std::ofstream(account / "namespace") << "swarm\n";
  const auto found = find_api({}, account.path());
  REQUIRE(found);
  CHECK(found->name_space == "swarm");
  CHECK(found->host == "10.0.0.1");
  ::unsetenv("KUBERNETES_SERVICE_HOST");
}

TEST_CASE("programs get the volumes that the SWOP's own pod has, but for its own folders") {
  const auto found = volumes_in(pod(R"({"spec": {
    "containers": [{"volumeMounts": [{"name": "data", "mountPath": "/data", "subPath": "s"}, {"name": "tmp", "mountPath": "/t"}]}],
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "tmp", "emptyDir": {}}]}})"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == "/data");
  CHECK(found[0].sub_path == "s");
  CHECK(found[0].source == pod(R"({"persistentVolumeClaim": {"claimName": "c"}})"));
}

} // namespace kubernetes_manifest_test
