// Against servers that cut, stall, lie and lead astray.
#include "actors/swop/content/download/download.hpp"

#include "actors/swop/content/testing/rude_server.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace download_test {

using namespace swarm;
using namespace swarm::content;
using namespace std::chrono_literals;
using swarm::content::test::answer;
using swarm::content::test::rude_server;
namespace fs = std::filesystem;

namespace {

struct fixture {
  transport::test::temp_folder folder;
  download_request request;
  download_limits limits;
  std::uint64_t trouble = 0;

  fixture() {
    request.to = folder.path() / "file";
    request.partial = folder.path() / "file.part";
    limits.pause_first = 1ms;
    limits.pause_max = 10ms;
  }
  result<download_report> run(const std::string& address, const std::stop_token& stop = {}) {
    request.address = address;
    return download(request, limits, stop, [&](const download_progress& at) { trouble = at.trouble; });
  }
  std::string content() const { return transport::test::read_file(request.to); }
  bool nothing_left() const { return fs::is_empty(folder.path()); }
};

/// Bytes of which each part is recognised.
std::string sample(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i)
    out += std::to_string(i) + ",";
  return out.substr(0, size);
}

std::string part(const std::string& whole, std::size_t from) {
  return answer(whole.substr(from),
                "ETag: \"v1\"\r\nContent-Range: bytes " + std::to_string(from) + "-"
                    + std::to_string(whole.size() - 1) + "/" + std::to_string(whole.size()) + "\r\n",
                "206 Partial Content");
}

/// The whole is announced, `bytes` of it come.
std::string cut(const std::string& whole, std::size_t bytes,
                const std::string& headers = "ETag: \"v1\"\r\n") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(whole.size()) + "\r\n" + headers + "\r\n"
         + whole.substr(0, bytes);
}

bool asks_from(const std::string& head, std::size_t from) {
  return transport::test::has(head, "Range: bytes=" + std::to_string(from) + "-\r\n");
}

} // namespace

