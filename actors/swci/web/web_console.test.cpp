#include "actors/swci/web/web_console.hpp"

#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <future>
#include <mutex>

namespace web_console_test {

using namespace swarm;
using namespace swarm::swci;
using namespace swarm::transport::test;

namespace {

/// A port that nobody listens on.
std::uint16_t free_port() {
  const raw_listener probe([](int) {});
  return probe.port();
}

/// A console whose session is the test.
struct fixture {
  temp_folder folder;
  temp_folder other_folder;
  authority ca{folder.path(), "CA-1"}, other{other_folder.path(), "CA-2"};
  transport::io_runtime io{2};
  std::uint16_t port = free_port();
  std::shared_ptr<console> web;
  std::mutex mutex;
  std::vector<std::string> lines; ///< that the session was told

  explicit fixture(duration waiting_max = std::chrono::minutes(5), bool plain_for_all = false) {
    auto trusts_both = ca.issue("swci-1");
    trusts_both.capath = other_folder.path() / "trusted";
    std::filesystem::create_directory(trusts_both.capath);
    std::filesystem::copy(other.ca_file(), trusts_both.capath / "ca-2.pem");
    auto made = start_web_console(io, identity_of(trusts_both),
                                  {.address = "127.0.0.1",
                                   .port = port,
                                   .plain_for_all = plain_for_all,
                                   .waiting_max = waiting_max,
                                   .folder = user_folder(folder.path().native())});
    if (!made) throw std::runtime_error(made.error().message);
    web = std::move(*made);
    begin();
  }

  void begin() {
    web->start([this](const any_input& what) {
      const std::lock_guard lock(mutex);
      if (const auto* line = std::get_if<input::line>(&what)) lines.push_back(line->text);
    });
  }
  bool told(const std::vector<std::string>& wanted) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return lines == wanted;
    });
  }
  /// The body of the answer to a command, once it comes.
  std::future<std::string> exec(const std::string& command) {
    return std::async(std::launch::async, [port = port, command] {
      const int fd = connect_tcp(port);
      const auto text = "POST /exec?cmd=" + command + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      std::string out;
      if (::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()))
        out = read_plain_to_end(fd);
      ::close(fd);
      return out.substr(std::min(out.find("\r\n\r\n") + 4, out.size()));
    });
  }
};

} // namespace

TEST_CASE("a command's answer is all that is shown until the next line is asked for") {
  fixture f;
  auto first = f.exec("one");
  auto second = f.exec("one");
  CHECK(f.told({})); // no line is wanted yet
  f.web->ask_line("");
  REQUIRE(f.told({"one"}));
  f.web->show_answer("said\n", false);
  f.web->show_answer("ERROR : more\n", true);
  f.web->ask_line("");
  REQUIRE(f.told({"one", "one"}));
  f.web->ask_line("");
  const auto a = first.get(), b = second.get();
  const std::string full = R"({"CONTENT":["said","ERROR : more"]})"
                           "\n",
                    quiet = R"({"CONTENT":["OK"]})"
                            "\n";
  CHECK(((a == full && b == quiet) || (a == quiet && b == full)));
}

TEST_CASE("who waits for too long is told so, and the command is not run") {
  fixture f(std::chrono::milliseconds(50));
  f.web->ask_line("");
  auto first = f.exec("long");
  REQUIRE(f.told({"long"}));
  CHECK(f.exec("other").get().find("this one is not run") != std::string::npos);
  f.web->ask_line("");
  CHECK(first.get() == "{\"CONTENT\":[\"OK\"]}\n"); // it was under way, however long it took
}

TEST_CASE("a session that begins anew loses the command, and the request gets an answer") {
  fixture f;
  f.web->ask_line("");
  auto lost = f.exec("lost");
  REQUIRE(f.told({"lost"}));
  f.begin();
  CHECK(lost.get().find("ERROR : the session had to be started anew") != std::string::npos);
}

TEST_CASE("SWCIs of this organisation command, and this host; what programs wrote is for them, too") {
  for (const bool plain_for_all : {false, true}) {
    CAPTURE(plain_for_all);
    fixture f(std::chrono::minutes(5), plain_for_all);
    CHECK(f.web->may_see_lines()); // nobody has sent anything yet
    f.web->ask_line("");
    auto plain = f.exec("plain");
    REQUIRE(f.told({"plain"}));
    CHECK(f.web->may_see_lines() == !plain_for_all);
    f.web->ask_line("");
    plain.get();
    const auto post = [&](authority& by, const std::string& name, std::string_view target) {
      auto client = raw_tls::connect(f.port, by.issue(name));
      client.write(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\n\r\n", target));
      return client;
    };
    for (const auto& [by, name, why] :
         {std::tuple(&f.ca, "notebook", "is not for SWCI"), std::tuple(&f.ca, "sl-1", "is not for SWCI"),
          std::tuple(&f.other, "swci-2", "is of another organisation")})
      for (const auto* target : {"/exec?cmd=no", "/interrupt"}) {
        const auto answer = post(*by, name, target).read_answer();
        CHECK_MESSAGE((answer.has(" 403 ") && has(answer.body, why)), std::string(name));
      }
    auto client = post(f.ca, "swci-2", "/exec?cmd=yes");
    REQUIRE(f.told({"plain", "yes"})); // and nothing of the others
    CHECK(f.web->may_see_lines());
    f.web->ask_line("");
    CHECK(client.read_answer().has(" 200 "));
  }
}

} // namespace web_console_test
