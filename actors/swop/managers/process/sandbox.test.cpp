#include "actors/swop/managers/process/sandbox.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace sandbox_test {

using namespace swarm;
using namespace swarm::managers;

namespace {

host_facts debian() {
  host_facts out;
  out.root_folders = {{"/bin", "usr/bin"}, {"/lib64", ""}};
  out.etc = {"/etc/ld.so.cache", "/etc/resolv.conf"};
  out.devices = {"/sys/devices/system/cpu"};
  out.gpu_devices = {"/dev/nvidiactl", "/dev/nvidia0"};
  out.gpu_folders = {"/sys/module"};
  out.hosts = "127.0.0.1 localhost";
  out.memory_bytes = 8192;
  out.nested_can_be_forbidden = true;
  return out;
}

program_spec mnist() {
  program_spec out;
  out.name = "demo-swarm_mnist_task-u-0";
  out.argv = {"python3", "model/mnist_tf.py"};
  out.environment = {{"MAX_EPOCHS", "2"}};
  out.working_directory = "/tmp/test";
  out.mounts = {{"/srv/model", "/tmp/test/model", false}, {"/srv/user1", "/tmp/test", true}};
  out.host_name = "user1";
  out.uid = 1000;
  out.gid = 1001;
  return out;
}

/// The options, a line for each.
std::string text_of(const sandbox& box) {
  std::string out;
  for (const auto& word : box.options)
    out += (word.starts_with("--") ? "\n" : " ") + word;
  return out + "\n";
}

bool has(const sandbox& box, std::string_view line) {
  return text_of(box).find("\n" + std::string(line) + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("the sandbox of a program with nested mounts, option by option") {
  const auto box = sandbox_of(mnist(), debian());
  CHECK(text_of(box) == R"(
--unshare-user
--unshare-pid
--unshare-ipc
--unshare-uts
--unshare-cgroup
--disable-userns
--die-with-parent
--new-session
--as-pid-1
--uid 1000
--gid 1001
--hostname user1
--clearenv
--ro-bind /usr /usr
--symlink usr/bin /bin
--ro-bind /lib64 /lib64
--ro-bind-try /etc/ld.so.cache /etc/ld.so.cache
--ro-bind-try /etc/resolv.conf /etc/resolv.conf
--perms 0644
--ro-bind-data 7 /etc/passwd
--perms 0644
--ro-bind-data 8 /etc/group
--perms 0644
--ro-bind-data 9 /etc/hosts
--perms 0644
--ro-bind-data 10 /etc/hostname
--proc /proc
--dev /dev
--ro-bind-try /sys/devices/system/cpu /sys/devices/system/cpu
--dir /run
--symlink ../run /var/run
--symlink ../tmp /var/tmp
--perms 1777
--size 4096
--tmpfs /dev/shm
--perms 0700
--size 4096
--tmpfs /home/swarm
--perms 1777
--size 4096
--tmpfs /tmp
--bind /srv/user1 /tmp/test
--ro-bind /srv/model /tmp/test/model
--remount-ro /dev
--remount-ro /
)");
  REQUIRE(box.files.size() == 4);
  CHECK(box.files[0].content
        == "swarm:x:1000:1001::/home/swarm:/bin/sh\n"
           "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
  CHECK(box.files[1].content == "swarm:x:1001:\nnogroup:x:65534:\n");
  CHECK(box.files[2].content == "127.0.0.1 localhost\n127.0.1.1 user1\n");
  CHECK(box.files[3].content == "user1\n");
  for (std::size_t i = 0; i < box.files.size(); ++i)
    CHECK(box.files[i].fd == sandbox_fd::files + static_cast<int>(i));
}

TEST_CASE("the environment is not among the options, which others on the host could read") {
  const auto text = text_of(sandbox_of(mnist(), debian()));
  CHECK(text.find("MAX_EPOCHS") == std::string::npos);
  CHECK(text.find("--setenv") == std::string::npos);
}

TEST_CASE("GPUs are there for those who were given some") {
  auto spec = mnist();
  CHECK_FALSE(has(sandbox_of(spec, debian()), "--dev-bind-try /dev/nvidia0 /dev/nvidia0"));
  CHECK_FALSE(environment_of(spec).contains("CUDA_VISIBLE_DEVICES"));
  spec.gpus = "1";
  const auto box = sandbox_of(spec, debian());
  CHECK(has(box, "--dev-bind-try /dev/nvidiactl /dev/nvidiactl"));
  CHECK(has(box, "--dev-bind-try /dev/nvidia0 /dev/nvidia0"));
  CHECK(has(box, "--ro-bind-try /sys/module /sys/module"));
  CHECK(environment_of(spec).at("CUDA_VISIBLE_DEVICES") == "1");
}

TEST_CASE("a mount takes the place of what the sandbox would make itself") {
  auto spec = mnist();
  spec.mounts = {{"/srv/tmp", "/tmp", true}, {"/srv/home", "/home", true}, {"/srv/x", "/x", false}};
  spec.working_directory = "/x/below";
  const auto box = sandbox_of(spec, debian());
  CHECK(has(box, "--bind /srv/tmp /tmp"));
  CHECK_FALSE(has(box, "--tmpfs /tmp"));
  CHECK_FALSE(has(box, "--tmpfs /home/swarm"));
  CHECK_FALSE(has(box, "--dir /x/below")); // whether it is there is the business of whoever has /srv/x
  spec.working_directory = "/elsewhere";
  CHECK(has(sandbox_of(spec, debian()), "--dir /elsewhere"));
}

TEST_CASE("a mount comes after all that it lies in, whatever their names") {
  auto spec = mnist();
  spec.mounts = {{"/s/1", "/a/b/c", false},
                 {"/s/2", "/a-b", false},
                 {"/s/3", "/a", false},
                 {"/s/4", "/a/b", false},
                 {"/s/5", "/a/b-c", false}};
  const auto box = sandbox_of(spec, debian());
  const auto at = [&](std::string_view source) {
    return std::ranges::find(box.options, source) - box.options.begin();
  };
  CHECK(at("/s/3") < at("/s/4"));
  CHECK(at("/s/4") < at("/s/1"));
  CHECK(at("/s/3") < at("/s/5"));
}

TEST_CASE("bounds of what is kept in memory: what the program may have, or half of the host") {
  auto spec = mnist();
  auto host = debian();
  host.memory_bytes = 1 << 30;
  CHECK(has(sandbox_of(spec, host), "--size 536870912"));
  spec.limits.memory_bytes = 1 << 20;
  CHECK_FALSE(has(sandbox_of(spec, host), "--size 536870912"));
  CHECK(has(sandbox_of(spec, host), "--size 1048576"));
  spec.limits.scratch_bytes = 2 << 20;
  spec.limits.shared_memory_bytes = 3 << 20;
  const auto box = sandbox_of(spec, host);
  CHECK_FALSE(has(box, "--size 1048576"));
  CHECK(has(box, "--size 2097152"));
  CHECK(has(box, "--size 3145728"));
}

TEST_CASE("the host's root is root inside, with the home of one") {
  auto spec = mnist();
  spec.uid = spec.gid = 0;
  spec.host_name.clear();
  const auto box = sandbox_of(spec, debian());
  CHECK(box.files[0].content.starts_with("root:x:0:0::/root:/bin/sh\n"));
  CHECK(has(box, "--tmpfs /root"));
  CHECK_FALSE(environment_of(spec).contains("HOSTNAME"));
}

TEST_CASE("a home of one's own is made, if it can be one") {
  auto spec = mnist();
  spec.environment["HOME"] = "/platform/home";
  CHECK(has(sandbox_of(spec, debian()), "--tmpfs /platform/home"));
  CHECK(environment_of(spec).at("HOME") == "/platform/home");
  spec.environment["HOME"] = "/tmp/test/home"; // within a mount
  CHECK_FALSE(has(sandbox_of(spec, debian()), "--tmpfs /tmp/test/home"));
  for (const char* odd : {"relative", "/a/../b", "/a//b", "/", "", "/usr/x"}) {
    spec.environment["HOME"] = odd;
    CHECK_FALSE(has(sandbox_of(spec, debian()), "--tmpfs " + std::string(odd)));
  }
}

} // namespace sandbox_test