TEST_CASE_FIXTURE(fixture, "a file comes whole, under its name only") {
  const auto whole = sample(3'000'000);
  const rude_server server([&](auto, const auto&) { return answer(whole); });
  request.sha256 = sha256(as_bytes(whole));
  const auto done = run(server.address());
  REQUIRE(done);
  CHECK(done->bytes == whole.size());
  CHECK(content() == whole);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE_FIXTURE(fixture, "an empty file is a file") {
  const rude_server server([&](auto, const auto&) { return answer(""); });
  REQUIRE(run(server.address()));
  CHECK(content().empty());
}

TEST_CASE_FIXTURE(fixture, "a connection that is cut is gone on with where it ended") {
  const auto whole = sample(500'000);
  const rude_server server(
      [&](auto number, const auto&) { return number == 0 ? cut(whole, 123'456) : part(whole, 123'456); });
  const auto done = run(server.address());
  REQUIRE(done);
  CHECK(done->tries == 2);
  CHECK(content() == whole);
  CHECK(asks_from(server.requests().at(1), 123'456));
  CHECK(transport::test::has(server.requests().at(1), "If-Range: \"v1\"\r\n"));
}

TEST_CASE_FIXTURE(fixture, "another version is taken from its beginning") {
  const auto old = sample(500'000);
  const auto newer = sample(400'000) + "new";
  const rude_server server([&](auto number, const auto&) {
    return number == 0 ? cut(old, 1000) : answer(newer, "ETag: \"v2\"\r\n");
  });
  REQUIRE(run(server.address()));
  CHECK(content() == newer);
}

TEST_CASE_FIXTURE(fixture, "without a version or a digest nothing is stitched together") {
  const auto whole = sample(10'000);
  const rude_server server(
      [&](auto number, const auto&) { return number == 0 ? cut(whole, 1000, "") : answer(whole); });
  REQUIRE(run(server.address()));
  CHECK(content() == whole);
  CHECK_FALSE(transport::test::has(server.requests().at(1), "Range:"));
}

TEST_CASE_FIXTURE(fixture, "a later call goes on with what an earlier one has left") {
  const auto whole = sample(500'000);
  const rude_server server(
      [&](auto number, const auto&) { return number == 0 ? cut(whole, 100'000) : part(whole, 100'000); });
  limits.tries_max = 1;
  const auto failed = run(server.address());
  REQUIRE_FALSE(failed);
  CHECK(failed.error().is(content_errc::cut));
  CHECK_FALSE(fs::exists(request.to));
  const auto done = run(server.address());
  REQUIRE(done);
  CHECK(done->resumed_from == 100'000);
  CHECK(content() == whole);
}

TEST_CASE_FIXTURE(fixture, "what was left of another address is not used") {
  const auto whole = sample(5000);
  const rude_server server(
      [&](auto number, const auto&) { return number == 0 ? cut(whole, 1000) : answer("other"); });
  limits.tries_max = 1;
  REQUIRE_FALSE(run(server.address("/a")));
  REQUIRE(run(server.address("/b")));
  CHECK(content() == "other");
  CHECK_FALSE(transport::test::has(server.requests().at(1), "Range:"));
}

TEST_CASE_FIXTURE(fixture, "a resumed file with the wrong digest is fetched once more, as a whole") {
  const auto whole = sample(5000);
  auto wrong = whole;
  wrong[10] = 'x';
  request.sha256 = sha256(as_bytes(whole));
  const rude_server server([&](auto number, const auto&) {
    if (number == 0) return cut(wrong, 1000);
    return number == 1 ? part(whole, 1000) : answer(whole);
  });
  REQUIRE(run(server.address()));
  CHECK(content() == whole);
  CHECK(server.requests().size() == 3);
}

TEST_CASE_FIXTURE(fixture, "the wrong file leaves nothing") {
  request.sha256 = sha256(as_bytes("another"));
  const rude_server server([&](auto, const auto&) { return answer("a file"); });
  const auto done = run(server.address());
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::wrong_digest));
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(fixture, "a file that is announced too large is not begun") {
  limits.bytes_max = 1000;
  const rude_server server([&](auto, const auto&) { return answer(sample(1001)); });
  const auto done = run(server.address());
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::too_large));
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(fixture, "an endless file ends at the limit") {
  limits.bytes_max = 100'000;
  const rude_server server([&](auto, const auto&) {
    std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 1000; ++i)
      out += "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    return out;
  });
  const auto done = run(server.address());
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::too_large));
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(fixture, "a length that cannot be is refused") {
  const rude_server server([&](auto number, const auto&) {
    const auto length =
        number == 0 ? "Content-Length: 18446744073709551615" : "Content-Length: 9223372036854775807";
    return "HTTP/1.1 200 OK\r\n" + std::string(length) + "\r\n\r\nabc";
  });
  limits.tries_max = 1;
  for (int i = 0; i < 2; ++i) {
    const auto done = run(server.address());
    REQUIRE_FALSE(done);
    CHECK(done.error().is(content_errc::too_large));
  }
}

TEST_CASE_FIXTURE(fixture, "a server that stalls is too slow, and one that goes on cutting is given up") {
  std::atomic<bool> over = false;
  const rude_server stalls([&](auto, const auto&) {
    transport::test::eventually([&] { return over.load(); });
    return std::string();
  });
  limits.tries_max = 1;
  limits.slow_time_max = 1s;
  const auto slow = run(stalls.address());
  over = true;
  REQUIRE_FALSE(slow);
  CHECK(slow.error().is(content_errc::too_slow));

  const rude_server cuts([&](auto, const auto&) { return cut("0123456789", 1, ""); });
  limits.tries_max = 3;
  const auto done = run(cuts.address());
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::cut));
  CHECK(cuts.requests().size() == 3);
}

TEST_CASE_FIXTURE(fixture, "the deadline holds") {
  std::atomic<bool> over = false;
  const rude_server stalls([&](auto, const auto&) {
    transport::test::eventually([&] { return over.load(); });
    return std::string();
  });
  limits.time_max = 1s;
  const auto done = run(stalls.address());
  over = true;
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::out_of_time));
}

TEST_CASE_FIXTURE(fixture, "a stop ends it in the middle, and it can be gone on with") {
  const auto whole = sample(200'000);
  std::stop_source stop;
  std::atomic<bool> over = false;
  const rude_server server([&](auto number, const auto&) {
    if (number > 0) return part(whole, 0);
    stop.request_stop();
    transport::test::eventually([&] { return over.load(); });
    return std::string();
  });
  const auto done = run(server.address(), stop.get_token());
  over = true;
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::stopped));
  CHECK_FALSE(fs::exists(request.to));
}

