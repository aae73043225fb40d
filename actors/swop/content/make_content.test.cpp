#include "actors/swop/content/make_content.hpp"

#include "actors/swop/content/relative_path.hpp"
#include "actors/swop/content/testing/rude_server.hpp"
#include "base/hash.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace make_content_test {

using namespace swarm;
using namespace swarm::content;
using swarm::content::test::answer;
using swarm::content::test::rude_server;
using swarm::testing::wording;
using swarm::transport::test::read_file;
using swarm::transport::test::write_file;
namespace fs = std::filesystem;

namespace {

/// What `printf data | gzip` makes of the tar archive with the file "in/x" that holds "packed".
void make_archive(const fs::path& at) {
  const auto folder = at.parent_path() / "to-pack";
  fs::create_directories(folder / "in");
  write_file(folder / "in/x", "packed");
  REQUIRE(std::system(("tar -C " + folder.native() + " -czf " + at.native() + " in").c_str()) == 0);
}

operation read(std::string_view name, const std::string& target, const operation_options& options) {
  auto out = read_operation(name, target, options);
  REQUIRE_MESSAGE(out, out.error().message);
  return *out;
}

struct fixture {
  transport::test::temp_folder folder;
  volumes where{folder.path() / "volumes"};
  content_request request{.name = "mnist-msn", .nodes = {}, .operations = {}, .allowed = {}, .variables = {}};

  result<> run() const {
    content_limits limits;
    limits.download.tries_max = 1;
    return make_content(request, where, limits, {});
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "downloads and archives make a volume, a copy for each node") {
  make_archive(folder.path() / "a.tgz");
  const auto packed = read_file(folder.path() / "a.tgz");
  const rude_server server([&](auto, const std::string& head) {
    return head.starts_with("GET /a.tgz") ? answer(packed) : answer("print(1)");
  });
  request.operations = {read("DOWNLOAD", server.address("/m/mnist_tf.py"), {{"Out", "model/mnist_tf.py"}}),
                        read("DOWNLOAD", server.address("/a.tgz?x=1"), {{"Out", "archives/"}}),
                        read("EXTRACT", "archives/a.tgz", {{"Out", "data"}}),
                        read("EXTRACT", server.address("/a.tgz"), {})};
  request.nodes = {0, 7};
  const auto done = run();
  if (!done) MESSAGE(done.error().message);
  REQUIRE(done);
  for (const auto node : {0, 7}) {
    const auto copy = where.find("mnist-msn", node);
    REQUIRE(copy);
    CHECK(read_file(*copy / "model/mnist_tf.py") == "print(1)");
    CHECK(read_file(*copy / "data/in/x") == "packed");
    CHECK(read_file(*copy / "in/x") == "packed");
  }
  CHECK_FALSE(where.find("mnist-msn"));
  // A second run takes the place of the first, copies of nodes that are gone go away.
  request.nodes = {7};
  request.operations.resize(1);
  REQUIRE(run());
  CHECK_FALSE(where.find("mnist-msn", 0));
  CHECK_FALSE(fs::exists(*where.find("mnist-msn", 7) / "in"));
  request.nodes.clear();
  REQUIRE(run());
  CHECK(where.find("mnist-msn", 7).value() == where.path_of("mnist-msn"));
}

TEST_CASE_FIXTURE(fixture, "a failure names the operation and leaves the volume as it was") {
  const rude_server server([&](auto number, const auto&) {
    return number == 2 ? answer("", "", "404 Not Found") : answer("v" + std::to_string(number));
  });
  request.operations = {read("DOWNLOAD", server.address("/f"), {})};
  REQUIRE(run());
  request.operations.push_back(read("DOWNLOAD", server.address("/g"), {}));
  const auto done = run();
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::not_found));
  CHECK(wording(done.error()).contains("mnist-msn: operation 2 (DOWNLOAD): http://127.0.0.1:"));
  CHECK(read_file(*where.find("mnist-msn") / "f") == "v0");
  CHECK_FALSE(fs::exists(where.work() / "stage"));
}

