// Real environments, made by the host's Python from wheels of the test, without a network.
#include "actors/swop/managers/process/build/environment.hpp"

#include "actors/swop/managers/process/build/testing/sandboxes.hpp"
#include "base/testing/wording.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace environment_test {

using namespace swarm;
using namespace swarm::build;
using swarm::testing::wording;
using swarm::transport::test::write_file;
namespace fs = std::filesystem;

namespace {

/// A wheel with a module that knows a number.
void make_wheel(const fs::path& at, const std::string& name, int number) {
  const auto script = at.parent_path() / "make.py";
  write_file(script, R"(import sys, zipfile
at, name, number = sys.argv[1:]
info = name + "-1.0.dist-info/"
with zipfile.ZipFile(at, "w") as made:
    made.writestr(name + ".py", "number = " + number)
    made.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n")
    made.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    made.writestr(info + "RECORD", "")
)");
  const auto call =
      "python3 " + script.native() + " " + at.native() + " " + name + " " + std::to_string(number);
  REQUIRE(std::system(call.c_str()) == 0);
}

struct fixture {
  transport::test::temp_folder folder;
  fs::path context = folder.path() / "context";
  build_request request;
  std::vector<std::string> said;

  fixture() {
    fs::create_directories(context / "wheels");
    request.name = "hub/user-env:1";
    request.context = context;
    request.context_name = "sl-cli-lib";
    request.environments = folder.path() / "environments";
    request.host_variables = {{"PATH", "/usr/bin:/bin"}, {"HOME", folder.path()}, {"PIP_NO_INDEX", "1"}};
  }
  result<built_environment> build(const std::vector<std::string>& items, const std::stop_token& stop = {},
                                  const on_build_line& more = {}) {
    request.steps = read_dockerfile(items);
    request.source.clear();
    for (const auto& each : items)
      request.source += each + "\n";
    said.clear();
    return build_environment(request, stop, [&](std::string_view line) {
      said.emplace_back(line);
      if (more) more(line);
    });
  }
  bool has_said(std::string_view part) const {
    return std::ranges::any_of(said, [&](const auto& each) { return each.find(part) != std::string::npos; });
  }
  std::size_t folders() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        fs::directory_iterator(request.environments), [](const auto& each) { return each.is_directory(); }));
  }
  static int number_of(const built_environment& in, const std::string& module) {
    const auto call = in.python.native() + " -c 'import " + module + "; exit(" + module + ".number)'";
    const int status = std::system(call.c_str());
    return WEXITSTATUS(status);
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "a build: wheels of the context, variables, files; once, until something changes") {
  make_wheel(context / "wheels/one-1.0-py3-none-any.whl", "one", 41);
  write_file(context / "requirements.txt", "two\n");
  make_wheel(context / "wheels/two-1.0-py3-none-any.whl", "two", 42);
  const std::vector<std::string> items{"FROM python",
                                       "ENV MODE=fast",
                                       "COPY wheels /tmp/w",
                                       "COPY *.txt /app/",
                                       "WORKDIR /app",
                                       "RUN mkdir -p /x && pip3 install /tmp/w/one*.whl && \\",
                                       "  pip install -f /tmp/w -r requirements.txt"};
  const auto first = build(items);
  REQUIRE_MESSAGE(first, first.error().message);
  CHECK(number_of(*first, "one") == 41);
  CHECK(number_of(*first, "two") == 42);
  CHECK(first->environment.at("MODE") == "fast");
  CHECK(first->working_folder == "/app");
  CHECK(fs::exists(first->root / "app/requirements.txt"));
  CHECK(has_said("line 6: RUN mkdir"));
  CHECK(find_environment(request.environments, request.name)->folder == first->folder);

  CHECK(build(items)->folder == first->folder);
  CHECK(has_said("was built before"));
  make_wheel(context / "wheels/one-1.0-py3-none-any.whl", "one", 43);
  const auto second = build(items);
  REQUIRE(second);
  CHECK(number_of(*second, "one") == 43);
  CHECK(folders() == 1);

  // A failure leaves what there was, and nothing besides.
  const auto failed = build({"FROM python", "RUN pip install no-such-package"});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().is(build_errc::failed));
  CHECK(wording(failed.error())
            .contains("hub/user-env:1: line 2: RUN pip install no-such-package: pip ended with exit "
                      "code 1: ERROR: No matching distribution found"));
  CHECK(find_environment(request.environments, request.name)->folder == second->folder);
  CHECK(folders() == 1);
}