TEST_CASE_FIXTURE(fixture, "servers' errors: passing ones are tried again, others not") {
  const rude_server busy([&](auto number, const auto&) {
    return number == 0 ? answer("wait", "", "503 Service Unavailable") : answer("here");
  });
  REQUIRE(run(busy.address()));
  CHECK(content() == "here");

  const rude_server gone([&](auto, const auto&) { return answer(sample(1'000'000), "", "404 Not Found"); });
  const auto done = run(gone.address());
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::not_found));
  CHECK(trouble == 404);
  CHECK(gone.requests().size() == 1);

  const rude_server forbids([&](auto, const auto&) { return answer("no", "", "403 Forbidden"); });
  const auto refused = run(forbids.address());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(content_errc::refused));
  CHECK(trouble == 403);

  const auto nobody = run("http://127.0.0.1:1/file");
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().is(content_errc::unreachable));
  CHECK(trouble == 7); // CURLE_COULDNT_CONNECT
}

TEST_CASE_FIXTURE(fixture, "redirects are followed, but not for ever and not to files") {
  const rude_server target([&](auto, const auto&) { return answer("the file"); });
  const rude_server server([&](auto, const std::string& head) {
    const auto to = head.starts_with("GET /loop ")   ? std::string("/loop")
                    : head.starts_with("GET /file ") ? target.address("/elsewhere")
                                                     : std::string("file:///etc/passwd");
    return answer("moved", "Location: " + to + "\r\n", "302 Found");
  });
  REQUIRE(run(server.address("/file")));
  CHECK(content() == "the file");
  const auto loop = run(server.address("/loop"));
  REQUIRE_FALSE(loop);
  CHECK(loop.error().is(content_errc::too_many_redirects));
  request.allowed = {"/etc"};
  const auto astray = run(server.address("/astray"));
  REQUIRE_FALSE(astray);
  CHECK(astray.error().is(content_errc::untrusted));
}

