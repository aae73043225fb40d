#include "transport/unix/unix_socket.hpp"

#include "base/testing/wording.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>

namespace unix_socket_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

struct fixture {
  temp_folder folder;
  std::filesystem::path path = folder.path() / "admin.sock";
  io_runtime io{2};
  std::unique_ptr<unix_server> server;

  void serve(unix_server::handler on_line, unix_server_options options = {}) {
    auto started = unix_server::start(io, path, std::move(on_line), options);
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  unix_client open() {
    auto client = unix_client::open(path);
    if (!client) throw std::runtime_error(client.error().message);
    client->set_timeout(patience);
    return std::move(*client);
  }
};

void echo(const std::string& line, const line_writer& writer) {
  (void)writer.write("got " + line);
}

/// A bound socket file whose process does not listen any more.
void leave_stale_socket(const std::filesystem::path& path) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  path.native().copy(where.sun_path, sizeof where.sun_path - 1);
  CHECK(bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0);
  close(fd);
}

} // namespace

TEST_CASE("lines are answered with lines") {
  fixture f;
  f.serve(echo);
  auto client = f.open();
  CHECK(client.server_pid() == getpid());
  CHECK(client.request("one").value() == "got one");
  CHECK(client.request("").value() == "got ");
  REQUIRE(client.write_line("a"));
  REQUIRE(client.write_line("b"));
  CHECK(client.read_line().value() == "got a");
  CHECK(client.read_line().value() == "got b");
  CHECK_FALSE(client.write_line("two\nlines"));
  std::string large(500'000, 'x');
  CHECK(client.request(large).value() == "got " + large);
  auto moved = std::move(client);
  CHECK(moved.request("two").value() == "got two");
}

TEST_CASE("only the owner may open the socket, which goes away with the server") {
  fixture f;
  f.serve(echo);
  struct stat info {};
  REQUIRE(stat(f.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  f.server->stop();
  CHECK_FALSE(std::filesystem::exists(f.path));
  f.server->stop();
  auto client = unix_client::open(f.path);
  REQUIRE_FALSE(client);
  CHECK(client.error().is(net_errc::connect));
  CHECK(says(client.error(), "is the process running?"));
}

TEST_CASE("a left-over socket is replaced, a living one is not") {
  fixture f;
  leave_stale_socket(f.path);
  auto stale = unix_client::open(f.path);
  REQUIRE_FALSE(stale);
  CHECK(says(stale.error(), "nobody serves this socket"));
  f.serve(echo);
  CHECK(f.open().request("x").value() == "got x");
  auto second = unix_server::start(f.io, f.path, echo);
  REQUIRE_FALSE(second);
  CHECK(second.error().is(net_errc::in_use));
  CHECK(says(second.error(), fmt::format("pid {}", getpid())));
  CHECK(f.open().request("x").value() == "got x");
}

TEST_CASE("a socket file that was replaced by another is left alone") {
  fixture f;
  f.serve(echo);
  std::filesystem::remove(f.path);
  auto second = unix_server::start(f.io, f.path, echo);
  REQUIRE(second);
  f.server->stop();
  CHECK(f.open().request("x").value() == "got x");
}

TEST_CASE("paths that cannot be") {
  fixture f;
  auto fails = [&](const std::filesystem::path& path, std::string_view words) {
    auto started = unix_server::start(f.io, path, echo);
    REQUIRE_FALSE(started);
    CAPTURE(started.error().message);
    CHECK(started.error().is(net_errc::address));
    CHECK(says(started.error(), words));
  };
  fails(f.folder.path() / std::string(120, 'x'), "107 bytes at most");
  fails(f.folder.path() / "absent" / "socket", "No such file");
  write_file(f.path, "precious");
  fails(f.path, "no socket is in the way");
  CHECK(read_file(f.path) == "precious");
  CHECK_FALSE(unix_client::open(f.folder.path() / std::string(120, 'x')));
}

TEST_CASE("a handler may send lines for long and learns that the client went away") {
  fixture f;
  waiting_for<bool> gone;
  waiting_for<line_writer> lent;
  f.serve([&](const std::string&, const line_writer& writer) {
    writer.on_gone([&] { gone.set(true); });
    for (int i = 0; i < 100; ++i)
      CHECK(writer.write(std::to_string(i)));
    lent.set(writer);
  });
  {
    auto client = f.open();
    REQUIRE(client.write_line("trace"));
    int count = 0;
    REQUIRE(client.read_lines([&](std::string_view line) {
      CHECK(line == std::to_string(count));
      return ++count < 100;
    }));
    CHECK(count == 100);
  }
  CHECK(gone.get());
  auto writer = lent.get();
  CHECK(writer.gone());
  auto late = writer.write("late");
  REQUIRE_FALSE(late);
  CHECK(late.error().is(net_errc::closed));
  bool at_once = false;
  writer.on_gone([&] { at_once = true; });
  CHECK(at_once);
}

TEST_CASE("a client that does not read is bounded") {
  fixture f;
  waiting_for<result<>> refused;
  unix_server_options options;
  options.queue_bytes_max = 1024 * 1024;
  f.serve(
      [&](const std::string&, const line_writer& writer) {
        result<> last;
        std::string line(10'000, 'x');
        for (int i = 0; i < 10'000 && last; ++i)
          last = writer.write(line);
        refused.set(last);
        writer.close();
      },
      options);
  auto client = f.open();
  REQUIRE(client.write_line("x"));
  auto last = refused.get();
  REQUIRE_FALSE(last);
  CHECK(last.error().is(net_errc::limit));
  // What was accepted arrives, then the stream ends.
  std::size_t lines = 0;
  REQUIRE(client.read_lines([&](std::string_view line) {
    CHECK(line.size() == 10'000);
    ++lines;
    return true;
  }));
  CHECK(lines >= 100);
}

TEST_CASE("requests are limited in length, connections in number") {
  fixture f;
  unix_server_options options;
  options.line_bytes_max = 1000;
  options.connections_max = 2;
  f.serve(echo, options);
  {
    auto client = f.open();
    CHECK(client.request(std::string(1000, 'x')).value().size() == 1004);
    REQUIRE(client.write_line(std::string(1001, 'x')));
    CHECK(says(client.read_line().value(), "more than 1000 bytes"));
    CHECK(client.read_line().error().is(net_errc::closed));
  }
  REQUIRE(eventually([&] { return f.open().request("x").has_value(); }));
  auto a = f.open();
  REQUIRE(eventually([&] {
    a = f.open();
    return a.request("x").has_value();
  }));
  std::optional<unix_client> b;
  REQUIRE(eventually([&] {
    b.emplace(f.open());
    return b->request("x").has_value();
  }));
  auto c = f.open();
  CHECK_FALSE(c.request("x"));
}

TEST_CASE("a client that ends its side first still gets its answers") {
  fixture f;
  f.serve([&](const std::string& line, const line_writer& writer) {
    if (line == "b") f.io.after(std::chrono::milliseconds{20}, [writer] { (void)writer.write("late"); });
  });
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  f.path.native().copy(where.sun_path, sizeof where.sun_path - 1);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0);
  REQUIRE(write(fd, "a\nb\n", 4) == 4);
  shutdown(fd, SHUT_WR);
  CHECK(read_plain_to_end(fd) == "late\n");
  close(fd);
}

TEST_CASE("the client gives up on a process that does not answer") {
  fixture f;
  std::vector<line_writer> kept;
  f.serve([&](const std::string&, const line_writer& writer) { kept.push_back(writer); });
  auto client = f.open();
  client.set_timeout(std::chrono::milliseconds{50});
  auto answer = client.request("x");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(net_errc::timeout));
  f.server->stop();
  CHECK(client.read_line().error().is(net_errc::closed));
}

} // namespace unix_socket_test
