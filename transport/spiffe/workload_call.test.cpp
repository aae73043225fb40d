#include "transport/spiffe/workload_call.hpp"

#include "base/testing/wording.hpp"
#include "transport/errors.hpp"
#include "transport/spiffe/x509_svids.hpp"

#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <map>

namespace workload_call_test {

using namespace swarm;
using namespace swarm::transport;
using swarm::testing::says;

namespace {

nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto raw = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {raw(name), raw(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

bytes framed(bytes_view body, std::uint8_t compressed = 0) {
  bytes out{compressed};
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(body.size() >> shift));
  append(out, body);
  return out;
}

/// An agent without a socket.
struct agent {
  nghttp2_session* session = nullptr;
  std::map<std::string, std::string> asked;
  bytes request;
  std::int32_t stream = 0;
  bytes to_send;
  std::string status;
  std::string text;
  bool ends = false;

  agent() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
           const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          auto& self = *static_cast<agent*>(user);
          self.stream = frame->hd.stream_id;
          self.asked[std::string(as_text({name, name_size}))] = as_text({value, value_size});
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data,
                      std::size_t size, void* user) {
          append(static_cast<agent*>(user)->request, {data, size});
          return 0;
        });
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~agent() { nghttp2_session_del(session); }
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;

  static ssize_t give(nghttp2_session* session, std::int32_t stream, std::uint8_t* to, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source*, void* user) {
    auto& self = *static_cast<agent*>(user);
    const auto count = std::min(room, self.to_send.size());
    std::copy_n(self.to_send.begin(), count, to);
    self.to_send.erase(self.to_send.begin(), self.to_send.begin() + static_cast<std::ptrdiff_t>(count));
    if (self.to_send.empty() && !self.ends && count == 0) return NGHTTP2_ERR_DEFERRED;
    if (self.to_send.empty() && self.ends) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv trailers[] = {header("grpc-status", self.status), header("grpc-message", self.text)};
      nghttp2_submit_trailer(session, stream, trailers, 2);
    }
    return static_cast<ssize_t>(count);
  }
  void answer() {
    const nghttp2_nv headers[] = {header(":status", "200"), header("content-type", "application/grpc")};
    const nghttp2_data_provider body{{0}, give};
    nghttp2_submit_response(session, stream, headers, 2, &body);
  }
  void say(bytes_view raw) {
    append(to_send, raw);
    nghttp2_session_resume_data(session, stream);
  }
  void end(std::string code, std::string why) {
    status = std::move(code);
    text = std::move(why);
    ends = true;
    nghttp2_session_resume_data(session, stream);
  }
};

/// Carries bytes in pieces of `piece` until there are none; what the call said to them.
result<> carry(workload_call& call, agent& with, std::size_t piece = 7) {
  for (;;) {
    const auto asked = call.take_output();
    if (!asked.empty()) REQUIRE(nghttp2_session_mem_recv(with.session, asked.data(), asked.size()) > 0);
    bytes said;
    const std::uint8_t* from = nullptr;
    for (ssize_t size; (size = nghttp2_session_mem_send(with.session, &from)) > 0;)
      append(said, {from, static_cast<std::size_t>(size)});
    if (asked.empty() && said.empty()) return {};
    for (bytes_view rest = said; !rest.empty();) {
      const auto count = std::min(piece, rest.size());
      SWARM_CHECK(call.feed(rest.first(count)));
      rest = rest.subspan(count);
    }
  }
}

bytes text_bytes(std::string_view text) {
  return to_bytes(as_bytes(text));
}

} // namespace

TEST_CASE("the call is asked as a SPIFFE agent wants it, and gives messages as they come") {
  workload_call call;
  agent with;
  REQUIRE(carry(call, with));
  CHECK(with.asked.at(":path") == "/SpiffeWorkloadAPI/FetchX509SVID");
  CHECK(with.asked.at(":method") == "POST");
  CHECK(with.asked.at("content-type") == "application/grpc");
  CHECK(with.asked.at("te") == "trailers");
  CHECK(with.asked.at("workload.spiffe.io") == "true");
  CHECK(with.request == bytes(5));
  CHECK(!call.take_message());
  with.answer();
  with.say(framed(text_bytes("first")));
  REQUIRE(carry(call, with));
  CHECK(call.take_message() == text_bytes("first"));
  CHECK(!call.take_message());
  CHECK(!call.ended());
  auto both = framed(text_bytes("second"));
  append(both, framed(text_bytes("third"))); // the newest is the whole truth
  with.say(both);
  REQUIRE(carry(call, with));
  CHECK(call.take_message() == text_bytes("third"));
  const bytes large(200'000, 'x'); // more than a window
  with.say(framed(large));
  REQUIRE(carry(call, with, 5000));
  CHECK(call.take_message() == large);
}

TEST_CASE("how an agent ends a call is told, without what does not belong into a log") {
  for (const auto& [code, text, wanted, says_so] :
       {std::tuple{"7", "no identity issued", tls_errc::no_identity, "PermissionDenied: no identity issued"},
        {"14", "shutting%20down%0a%1b[1m%zz", tls_errc::no_agent, "Unavailable: shutting down[1m%zz"},
        {"3", "", tls_errc::no_agent, "InvalidArgument"},
        {"seven", "", tls_errc::no_agent, "without a status"}}) {
    workload_call call;
    agent with;
    REQUIRE(carry(call, with));
    with.answer();
    with.end(code, text);
    REQUIRE(carry(call, with));
    REQUIRE(call.ended());
    CHECK(call.ended()->is(wanted));
    CHECK(says(call.ended()->message, says_so));
  }
}

TEST_CASE("what is no gRPC, or too long, is refused") {
  {
    workload_call call;
    call.take_output();
    REQUIRE(call.feed(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n")));
    call.take_output();
    REQUIRE(call.ended());
    CHECK(says(call.ended()->message, "speaks no HTTP/2"));
  }
  const auto trouble = [](bytes_view raw) {
    workload_call call;
    agent with;
    REQUIRE(carry(call, with));
    with.answer();
    with.say(raw);
    const auto carried = carry(call, with);
    return carried ? std::string("accepted") : carried.error().message;
  };
  CHECK(says(trouble(framed({}, 1)), "a compressed message"));
  CHECK(says(trouble(bytes{0, 0x7f, 0xff, 0xff, 0xff}), "more than 4194304"));
}

} // namespace workload_call_test