TEST_CASE_FIXTURE(fixture, "credentials go to their server only, and into no message") {
  const rude_server other([&](auto, const auto&) { return answer("no", "", "403 Forbidden"); });
  const rude_server server([&](auto, const auto&) {
    return answer("", "Location: " + other.address("/x?token=sesame") + "\r\n", "302 Found");
  });
  const auto address = "http://alice:opensesame@127.0.0.1:" + std::to_string(server.port()) + "/f?key=sesame";
  const auto done = run(address);
  REQUIRE_FALSE(done);
  CHECK(transport::test::has(server.requests().at(0), "Authorization: Basic "));
  CHECK_FALSE(transport::test::has(other.requests().at(0), "Authorization"));
  CHECK(done.error().message.find("sesame") == std::string::npos);
  CHECK(done.error().message.find("alice") == std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "proxies are those of the given environment") {
  const rude_server proxy([&](auto, const auto&) { return answer("by proxy"); });
  request.variables = {{"http_proxy", "http://127.0.0.1:" + std::to_string(proxy.port())}};
  REQUIRE(run("http://nowhere.invalid/file"));
  CHECK(content() == "by proxy");
  CHECK(proxy.requests().at(0).starts_with("GET http://nowhere.invalid/file HTTP/1.1"));

  const rude_server direct([&](auto, const auto&) { return answer("direct"); });
  request.variables["no_proxy"] = "127.0.0.1";
  REQUIRE(run(direct.address()));
  CHECK(content() == "direct");
}

TEST_CASE_FIXTURE(fixture, "the process's own environment is not asked") {
  const rude_server server([&](auto, const auto&) { return answer("direct"); });
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  const auto done = run(server.address());
  ::unsetenv("http_proxy");
  REQUIRE(done);
}

TEST_CASE_FIXTURE(fixture, "https trusts the authorities of the given environment, and nobody else") {
  const transport::test::authority ca(folder.path() / "ca", "CA");
  transport::test::certificate_wish wish;
  wish.alt_names = "IP:127.0.0.1";
  const auto files = ca.issue("server", wish);
  const transport::test::raw_listener listener([&](int fd) {
    auto tls = transport::test::raw_tls::accept(::dup(fd), files);
    if (!tls.shaken()) return;
    tls.read_until("\r\n\r\n");
    tls.write(answer("in secret"));
    tls.shut();
  });
  const auto address = "https://127.0.0.1:" + std::to_string(listener.port()) + "/file";
  const auto distrusted = run(address);
  REQUIRE_FALSE(distrusted);
  CHECK(distrusted.error().is(content_errc::untrusted));
  request.variables = {{"SSL_CERT_FILE", ca.ca_file()}};
  const auto done = run(address);
  if (!done) MESSAGE(done.error().message);
  REQUIRE(done);
  CHECK(content() == "in secret");
}

TEST_CASE_FIXTURE(fixture, "files of the host: only below what is allowed, links followed") {
  const auto allowed = folder.path() / "allowed";
  const auto secret = folder.path() / "secret";
  fs::create_directories(allowed / "sub");
  transport::test::write_file(allowed / "sub" / "a b", "data");
  transport::test::write_file(secret, "secret");
  fs::create_symlink(secret, allowed / "leak");
  fs::create_symlink(allowed, folder.path() / "alias");
  request.allowed = {folder.path() / "alias"};
  REQUIRE(run("file://" + (allowed / "sub/a%20b").native()));
  CHECK(content() == "data");
  REQUIRE(run((folder.path() / "alias/sub/a b").native()));
  fs::remove(request.to);
  for (const auto& bad : {secret.native(), (allowed / "leak").native(), (allowed / "../secret").native(),
                          allowed.native() + "x", (folder.path() / "missing").native()}) {
    CAPTURE(bad);
    const auto done = run("file://" + bad);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(content_errc::forbidden_path));
  }
  const auto missing = run("file://" + (allowed / "missing").native());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().is(content_errc::not_found));
  request.allowed.clear();
  CHECK_FALSE(run("file://" + (allowed / "sub/a%20b").native()));
  CHECK_FALSE(fs::exists(request.to));
}

TEST_CASE("addresses: what is read, and what is shown of it") {
  const auto shown_of = [](std::string_view text) { return read_url(text).value().shown; };
  CHECK(shown_of("http://u:p@host:8080/a/b.tgz?sig=1#x") == "http://host:8080/a/b.tgz?...");
  CHECK(shown_of("/srv/a.zip") == "/srv/a.zip");
  CHECK(read_url("file:///srv/a%20b")->path == "/srv/a b");
  for (const auto* bad :
       {"ftp://host/a", "http://", "gopher://x", "", "http://ho\nst/", "file://other/etc/passwd"}) {
    CAPTURE(bad);
    const auto done = read_url(bad);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(content_errc::bad_url));
  }
  const auto secret = read_url("http://alice:sesame@[/x");
  REQUIRE_FALSE(secret);
  CHECK(secret.error().message.find("sesame") == std::string::npos);
}

TEST_CASE("proxies as curl takes them") {
  const environment all{{"http_proxy", "a"}, {"HTTPS_PROXY", "b"}, {"all_proxy", "c"}, {"NO_PROXY", "d"}};
  CHECK(proxy_for("http", all).proxy == "a");
  CHECK(proxy_for("https", all).proxy == "b");
  CHECK(proxy_for("https", all).not_for == "d");
  CHECK(proxy_for("http", {{"HTTP_PROXY", "x"}}).proxy.empty());
  CHECK(proxy_for("http", {{"http_proxy", ""}, {"all_proxy", "c"}}).proxy == "c");
}

} // namespace download_test
