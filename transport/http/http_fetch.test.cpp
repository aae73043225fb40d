#include "base/testing/wording.hpp"
#include "transport/http/testing/http_fixture.hpp"

namespace http_fetch_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;
using namespace swarm::transport::test;
using swarm::testing::says;

TEST_CASE("64 MB stream through little memory") {
  http_fixture f;
  constexpr std::size_t size = 64 * 1024 * 1024;
  auto file = f.folder.path() / "model";
  {
    std::ofstream out(file, std::ios::binary);
    std::string block(1024 * 1024, '\0');
    for (std::size_t b = 0; b < size / block.size(); ++b) {
      for (std::size_t i = 0; i < block.size(); ++i)
        block[i] = static_cast<char>((b * 131 + i) * 2654435761u >> 11);
      out.write(block.data(), static_cast<std::streamsize>(block.size()));
    }
  }
  f.serve([&](const http_request& request, const http_reply& reply) {
    reply(range_response(request, size, [&](byte_range part) -> decltype(http_response::slice) {
      return file_slice{file, part.offset, part.length};
    }));
  });
  std::ifstream in(file, std::ios::binary);
  std::uint64_t total = 0, wrong = 0;
  std::size_t largest = 0;
  auto before = mallinfo2();
  std::size_t most_allocated = 0;
  std::string expected;
  auto take = [&](bytes_view piece) -> result<> {
    largest = std::max(largest, piece.size());
    expected.resize(piece.size());
    in.read(expected.data(), static_cast<std::streamsize>(piece.size()));
    if (as_text(piece) != expected) ++wrong;
    total += piece.size();
    auto now = mallinfo2();
    most_allocated = std::max(most_allocated, now.uordblks + now.hblkhd);
    return {};
  };
  std::optional<byte_range> range;
  std::uint64_t want = size;
  SUBCASE("whole") {}
  SUBCASE("range") {
    range = byte_range{1'234'567, 50'000'000};
    in.seekg(1'234'567);
    want = range->length;
  }
  waiting_for<result<fetch_result>> done;
  f.client->fetch("127.0.0.1", f.server->port(), "/model", range, take,
                  [&](auto how) { done.set(std::move(how)); });
  auto how = done.get();
  REQUIRE(how);
  CHECK(how->status == (range ? 206u : 200u));
  CHECK(how->bytes_received == want);
  CHECK(how->peer.cert_subject == "OU=Swarm-Learning, CN=sn-1");
  CHECK(total == want);
  CHECK(wrong == 0);
  CHECK(largest <= http_client_options{}.chunk_bytes_max);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  auto base = before.uordblks + before.hblkhd;
  CHECK(most_allocated < base + 4 * 1024 * 1024);
#else
  (void)before;
#endif
}

TEST_CASE("a fetch gets exactly what it asked for or fails") {
  http_fixture f;
  std::string head, got;
  auto server = f.scripted([&](raw_tls& tls) {
    tls.read_until("\r\n\r\n");
    tls.write(head);
  });
  auto fetch = [&](std::string answer, std::optional<byte_range> range) {
    head = std::move(answer);
    got.clear();
    return f.fetch(server->port(), "/m", range, got);
  };
  byte_range five{10, 5};
  auto part = [](std::string_view range, std::string_view rest) {
    return fmt::format("HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: {}\r\n{}", range,
                       rest);
  };
  CHECK(fetch(part("bytes 10-14/100", "Content-Length: 5\r\n\r\nabcde"), five));
  CHECK(got == "abcde");
  CHECK(fetch(part("bytes 10-14/15", "Content-Length: 5\r\n\r\nabcde"), byte_range{10, 0}));

  auto fails = [&](std::string answer, std::optional<byte_range> range, net_errc code,
                   std::string_view words) {
    auto how = fetch(std::move(answer), range);
    REQUIRE_FALSE(how);
    CAPTURE(how.error().message);
    CHECK(how.error().is(code));
    CHECK(says(how.error(), words));
  };
  fails(part("bytes 11-15/100", "Content-Length: 5\r\n\r\nabcde"), five, net_errc::response,
        "asked for 5 bytes");
  CHECK(got.empty());
  fails(part("bytes 10-13/100", "Content-Length: 4\r\n\r\nabcd"), five, net_errc::response,
        "asked for 5 bytes");
  fails(part("nonsense", "Content-Length: 5\r\n\r\nabcde"), five, net_errc::response, "asked for 5 bytes");
  fails(part("bytes 10-14/100", "Content-Length: 6\r\n\r\nabcdef"), five, net_errc::response,
        "asked for 5 bytes");
  fails(part("bytes 10-14/100", "Content-Length: 5\r\n\r\nabc"), five, net_errc::response, "3 of 5 bytes");
  fails(part("bytes 10-14/100", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), five,
        net_errc::response, "3 of 5 bytes");
  fails(part("bytes 10-14/100", "Transfer-Encoding: chunked\r\n\r\n9\r\nabcdefghi\r\n0\r\n\r\n"), five,
        net_errc::response, "more than the 5 bytes");
  fails("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde", five, net_errc::response,
        "does not serve parts");
  fails("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 9\r\n\r\nno such m", std::nullopt,
        net_errc::http_status, "status 404: no such m");
  CHECK(got.empty());
  fails("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc", std::nullopt,
        net_errc::response, "3 of 10 bytes");
  fails("HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
            + std::string(100'000, 'x'),
        std::nullopt, net_errc::http_status, "status 500");
}

TEST_CASE("the receiver of a fetch can end it") {
  http_fixture f;
  auto body = shared_slice::of(std::string(10'000'000, 'x'));
  f.serve([&](const http_request&, const http_reply& reply) { reply({.slice = body}); });
  waiting_for<result<fetch_result>> done;
  f.client->fetch(
      "127.0.0.1", f.server->port(), "/", std::nullopt,
      [](bytes_view) -> result<> { return fail(errc::corrupt, "digest differs"); },
      [&](auto how) { done.set(std::move(how)); });
  auto how = done.get();
  REQUIRE_FALSE(how);
  CHECK(how.error().is(errc::corrupt));
  CHECK(f.ask().has_value());
}

} // namespace http_fetch_test