TEST_CASE_FIXTURE(fixture, "a volume that the operator made is read and not replaced") {
  fs::create_directories(where.path_of("sl-cli-lib"));
  write_file(where.path_of("sl-cli-lib") / "x.whl", "wheel");
  CHECK(where.find("sl-cli-lib", 3).value() == where.path_of("sl-cli-lib"));
  request.name = "sl-cli-lib";
  request.operations = {read("EXTRACT", "nothing", {})};
  CHECK(run().error().is(content_errc::volume_in_use));
  CHECK(read_file(where.path_of("sl-cli-lib") / "x.whl") == "wheel");
  // The same for a copy of one node.
  fs::create_directories(where.path_of("own", 0));
  request.name = "own";
  CHECK(run().error().is(content_errc::volume_in_use));
  CHECK(where.find("missing").error().is(content_errc::no_volume));
}

TEST_CASE_FIXTURE(fixture, "archives that are not there, or not the right ones") {
  write_file(folder.path() / "a", "x");
  request.allowed = {folder.path()};
  request.operations = {read("EXTRACT", "nowhere/a.tgz", {})};
  CHECK(run().error().is(content_errc::no_such_file));
  request.operations = {read("EXTRACT", (folder.path() / "none.tgz").native(), {})};
  CHECK(run().error().is(content_errc::not_found));
  const std::string digest(64, '0');
  request.operations = {read("DOWNLOAD", (folder.path() / "a").native(), {}),
                        read("EXTRACT", "a", {{"SHA256", digest}})};
  CHECK(run().error().is(content_errc::wrong_digest));
}

TEST_CASE("operations of a task, good and bad") {
  CHECK(read_operation("DOWNLOAD", "http://h/a/b.py?v=1#x", {})->out == "b.py");
  CHECK(read_operation("DOWNLOAD", "http://h/b", {{"OUT", "./d//e/"}})->out == "d/e/b");
  CHECK(read_operation("DOWNLOAD", "/srv/b", {{"Out", "d/e"}})->out == "d/e");
  CHECK(read_operation("EXTRACT", "./a/b.zip", {})->target == "a/b.zip");
  CHECK(read_operation("EXTRACT", "a", {{"Out", "."}})->out.empty());
  const auto bad = [](std::string_view name, std::string_view target, const operation_options& options = {}) {
    const auto done = read_operation(name, target, options);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(content_errc::bad_operation));
  };
  bad("COPY", "http://h/a");
  bad("download", "http://h/a");
  bad("DOWNLOAD", "");
  bad("DOWNLOAD", "http://h/");
  bad("DOWNLOAD", "http://h");
  bad("DOWNLOAD", "h/a");
  bad("DOWNLOAD", std::string(3000, 'x'));
  bad("DOWNLOAD", "http://h/..");
  bad("DOWNLOAD", "http://h/a", {{"Out", "../a"}});
  bad("DOWNLOAD", "http://h/a", {{"Out", "/a"}});
  bad("DOWNLOAD", "http://h/a", {{"Out", "."}});
  bad("DOWNLOAD", "http://h/a", {{"Mode", "1"}});
  bad("DOWNLOAD", "http://h/a", {{"Sha256", "12"}});
  bad("EXTRACT", "../a.zip");
  bad("EXTRACT", ".");
}

TEST_CASE("names of folders are different for different names, and harmless") {
  CHECK(folder_name("user-env-tf2.7.0-swop") == "user-env-tf2.7.0-swop");
  CHECK(folder_name("hub/org:1") == "hub%2Forg%3A1");
  CHECK(folder_name("..") == "%2E.");
  CHECK(folder_name("a@1") == "a%401");
  const std::string long_name(640, '/');
  CHECK(folder_name(long_name).size() < 250);
  CHECK(folder_name(long_name) != folder_name(long_name + "a"));
}

} // namespace make_content_test
