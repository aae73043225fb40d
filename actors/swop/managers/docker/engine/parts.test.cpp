#include "actors/swop/managers/docker/engine/detail/caller.hpp"
#include "actors/swop/managers/docker/engine/detail/container_json.hpp"
#include "actors/swop/managers/docker/engine/frames.hpp"
#include "actors/swop/managers/docker/engine/own_container.hpp"

#include <doctest/doctest.h>

namespace parts_test {

using namespace swarm;
using namespace swarm::engine;
using namespace swarm::engine::detail;

TEST_CASE("times of engines") {
  CHECK(time_of("1970-01-01T00:00:01Z") == 1000);
  CHECK(time_of("2026-11-29T03:14:15.123456789Z") == time_of("2026-11-29T03:14:15Z") + 123);
  CHECK(time_of("2026-11-29T05:14:15.5+02:00") == time_of("2026-11-29T03:14:15.5Z"));
  for (const char* none : {"0001-01-01T00:00:00Z", "", "soon", "2026-13-01T00:00:00Z", "2026"})
    CHECK(time_of(none) == 0);
}

TEST_CASE("frames of an output, in whatever pieces they come") {
  const std::string stream("\1\0\0\0\0\0\0\3abc\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\2d\n", 8 + 3 + 8 + 8 + 2);
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    frame_cutter cut(100);
    for (std::size_t at = 0; at < stream.size(); at += size)
      REQUIRE(cut.take(std::string_view(stream).substr(at, size)));
    CHECK(cut.text() == "abcd\n");
  }
  frame_cutter last(2);
  REQUIRE(last.take(stream));
  CHECK(last.text() == "d\n");
  CHECK(frame_cutter(2).take("no frame").error().is(engine_errc::bad_answer));
}

TEST_CASE("lines of a stream have an end") {
  std::vector<std::string> lines;
  line_cutter cut([&](std::string_view line) -> result<bool> {
    lines.emplace_back(line);
    return lines.size() < 3;
  });
  CHECK(cut("a\nb").value());
  CHECK(cut("c").value());
  CHECK(lines == std::vector<std::string>{"a"});
  CHECK_FALSE(cut("\nd\ne").value());
  CHECK(lines == std::vector<std::string>{"a", "bc", "d"});
  line_cutter endless([](std::string_view) -> result<bool> { return true; });
  CHECK(endless(std::string(2'000'000, 'x')).error().is(engine_errc::too_large));
}

TEST_CASE("what a profile can say of a container reaches the engine as docker run would say it") {
  container_wanted what;
  what.image = "base:1";
  what.network = "net";
  what.address = "10.0.0.7";
  what.host_name = "sl1";
  what.options.devices = {"/dev/kfd", "/dev/dri:/dev/dri2:r"};
  what.options.gpus = "device=0,2";
  what.ports = {{16000, 30305}};
  what.mounts = {{"/data", "/tmp/test", true}, {"volume", "/tmp/test/model", false}};
  const json::value expected = json::parse(R"({"Image":"base:1","Env":[],"Labels":{},"Hostname":"sl1",
    "NetworkingConfig":{"EndpointsConfig":{"net":{"IPAMConfig":{"IPv4Address":"10.0.0.7"},"Aliases":["sl1"]}}},
    "ExposedPorts":{"30305/tcp":{}},
    "HostConfig":{
      "Mounts":[{"Type":"bind","Source":"/data","Target":"/tmp/test","ReadOnly":false},
                {"Type":"volume","Source":"volume","Target":"/tmp/test/model","ReadOnly":true}],
      "LogConfig":{"Type":"json-file","Config":{"max-size":"10485760","max-file":"3"}},
      "Devices":[{"PathOnHost":"/dev/kfd","PathInContainer":"/dev/kfd","CgroupPermissions":"rwm"},
                 {"PathOnHost":"/dev/dri","PathInContainer":"/dev/dri2","CgroupPermissions":"r"}],
      "DeviceRequests":[{"Driver":"","Capabilities":[["gpu"]],"DeviceIDs":["0","2"]}],
      "NetworkMode":"net",
      "PortBindings":{"30305/tcp":[{"HostIp":"","HostPort":"16000"}]}}})");
  CHECK(json::value(container_json(what)) == expected);
  CHECK_FALSE(is_engines_own("net"));
  // Docker refuses other names than a container's own where its networks know none.
  for (const auto* network :
       {"", "host", "none", "bridge", "default", "podman", "container:1f", "ns:/run/n"}) {
    CHECK(is_engines_own(network));
    what.network = network;
    what.address.clear();
    CHECK_FALSE(container_json(what).contains("NetworkingConfig"));
  }
}

TEST_CASE("credentials are found in docker's config.json by the registry of an image") {
  // dXNlcjpwYTpzcw== is user:pa:ss
  const auto config = R"({"auths":{"reg.example:5000":{"auth":"dXNlcjpwYTpzcw=="},
    "https://index.docker.io/v1/":{"identitytoken":"t"}}})";
  CHECK(registry_credentials_in(config, "reg.example:5000/a/b:1").value()
        == registry_credentials("user", "pa:ss", "reg.example:5000"));
  CHECK(!registry_credentials_in(config, "a/b:1")->empty());
  CHECK(registry_credentials_in(config, "other.example/b:1")->empty());
  CHECK_FALSE(registry_credentials_in("no", "a"));
  CHECK(registry_credentials("u", "p", "r")
        == "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRyZXNzIjoiciJ9");
}

TEST_CASE("who is in a container finds it by what its engine has mounted there, and its paths on the host") {
  const std::string id(64, 'a');
  const auto docker =
      "700 690 254:0 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw - ext4 /dev/vda rw\n";
  CHECK(container_id_in("1 1 0:1 / / rw - ext4 x rw\n" + docker) == id);
  CHECK(container_id_in("5 4 0:9 /containers/overlay-containers/" + id
                        + "/userdata/hosts /etc/hosts rw - tmpfs x rw\n")
        == id);
  CHECK(container_id_in("5 4 0:9 /a/" + id + "/b /mnt/c rw - ext4 x rw\n").empty()); // somebody's folder
  CHECK(container_id_in("").empty());
  const own_mounts own({{"/home/me/ws", "/platform/swarm/usr", true},
                        {"/vol/_data", "/platform/swarm/SMLNODE", true},
                        {"/other", "/platform/swarm/usr/deep", true},
                        {"name", "/v", true}});
  CHECK(own.on_host("/platform/swarm/usr") == "/home/me/ws");
  CHECK(own.on_host("/platform/swarm/usr/a/b") == "/home/me/ws/a/b");
  CHECK(own.on_host("/platform/swarm/usr/deep/x") == "/other/x");
  CHECK(own.on_host("/platform/swarm/SMLNODE/swarmd/parts") == "/vol/_data/swarmd/parts");
  CHECK_FALSE(own.on_host("/platform/swarm/user"));
  CHECK_FALSE(own.on_host("/etc"));
  CHECK_FALSE(own.on_host("/v/x"));
  CHECK(own.inside("/home/me/ws/model") == "/platform/swarm/usr/model");
  CHECK(own.inside("/other") == "/platform/swarm/usr/deep");
  CHECK_FALSE(own.inside("/home/me/ws2"));
  CHECK_FALSE(own.inside("name"));
}

} // namespace parts_test
