#include "transport/proxy/connect.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <array>

namespace connect_test {

using namespace swarm;
using namespace swarm::transport;
using swarm::testing::says;

namespace {

const proxy plain{{"proxy.h1", 3128}, {}, {}};
const proxy with_login{{"proxy.h1", 3128}, "Aladdin", "open sesame"};
constexpr std::string_view to = "p2p.sn-1.h2:443";

connect_answer complete(std::string_view text) {
  const auto got = read_connect_answer(text);
  REQUIRE(got);
  REQUIRE(*got);
  return **got;
}

} // namespace

TEST_CASE("the request names the server twice, and the login only when there is one") {
  CHECK(connect_request(plain, std::string(to))
        == "CONNECT p2p.sn-1.h2:443 HTTP/1.1\r\nHost: p2p.sn-1.h2:443\r\nUser-Agent: swarmd\r\n\r\n");
  // RFC 7617, section 2
  CHECK(connect_request(with_login, std::string(to))
            .find("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")
        != std::string::npos);
  for (const auto& [password, digits] : std::array<std::pair<std::string, std::string_view>, 3>{
           {{"", "Basic YTo=\r"}, {"b", "Basic YTpi\r"}, {"\xff\xff", "Basic YTr//w==\r"}}})
    CHECK(connect_request({{"p", 1}, "a", password}, "h:1").find(digits) != std::string::npos);
}

TEST_CASE("answers are read as far as they are there") {
  const std::string text = "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n";
  for (std::size_t count = 0; count < text.size(); ++count) {
    const auto got = read_connect_answer(std::string_view(text).substr(0, count));
    REQUIRE(got);
    CHECK_FALSE(*got);
  }
  CHECK(complete(text).status == 200);
  CHECK(complete(text).reason == "Connection established");
  CHECK(complete("HTTP/1.1 200\r\n\r\n").reason.empty());
  CHECK(complete("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").status == 200);
  CHECK(complete("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n<html>").status == 403);
  const auto login = complete("HTTP/1.1 407 No\r\nproxy-authenticate: NTLM\r\n"
                              "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n");
  CHECK(login.schemes == std::vector<std::string>{"NTLM", "Basic"});
  CHECK(complete("HTTP/1.1 500 \x1b[31mred" + std::string(200, 'x') + "\r\n\r\n").reason.size() == 80);
  CHECK(complete("HTTP/1.1 500 \x1b[31mred\r\n\r\n").reason == "?[31mred");
}

TEST_CASE("what is no answer is refused as soon as it is seen") {
  for (const std::string_view text :
       {"SSH-2.0-OpenSSH", "HTTP/2", "\x15\x03\x01", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 100 C\r\n\r\nxyz",
        "HTTP/1.1 200 OK\r\n\r\nno TLS of the server's"}) {
    CAPTURE(text);
    const auto got = read_connect_answer(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().is(proxy_errc::malformed));
  }
  std::string endless = "HTTP/1.1 200 OK\r\n";
  while (endless.size() < connect_answer_bytes_max) {
    REQUIRE(read_connect_answer(endless));
    endless += "X: " + std::string(1000, 'y') + "\r\n";
  }
  CHECK_FALSE(read_connect_answer(endless));
  std::string interim;
  while (interim.size() < connect_answer_bytes_max)
    interim += "HTTP/1.1 102 Processing\r\n\r\n";
  CHECK_FALSE(read_connect_answer(interim));
}

TEST_CASE("each answer has a sentence that names the proxy and the remedy, and never the password") {
  struct row {
    std::string_view answer;
    bool login;
    std::string_view says;
  };
  constexpr std::array rows{
      row{"407 X\r\nProxy-Authenticate: Basic realm=x", false, "http://USER:PASSWORD@HOST:PORT"},
      row{"407 X\r\nProxy-Authenticate: Basic realm=x", true, "refuses the user 'Aladdin' or its password"},
      row{"407 X", true, "refuses the user"},
      row{"407 X\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM", true,
          "a login by Negotiate, NTLM"},
      row{"403 Forbidden", true, "have it allow CONNECT to this host and port"},
      row{"405 No", false, "does no CONNECT"},
      row{"501 No", false, "does no CONNECT"},
      row{"302 Found", false, "refuses this way (status 302 Found)"},
      row{"429 Slow down", false, "refuses this way (status 429 Slow down)"},
  };
  for (const auto& [answer, login, text] : rows) {
    CAPTURE(answer);
    const auto& by = login ? with_login : plain;
    const auto read = complete("HTTP/1.1 " + std::string(answer) + "\r\n\r\n");
    const auto judged = judge_connect_answer(read, by, to);
    REQUIRE_FALSE(judged);
    CHECK(judged.error().is(read.status == 407 ? proxy_errc::login : proxy_errc::refused));
    CHECK(says(judged.error(), text));
    CHECK(says(judged.error(), "p2p.sn-1.h2:443: the proxy http://proxy.h1:3128"));
    CHECK(judged.error().message.find("sesame") == std::string::npos);
  }
  CHECK(judge_connect_answer(complete("HTTP/1.1 204 Fine\r\n\r\n"), plain, to));
}

TEST_CASE("that the proxy does not reach the server is said as of a server that is not reached") {
  for (const auto* status : {"500 Unable to connect", "502 Bad Gateway", "503 Service Unavailable"}) {
    const auto judged = judge_connect_answer(complete(fmt::format("HTTP/1.1 {}\r\n\r\n", status)), plain, to);
    REQUIRE_FALSE(judged);
    CHECK(judged.error().is(net_errc::connect));
    CHECK_FALSE(is_proxy_failure(judged.error()));
    CHECK(says(judged.error(), "the proxy http://proxy.h1:3128 does not reach it"));
  }
  const auto late = judge_connect_answer(complete("HTTP/1.1 504 T\r\n\r\n"), plain, to);
  REQUIRE_FALSE(late);
  CHECK(late.error().is(net_errc::timeout));
}

} // namespace connect_test