TEST_CASE_FIXTURE(fixture, "requirement lines, in another Python than FROM names, in a sandbox") {
  make_wheel(context / "wheels/one-1.0-py3-none-any.whl", "one", 7);
  request.steps = read_requirements({"./wheels/one-1.0-py3-none-any.whl"}, true);
  request.steps.python_version = "2.1";
  std::size_t confined = 0;
  request.confine = [&](child_command command) -> result<child_command> {
    ++confined;
    command.words.insert(command.words.begin(), "env");
    return command;
  };
  const auto done = build_environment(request, {}, [&](std::string_view line) { said.emplace_back(line); });
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(number_of(*done, "one") == 7);
  CHECK(confined >= 2);
  CHECK(has_said("FROM names Python 2.1; this host has"));
}

TEST_CASE_FIXTURE(fixture, "the client's wheel: ours where the context has none") {
  const std::vector<std::string> items{
      "FROM python", "COPY swarmlearning-client-py3-none-manylinux_2_24_x86_64.whl /tmp/p/client.whl",
      "RUN pip3 install /tmp/p/client.whl"};
  const auto missing = build(items);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().is(build_errc::missing_file));
  CHECK(wording(missing.error()).contains("is not in the build context sl-cli-lib"));
  request.client_package = folder.path() / "swarmlearning-1.0-py3-none-any.whl";
  make_wheel(*request.client_package, "swarmlearning", 5);
  const auto done = build(items);
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(number_of(*done, "swarmlearning") == 5);
  CHECK(has_said("the client package that comes with swarmd (swarmlearning-1.0-py3-none-any.whl) is used"));
}

TEST_CASE_FIXTURE(fixture, "the original's wheel has no version in its name, which pip of today refuses") {
  const auto* name = "swarmlearning-client-py3-none-manylinux_2_24_x86_64.whl";
  make_wheel(context / name, "swarmlearning", 6);
  const auto done =
      build({"FROM python", std::string("COPY ") + name + " .", std::string("RUN pip3 install ./") + name});
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(number_of(*done, "swarmlearning") == 6);
  CHECK(fs::exists(done->root / ".wheels/swarmlearning-1.0-py3-none-manylinux_2_24_x86_64.whl"));
  write_file(context / name, "no wheel");
  const auto failed =
      build({"FROM python", std::string("COPY ") + name + " .", std::string("RUN pip3 install ./") + name});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().is(build_errc::failed));
}

/// A wheel that runs `code` whenever a Python of its environment starts.
void make_wheel_with_code(const fs::path& at, const std::string& code) {
  make_wheel(at, "sly", 1);
  const auto line = at.parent_path() / "sly.pth";
  write_file(line, "import os, sys; " + code + "\n");
  const auto call = "python3 -m zipfile -c " + at.native() + ".2 " + line.native() + " && python3 -c \""
                    + "import zipfile; z = zipfile.ZipFile('" + at.native() + "', 'a'); "
                    + "z.writestr('sly.pth', open('" + line.native() + "').read())\"";
  REQUIRE(std::system(call.c_str()) == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "in a sandbox a package sees its environment alone, and nothing is written by its links") {
  if (!test::has_sandboxes()) return;
  request.confine = test::in_sandbox;
  write_file(folder.path() / "secret", "secret");
  fs::create_directories(folder.path() / "outside");
  const auto at = [&](const char* name) { return "'" + (folder.path() / name).native() + "'"; };
  make_wheel_with_code(context / "sly-1.0-py3-none-any.whl",
                       "root = sys.prefix + '/../root'; open(root + '/seen', 'w').write(str([os.path.exists("
                           + at("secret") + "), os.access(" + at("outside") + ", os.W_OK), os.getuid()])); "
                           + "os.path.lexists(root + '/app') or os.symlink(" + at("outside")
                           + ", root + '/app')");
  make_wheel(context / "one-1.0-py3-none-any.whl", "one", 41);
  std::vector<std::string> items{"FROM python", "COPY *.whl /w/",
                                 "RUN pip install /w/sly-1.0-py3-none-any.whl",
                                 "RUN pip install /w/one-1.0-py3-none-any.whl"};
  const auto done = build(items);
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(fs::exists(fs::directory_iterator(done->folder / "venv/lib")->path() / "site-packages/one.py"));
  CHECK(transport::test::read_file(done->root / "seen").starts_with("[False, False, "));
  CHECK(fs::is_symlink(done->root / "app"));
  CHECK_FALSE(fs::exists(done->folder / "tmp"));
  for (const auto* last : {"COPY one-1.0-py3-none-any.whl /app/x", "RUN mkdir /app/x", "WORKDIR /app/x"}) {
    auto more = items;
    more.emplace_back(last);
    more.emplace_back("RUN pip install /w/one-1.0-py3-none-any.whl");
    const auto refused = build(more);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(build_errc::failed));
    CHECK(fs::is_empty(folder.path() / "outside"));
  }
}

