#include "transport/http/http.hpp"

#include "transport/detail/log_limiter.hpp"
#include "transport/http/detail/http_wire.hpp"

#include <doctest/doctest.h>

namespace http_test {

using namespace swarm;
using namespace swarm::transport;

TEST_CASE("headers are found without regard to case") {
  http_headers headers{{"Content-Type", "a"}, {"content-type", "b"}};
  CHECK(find_header(headers, "CONTENT-TYPE") == "a");
  CHECK(find_header(headers, "Content-Typ").empty());
}

TEST_CASE("ranges") {
  auto is = [](std::string_view header, std::uint64_t size, std::uint64_t offset, std::uint64_t length) {
    auto range = parse_range(header, size);
    return range && *range && (*range)->offset == offset && (*range)->length == length;
  };
  CHECK(is("bytes=0-0", 10, 0, 1));
  CHECK(is("bytes=2-5", 10, 2, 4));
  CHECK(is("bytes=2-", 10, 2, 8));
  CHECK(is("bytes=2-99", 10, 2, 8));
  CHECK(is("bytes=-3", 10, 7, 3));
  CHECK(is("bytes=-30", 10, 0, 10));
  CHECK(is("bytes=0-18446744073709551615", 10, 0, 10));
  for (auto* whole : {"", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=1-2,4-5", "items=0-1",
                      "bytes=-", "bytes=1-2x", "bytes=99999999999999999999-", "bytes= 1-2"}) {
    CAPTURE(whole);
    auto range = parse_range(whole, 10);
    REQUIRE(range);
    CHECK_FALSE(range->has_value());
  }
  for (auto* outside : {"bytes=10-", "bytes=11-12", "bytes=-0"})
    CHECK_FALSE(parse_range(outside, 10));
  CHECK_FALSE(parse_range("bytes=0-", 0));
  CHECK_FALSE(parse_range("bytes=-1", 0));
}

TEST_CASE("answers to range requests") {
  std::string data = "0123456789";
  auto slice = [&](byte_range part) {
    return decltype(http_response::slice)(shared_slice::of(data.substr(part.offset, part.length)));
  };
  http_request request;
  auto whole = range_response(request, data.size(), slice);
  CHECK(whole.status == 200);
  CHECK(as_text(std::get<shared_slice>(whole.slice).data) == data);
  request.headers = {{"range", "bytes=3-4"}};
  auto part = range_response(request, data.size(), slice);
  CHECK(part.status == 206);
  CHECK(find_header(part.headers, "Content-Range") == "bytes 3-4/10");
  CHECK(as_text(std::get<shared_slice>(part.slice).data) == "34");
  request.headers = {{"Range", "bytes=10-"}};
  auto outside = range_response(request, data.size(), slice);
  CHECK(outside.status == 416);
  CHECK(find_header(outside.headers, "Content-Range") == "bytes */10");
}

TEST_CASE("URLs") {
  auto full = parse_url("https://sn.example.org:30304/a/b?c");
  REQUIRE(full);
  CHECK(full->host == "sn.example.org");
  CHECK(full->port == 30304);
  CHECK(full->target == "/a/b?c");
  auto v6 = parse_url("wss://[::1]:5");
  REQUIRE(v6);
  CHECK(v6->host == "::1");
  CHECK(v6->port == 5);
  CHECK(v6->target == "/");
  CHECK(parse_url("https://host")->port == 443);
  for (auto* wrong :
       {"", "host:1", "http://host", "https://", "https://:1", "https://host:0", "https://host:65536",
        "https://host:1x", "https://[::1", "https://[::1]x", "https://a@b:1/"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_url(wrong));
  }
  CHECK(host_port("::1", 5) == "[::1]:5");
  CHECK(host_port("a", 5) == "a:5");
}

TEST_CASE("heads cannot be broken out of") {
  http_response response;
  response.headers = {{"X", "1"}, {"Content-Length", "999"}, {"connection", "upgrade"}};
  auto head = response_head(response, 5, true);
  REQUIRE(head);
  CHECK(*head == "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 5\r\n\r\n");
  response.headers = {{"X", "1\r\nSet-Cookie: 2"}};
  CHECK_FALSE(response_head(response, 5, true));
  response.headers = {{"X y", "1"}};
  CHECK_FALSE(response_head(response, 5, true));

  http_request request;
  auto plain = request_head(request, "::1", 7);
  REQUIRE(plain);
  CHECK(*plain == "GET / HTTP/1.1\r\nHost: [::1]:7\r\n\r\n");
  request.target = "/a b";
  CHECK_FALSE(request_head(request, "h", 1));
  request.target = "/a\r\nX: 1";
  CHECK_FALSE(request_head(request, "h", 1));
  request.target = "/";
  request.method = "GE T";
  CHECK_FALSE(request_head(request, "h", 1));
  request.method = "POST";
  CHECK(request_head(request, "h", 1)->find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("log lines are limited per key and in memory") {
  using std::chrono::seconds;
  log_limiter limiter(seconds{10}, 2);
  time_point now{};
  CHECK(limiter.admit("a", now) == 0u);
  CHECK_FALSE(limiter.admit("a", now + seconds{1}));
  CHECK_FALSE(limiter.admit("a", now + seconds{9}));
  CHECK(limiter.admit("b", now + seconds{9}) == 0u);
  CHECK(limiter.admit("c", now + seconds{9}) == 0u); // no room: the common entry
  CHECK_FALSE(limiter.admit("d", now + seconds{9}));
  CHECK(limiter.admit("a", now + seconds{10}) == 2u);
  CHECK(limiter.admit("e", now + seconds{30}) == 0u); // the old ones made room
  CHECK_FALSE(limiter.admit("e", now + seconds{31}));
}

} // namespace http_test
