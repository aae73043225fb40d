#include "actors/sl/files/merge_progress.hpp"

#include "actors/sl/files/model_server.hpp"
#include "actors/sl/files/testing/holders.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace merge_progress_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::testing;
using namespace swarm::transport;
using swarm::testing::wording;

namespace {

constexpr auto any = std::numeric_limits<std::uint64_t>::max();

wording refusal(std::string_view text) {
  const auto read = decode_merge_progress(text);
  return read ? "accepted" : read.error().message;
}

result<merge_progress> ask(file_swarm& swarm, std::uint16_t port) {
  test::waiting_for<result<merge_progress>> done;
  ask_merge_progress(*swarm.fetcher().client, "127.0.0.1", port, {},
                     [&](auto told) { done.set(std::move(told)); });
  return done.get();
}

} // namespace

TEST_CASE("what is written is read back") {
  for (const auto& progress : {merge_progress{}, merge_progress{1, 2, 3},
                               merge_progress{any, std::numeric_limits<std::uint32_t>::max(), any}}) {
    const auto text = encode(progress);
    CHECK(text.size() <= merge_progress_bytes_max);
    const auto back = decode_merge_progress(text);
    REQUIRE(back);
    CHECK(*back == progress);
  }
  CHECK(encode({7, 1, 42}) == R"({"round_num":7,"term":1,"progress":42})");
}

TEST_CASE("members that are not known are passed over, in any order") {
  const auto read = decode_merge_progress(R"( {"more":[{"x":null}],"progress":3,"term":2,"round_num":1} )");
  REQUIRE(read);
  CHECK(*read == merge_progress{1, 2, 3});
}

TEST_CASE("whatever a lying leader answers is refused") {
  for (const std::string text :
       {"", " ", "7 1 42", "null", "[]", "[7,1,42]", "7", "\"x\"", "{", "{}}", "\xff\xfe",
        R"({"round_num":7)", "{\"round_num\":7,\"term\":1,\"progress\":42}garbage"})
    CHECK_MESSAGE(refusal(text) == "its progress is not a JSON object", text);
  CHECK(refusal(std::string(200, '[')) == "its progress is not a JSON object");
  CHECK(refusal(R"({"a":[[[[[[1]]]]]],"round_num":7,"term":1,"progress":42})")
        == "its progress is not a JSON object");
  CHECK(refusal(std::string("{\0}", 3)) == "its progress is not a JSON object");
  CHECK(refusal("{}") == "its progress lacks round_num");
  CHECK(refusal(R"({"round_num":1,"term":2})") == "its progress lacks progress");
  for (const std::string wrong : {"-1", "1.5", "1e3", "\"1\"", "null", "true", "[1]", "{}",
                                  "18446744073709551616", "1e999", "-9223372036854775808"})
    CHECK_MESSAGE(refusal(R"({"round_num":)" + wrong + R"(,"term":1,"progress":1})")
                      == "round_num of its progress is not a whole number",
                  wrong);
  CHECK(refusal(R"({"round_num":1,"term":4294967296,"progress":1})")
        == "term of its progress is above 4294967295");
}

TEST_CASE("too much text is refused unread") {
  const std::string padding(merge_progress_bytes_max, ' ');
  const auto read = decode_merge_progress(encode({1, 2, 3}) + padding);
  REQUIRE_FALSE(read);
  CHECK(read.error().is(errc::limit));
}

TEST_CASE("every cut and every changed byte of an answer is read or refused, never worse") {
  const auto text = encode({123456789, 12, 987654321});
  for (std::size_t i = 0; i < text.size(); ++i) {
    CHECK_FALSE(decode_merge_progress(std::string_view(text).substr(0, i)));
    for (int value = 0; value < 256; ++value) {
      auto changed = text;
      changed[i] = static_cast<char>(value);
      if (const auto read = decode_merge_progress(changed); !read) CHECK_FALSE(read.error().message.empty());
    }
  }
}

TEST_CASE("a leader is asked over the wire") {
  file_swarm swarm;
  sl_context leader;
  leader.board = std::make_shared<merge_progress_board>();
  leader.board->round_num = 9;
  leader.board->term = 1;
  leader.board->progress = 77;
  const auto& honest = swarm.add([&](const http_request& request, const http_reply& reply) {
    const auto what = model_request_of(request);
    REQUIRE(what);
    reply(serve_model(*swarm.fetcher().store, *leader.board, *leader.shards, *what, request));
  });
  const auto told = ask(swarm, honest.port());
  REQUIRE_MESSAGE(told, (told ? "" : told.error().message));
  CHECK(*told == merge_progress{9, 1, 77});
  CHECK(honest.asked() == std::vector<std::string>{"/merge "});
}

TEST_CASE("of a leader's flood no more than the limit is kept, and failures come back as such") {
  file_swarm swarm;
  const auto& flood = swarm.add([](const http_request&, const http_reply& reply) {
    reply(text_response(200, std::string(8 << 20, '{')));
  });
  const auto flooded = ask(swarm, flood.port());
  REQUIRE_FALSE(flooded);
  CHECK(flooded.error().is(errc::limit));
  const auto& absent =
      swarm.add([](const http_request&, const http_reply& reply) { reply(text_response(404, "no\n")); });
  CHECK_FALSE(ask(swarm, absent.port()));
  const auto& silent =
      swarm.add([](const http_request&, const http_reply& reply) { reply(text_response(200, "")); });
  const auto nothing = ask(swarm, silent.port());
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().is(errc::invalid));
}

TEST_CASE("the file server answers what it knows and refuses the rest") {
  file_swarm swarm;
  const auto model = swarm.make_model(2);
  auto answer = [&](std::string target, std::string method = "GET", const std::string& range = "") {
    http_request request{.method = std::move(method), .target = std::move(target)};
    if (!range.empty()) request.headers.emplace_back("Range", range);
    return swarm.honest_answer(request);
  };
  const auto target = model_target(model->digest());
  CHECK(answer(target).status == 200);
  CHECK(std::get<shared_slice>(answer(target).slice).data.size() == model->size());
  const auto part = answer(target, "GET", "bytes=100-199");
  CHECK(part.status == 206);
  CHECK(std::get<shared_slice>(part.slice).data.size() == 100);
  CHECK(answer(target, "GET", fmt::format("bytes={}-", model->size())).status == 416);
  CHECK(as_bytes(answer(target + "/manifest").body).size() == model->manifest().encode().size());
  CHECK(answer("/merge").body == R"({"round_num":0,"term":0,"progress":0})");
  CHECK(answer(target, "POST").status == 405);
  const auto cut = target.substr(0, target.size() - 1);
  for (const std::string& other :
       {std::string("/"), std::string(), std::string("/models"), std::string("/models/"),
        std::string("/models/x"), std::string("/models/manifest"), std::string("/merge/"),
        std::string("/models/../models"), cut})
    CHECK_MESSAGE(answer(other).status == 404, other);
  CHECK(answer("/models/" + std::string(64, '0')).status == 404);
}

} // namespace merge_progress_test