// By hand, as it needs a package index: test_build --no-skip -tc="*index*"
TEST_CASE_FIXTURE(fixture,
                  "the user guide's steps, from this host's index, with the newest pip" * doctest::skip()) {
  const std::string name = "swarmlearning-client-py3-none-manylinux_2_24_x86_64.whl";
  make_wheel(context / name, "swarmlearning", 6);
  request.host_variables.erase("PIP_NO_INDEX");
  for (const auto* each :
       {"HOME", "http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_CONFIG_FILE"})
    if (const auto* value = std::getenv(each)) request.host_variables[each] = value;
  const auto done = build({"FROM python:3.9", " ", "RUN pip3 install --upgrade pip && pip3 install \\",
                           "   six protobuf==3.20.1 ", " ", "RUN mkdir -p /tmp/p",
                           "COPY " + name + " /tmp/p/" + name, "RUN pip3 install /tmp/p/" + name});
  for (const auto& each : said)
    MESSAGE(each);
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(number_of(*done, "swarmlearning") == 6);
}

TEST_CASE_FIXTURE(fixture, "nothing is done when a step cannot be") {
  const auto done = build({"FROM python", "RUN pip install one", "RUN apt-get install x", "RUN curl x"});
  REQUIRE_FALSE(done);
  CHECK(done.error().is(build_errc::needs_engine));
  CHECK(wording(done.error()).contains("line 3: RUN apt-get install x"));
  CHECK(has_said("line 4: RUN curl x"));
  CHECK_FALSE(fs::exists(request.environments));
  CHECK(find_environment(request.environments, "x").error().is(build_errc::no_environment));
}

TEST_CASE_FIXTURE(fixture, "contexts: patterns, folders, links that lead out") {
  write_file(folder.path() / "secret", "secret");
  fs::create_symlink(folder.path() / "secret", context / "leak");
  for (const auto* bad : {"COPY leak /x", "COPY . /x", "COPY le* /x"}) {
    const auto done = build({"FROM python", bad});
    REQUIRE_FALSE(done);
    CHECK(done.error().is(errc::denied));
  }
  request.context.reset();
  CHECK(build({"FROM python", "COPY a b"}).error().is(build_errc::missing_file));
}

TEST_CASE_FIXTURE(fixture, "no Python, and one that cannot make environments") {
  request.python = "/no/such/python";
  const auto missing = build({"FROM python"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().is(build_errc::no_python));
  request.python = "/bin/false";
  CHECK(build({"FROM python"}).error().is(build_errc::no_python));
}

TEST_CASE_FIXTURE(fixture, "a stop in the middle leaves nothing") {
  std::stop_source stop;
  const auto done =
      build({"FROM python", "RUN pip install one"}, stop.get_token(),
            [&](std::string_view line) { line.starts_with("line 2") ? stop.request_stop() : false; });
  REQUIRE_FALSE(done);
  CHECK(done.error().is(build_errc::stopped));
  CHECK(folders() == 0);
}

} // namespace environment_test
