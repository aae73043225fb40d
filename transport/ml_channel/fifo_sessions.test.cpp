#include "base/testing/wording.hpp"
#include "transport/ml_channel/testing/fifo_program.hpp"

namespace fifo_sessions_test {

using namespace swarm;
using namespace swarm::ml;
using swarm::merge::testing::temp_directory;
using swarm::merge::testing::write_file;
using namespace swarm::ml::testing;
using swarm::testing::says;

TEST_CASE("the channel waits for rearm, and rearm in a session does nothing") {
  fixture f;
  f.start();
  {
    program ml(f.options);
    f.wait_opened(1);
    f.channel->rearm();
  }
  f.wait_closed();
  f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  std::thread next([&] {
    program ml(f.options); // waits in open until the channel does its part
    ml.send(msg_type::status, encode(status{}));
  });
  CHECK(f.opened() == 1);
  f.channel->rearm();
  f.wait_message();
  next.join();
  CHECK(f.opened() == 2);
  f.wait_closed(2);
}

TEST_CASE("a program does not read what the one before it left unread") {
  fixture f;
  f.start();
  program first(f.options);
  f.wait_opened(1);
  REQUIRE(f.channel->send(some_response()));
  f.wait_status([](const auto& s) { return s.messages_out == 1; });
  // The next program is early: it has opened the response FIFO already, which keeps the pipe's content alive.
  const int early = ::open(f.options.response_path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(early >= 0);
  first.close();
  f.wait_closed();
  f.channel->rearm();
  program second(f.options);
  ::close(early);
  f.wait_opened(2);
  REQUIRE(f.channel->send(make_outgoing(status{status_code::ok, "for the second"})));
  CHECK(second.receive().first.type == msg_type::status);
}

TEST_CASE("a broken frame is answered by a Status, and what follows it is thrown away") {
  const auto with = [](std::size_t at, std::uint8_t value) {
    auto out = encode_header({msg_type::sync_request, 1000});
    out[at] = value;
    return out;
  };
  struct row {
    std::array<std::uint8_t, header_size> head;
    std::string expected;
  };
  for (const auto& [head, expected] :
       {row{with(3, 1), "speaks version 1"}, row{with(13, 77), "unknown type 77"},
        row{encode_header({msg_type::sync_request, 0}), "SyncRequest without a body"},
        row{encode_header({msg_type::sync_request, 5001}), "a SyncRequest of 5001 bytes; at most 5000"},
        row{with(0, 'G'), "no frame header"}}) {
    fixture f;
    f.options.body_max = 5000;
    f.start();
    program ml(f.options);
    ml.write(head);
    ml.write(bytes(8'000'000)); // more than any pipe holds: somebody reads it
    const auto [answer, body] = ml.receive();
    CHECK(answer.type == msg_type::status);
    const auto told = decode_status(body);
    REQUIRE(told);
    CHECK(told->code == status_code::error_in_sl);
    CHECK(says(told->msg, expected));
    CHECK(f.wait_closed() == told->msg);
    CHECK(f.channel->status().state == fifo_state::refused);
    CHECK(f.channel->status().current == "waiting for the refused program to end");
    CHECK(f.channel->send(some_response()).error().is(errc::unavailable));
    f.channel->rearm(); // takes effect once this program has gone
    ml.write(head);
    CHECK(f.opened() == 1);
    ml.close();
    f.wait_status([](const auto& s) { return s.state == fifo_state::waiting; });
    program next(f.options);
    f.wait_opened(2);
    next.send(msg_type::status, encode(status{}));
    f.wait_message();
    CHECK(f.closed() == 1);
  }
}

TEST_CASE("a program can be refused from a handler, after what was sent to it before") {
  fixture f;
  f.on_message = [](fifo_channel& channel, header) {
    REQUIRE(channel.send(some_response()));
    channel.refuse("no more");
    channel.refuse("not told twice");
  };
  f.start();
  program ml(f.options);
  ml.send(msg_type::status, encode(status{}));
  CHECK(ml.receive().first.type == msg_type::open_session_response);
  const auto [head, body] = ml.receive();
  CHECK(head.type == msg_type::status);
  CHECK(decode_status(body).value() == status{status_code::error_in_sl, "no more"});
  CHECK(f.wait_closed() == "no more");
  ml.close();
  f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  CHECK(f.closed() == 1);
  f.channel->refuse("nobody is there");
  CHECK(f.channel->status().state == fifo_state::closed);
}

TEST_CASE("a program that comes before the end of a refused one was seen has a session of its own") {
  fixture f;
  f.start();
  const auto body =
      encode(session_request{128, 2, 0, false, "snapshot", 1, "defaultbb.cqdb.sml.hpe", "mean"});
  program first(f.options);
  f.wait_opened(1);
  bytes last_words;
  SUBCASE("refused by the owner") {
    f.channel->refuse("not you");
  }
  SUBCASE("refused in the middle of a message") {
    const auto head = encode_header({msg_type::sync_request, 1'000'000});
    first.write(head);
    f.wait_status([](const auto& s) { return s.bytes_in == header_size; });
    f.channel->refuse("not you");
    last_words = pattern(300'000);
  }
  SUBCASE("refused for garbage") {
    first.write(bytes(header_size, 0x0a));
    last_words = bytes(100'001, 0x0a);
  }
  f.wait_closed();
  CHECK(first.receive().first.type == msg_type::status);
  program next(f.options); // at once: this side has both pipes open
  first.write(last_words);
  first.close();
  next.send(msg_type::open_session_request, body);
  next.send(msg_type::status, encode(status{}));
  if (last_words.empty()) { // the owner takes its time
    const auto seen = f.channel->status().bytes_in;
    f.wait_status([&](const auto& s) { return s.bytes_in >= seen && s.bytes_in >= header_size; });
    CHECK(f.opened() == 1);
  }
  f.channel->rearm();
  f.wait_opened(2);
  const auto [head, received] = f.wait_message(1);
  CHECK(head.type == msg_type::open_session_request);
  CHECK(received == body);
  CHECK(f.wait_message(2).first.type == msg_type::status);
  REQUIRE(f.channel->send(some_response()));
  CHECK(next.receive().first.type == msg_type::open_session_response);
  CHECK(f.closed() == 1);
  next.close();
  CHECK(f.wait_closed(2) == "the program closed the channel");
}

TEST_CASE("a newcomer waits until the refused program was told why") {
  fixture f;
  f.start();
  program first(f.options);
  f.wait_opened(1);
  f.channel->refuse("not you");
  f.wait_status([](const auto& s) { return s.messages_out == 1; });
  f.channel->rearm();
  program next(f.options);
  next.send(msg_type::open_session_request, encode(session_request{}));
  f.wait_status([](const auto& s) { return s.bytes_in >= header_size; });
  SUBCASE("it is told") {
    CHECK(f.opened() == 1);
    CHECK(decode_status(first.receive().second)->msg == "not you");
    f.wait_opened(2);
    CHECK(f.wait_message().first.type == msg_type::open_session_request);
    first.close();
    next.close();
    f.wait_closed(2);
    f.channel->rearm();
  }
  SUBCASE("both end before") {
    first.close();
    next.close();
  }
  f.wait_status([](const auto& s) { return s.state == fifo_state::waiting; });
  const auto opened = f.opened();
  const auto messages = f.channel->status().messages_in;
  program third(f.options);
  f.wait_opened(opened + 1);
  third.send(msg_type::status, encode(status{}));
  f.wait_status([&](const auto& s) { return s.messages_in == messages + 1; });
}

TEST_CASE("a newcomer is found wherever the stream is cut, and only there") {
  const auto opening = encode_header({msg_type::open_session_request, 77});
  const auto too_large = encode_header({msg_type::open_session_request, 0x7fffffff});
  bytes stream = pattern(50);
  stream.insert(stream.end(), too_large.begin(), too_large.end());
  stream.insert(stream.end(), opening.begin(), opening.begin() + 21);
  stream.insert(stream.end(), opening.begin(), opening.end());
  const auto end = stream.size();
  stream.insert(stream.end(), {1, 2, 3});
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    newcomer_scan scan;
    std::size_t finds = 0;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      const auto piece = bytes_view(stream).subspan(at, std::min(size, stream.size() - at));
      const auto found = scan.feed(piece);
      if (!found) continue;
      ++finds;
      CHECK(found->head.size == 77);
      CHECK(at + piece.size() - found->rest.size() == end);
    }
    CHECK(finds == 1);
  }
}

} // namespace fifo_sessions_test
