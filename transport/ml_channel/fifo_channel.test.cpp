#include "transport/ml_channel/fifo_channel.hpp"

#include "merge/testing/models.hpp"
#include "transport/ml_channel/newcomer_scan.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace swarm;
using namespace swarm::ml;
using swarm::merge::testing::temp_directory;
using swarm::merge::testing::write_file;

namespace {

/// Two FIFOs, the channel on them, and everything that it reported. The channel goes first.
class fixture {
  temp_directory directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t opened_ = 0;
  std::vector<std::pair<header, body_buffer>> messages_;
  std::vector<std::string> closed_;

public:
  fifo_options options{.request_path = directory_.file("request.channel"),
                       .response_path = directory_.file("response.channel")};
  std::unique_ptr<fifo_channel> channel;
  std::function<void(fifo_channel&, header)> on_message; ///< called within the handler

  void start() {
    fifo_handlers handlers;
    handlers.on_open = [this] { note([&] { ++opened_; }); };
    handlers.on_message = [this](header head, body_buffer body) {
      if (on_message) on_message(*channel, head);
      note([&] { messages_.emplace_back(head, std::move(body)); });
    };
    handlers.on_closed = [this](const std::string& reason) { note([&] { closed_.push_back(reason); }); };
    auto made = fifo_channel::create(options, std::move(handlers));
    REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
    channel = std::move(*made);
  }
  const std::string& path() const { return directory_.path(); }

  void wait_opened(std::size_t count) {
    wait([&] { return opened_ >= count; });
  }
  std::string wait_closed(std::size_t count = 1) {
    wait([&] { return closed_.size() >= count; });
    const std::lock_guard guard(mutex_);
    return closed_.at(count - 1);
  }
  std::pair<header, bytes> wait_message(std::size_t count = 1) {
    wait([&] { return messages_.size() >= count; });
    const std::lock_guard guard(mutex_);
    const auto& [head, body] = messages_.at(count - 1);
    return {head, to_bytes(body.view())};
  }
  /// Until the channel's status is so.
  void wait_status(const std::function<bool(const channel_status&)>& so) {
    while (!so(channel->status()))
      std::this_thread::yield();
  }
  std::size_t opened() {
    const std::lock_guard guard(mutex_);
    return opened_;
  }
  std::size_t closed() {
    const std::lock_guard guard(mutex_);
    return closed_.size();
  }

private:
  template <class Change>
  void note(const Change& change) {
    const std::lock_guard guard(mutex_);
    change();
    changed_.notify_all();
  }
  template <class So>
  void wait(const So& so) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, so);
  }
};

/// A training program: opens the response for reading first, then the request for writing.
class program {
public:
  explicit program(const fifo_options& options) {
    response_ = ::open(options.response_path.c_str(), O_RDONLY | O_CLOEXEC);
    request_ = ::open(options.request_path.c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(response_ >= 0);
    REQUIRE(request_ >= 0);
  }
  program(const program&) = delete;
  ~program() { close(); }
  void close() {
    close_request();
    close_response();
  }
  void close_request() {
    if (request_ >= 0) ::close(std::exchange(request_, -1));
  }
  void close_response() {
    if (response_ >= 0) ::close(std::exchange(response_, -1));
  }
  void write(bytes_view data) {
    while (!data.empty()) {
      const auto count = ::write(request_, data.data(), data.size());
      REQUIRE(count > 0);
      data = data.subspan(static_cast<std::size_t>(count));
    }
  }
  void send(msg_type type, bytes_view body) {
    write(encode_header({type, static_cast<std::uint32_t>(body.size())}));
    write(body);
  }
  /// Fewer than asked for at the end of the channel.
  bytes read(std::size_t size) {
    bytes out(size);
    std::size_t done = 0;
    while (done < size) {
      const auto count = ::read(response_, out.data() + done, size - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    out.resize(done);
    return out;
  }
  std::size_t unread() const {
    int out = 0;
    REQUIRE(::ioctl(response_, FIONREAD, &out) == 0);
    REQUIRE(out > 0);
    return static_cast<std::size_t>(out);
  }
  std::pair<header, bytes> receive() {
    const auto head = decode_header(read(header_size));
    REQUIRE_MESSAGE(head, (head ? "" : head.error().message));
    return {*head, read(head->size)};
  }

private:
  int request_ = -1;
  int response_ = -1;
};

bytes pattern(std::size_t size, std::uint8_t seed = 1) {
  bytes out(size);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<std::uint8_t>(i * 31 + i / 251 + seed);
  return out;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode;
}

ino_t inode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_ino;
}

std::string create_error(const fifo_options& options) {
  const auto made = fifo_channel::create(options, {});
  return made ? "no error" : made.error().message;
}

outgoing some_response() {
  return make_outgoing(session_response{{status_code::ok, "StatusOK"}, "s-1"});
}

} // namespace

TEST_CASE("FIFOs are made for all users whatever the umask, and left-over ones are reused") {
  fixture f;
  const auto before = ::umask(077);
  f.start();
  ::umask(before);
  for (const auto& path : {f.options.request_path, f.options.response_path})
    CHECK(mode_of(path) == (S_IFIFO | 0777));
  const auto inode = inode_of(f.options.request_path);
  f.channel->stop();
  CHECK(f.channel->status().state == fifo_state::stopped);
  CHECK(::chmod(f.options.request_path.c_str(), 0600) == 0);
  f.start();
  CHECK(inode_of(f.options.request_path) == inode);
  CHECK(mode_of(f.options.request_path) == (S_IFIFO | 0777));
}

TEST_CASE("a path that cannot be a FIFO is named") {
  fixture f;
  auto options = f.options;
  options.response_path = f.path() + "/file";
  write_file(options.response_path, {});
  CHECK(create_error(options).find(options.response_path + " is there, but is no FIFO") != std::string::npos);
  REQUIRE(::unlink(options.response_path.c_str()) == 0);
  REQUIRE(::symlink("/dev/null", options.response_path.c_str()) == 0);
  CHECK(create_error(options).find("is no FIFO") != std::string::npos);
  options.response_path = f.path() + "/missing/file";
  CHECK(create_error(options).find(options.response_path + " cannot be made") != std::string::npos);
  options.response_path = options.request_path;
  CHECK(create_error(options).find("is given for both directions") != std::string::npos);
}

TEST_CASE("a program and the channel open the pipes in mirrored order and talk") {
  fixture f;
  f.start();
  CHECK(f.channel->send(some_response()).error().is(errc::unavailable));
  f.wait_status([&](const auto& s) { return s.current.find(f.options.response_path) != std::string::npos; });
  program ml(f.options);
  f.wait_opened(1);
  CHECK(f.channel->status().state == fifo_state::open);
  const session_request open{128, 2, 0, false, "snapshot", 1, "defaultbb.cqdb.sml.hpe", "mean"};
  ml.send(msg_type::open_session_request, encode(open));
  const auto [head, body] = f.wait_message();
  CHECK(head.type == msg_type::open_session_request);
  CHECK(decode_session_request(body).value() == open);
  REQUIRE(f.channel->send(some_response()));
  const auto [answer, answer_body] = ml.receive();
  CHECK(answer.type == msg_type::open_session_response);
  CHECK(decode_session_response(answer_body)->session_id == "s-1");
  f.wait_status([](const auto& s) { return s.messages_out == 1; });
  const auto status = f.channel->status();
  CHECK(status.messages_in == 1);
  CHECK(status.bytes_in == header_size + body.size());
  CHECK(status.bytes_out == header_size + answer_body.size());
  CHECK(status.last_byte != time_point{});
  CHECK(status.current == "waiting for the program's next message");
  ml.close();
  CHECK(f.wait_closed() == "the program closed the channel");
  f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  CHECK(f.channel->send(some_response()).error().is(errc::unavailable));
}

TEST_CASE("messages far larger than the pipe go through both ways, in many pieces") {
  fixture f;
  f.start();
  program ml(f.options);
  const auto request = pattern(20'000'001);
  std::thread writer([&] { ml.send(msg_type::sync_request, request); });
  const auto [head, body] = f.wait_message();
  writer.join();
  CHECK(head.size == request.size());
  CHECK(body == request);

  auto owned = std::make_shared<bytes>(pattern(15'000'000, 9));
  outgoing message{.type = msg_type::get_loss_request};
  message.keep_alive = {owned};
  for (std::size_t at = 0, size = 1; at < owned->size(); at += size, size = size * 3 % 100'003 + 1)
    message.pieces.push_back(bytes_view(*owned).subspan(at, std::min(size, owned->size() - at)));
  message.size = owned->size();
  REQUIRE(f.channel->send(std::move(message)));
  REQUIRE(f.channel->send(some_response()));
  CHECK(ml.receive().second == *owned);
  CHECK(ml.receive().first.type == msg_type::open_session_response);
}

TEST_CASE("a frame may come byte by byte, several frames at once") {
  fixture f;
  f.start();
  program ml(f.options);
  const auto body = encode(status{status_code::error_in_user, "x"});
  const auto head = encode_header({msg_type::status, static_cast<std::uint32_t>(body.size())});
  bytes frame(head.begin(), head.end());
  frame.insert(frame.end(), body.begin(), body.end());
  for (const auto byte : frame) {
    const auto before = f.channel->status().bytes_in;
    ml.write({&byte, 1});
    f.wait_status([&](const auto& s) { return s.bytes_in == before + 1; });
  }
  CHECK(f.wait_message(1).second == body);
  bytes three;
  for (int i = 0; i < 3; ++i)
    three.insert(three.end(), frame.begin(), frame.end());
  ml.write(three);
  CHECK(f.wait_message(4).second == body);
}

TEST_CASE("the reason of an end says where the program stopped") {
  const auto head = encode_header({msg_type::sync_request, 1000});
  struct row {
    std::size_t head_size, body_size;
    std::string expected;
  };
  for (const auto& [head_size, body_size, expected] :
       {row{0, 0, "the program closed the channel"},
        row{5, 0, "the program closed the channel within a frame header"},
        row{header_size, 0, "the program closed the channel within a SyncRequest, after 0 of 1000 bytes"},
        row{header_size, 300,
            "the program closed the channel within a SyncRequest, after 300 of 1000 bytes"}}) {
    fixture f;
    f.start();
    program ml(f.options);
    ml.write(bytes_view(head).first(head_size));
    ml.write(bytes(body_size));
    ml.close();
    CHECK(f.wait_closed() == expected);
  }
}

TEST_CASE("what a program sent before it ended is delivered before the end") {
  fixture f;
  f.start();
  {
    program ml(f.options);
    ml.close_response(); // first, as a dying program may
    ml.send(msg_type::kill_session_request, encode(kill_session_request{"s-1", {status_code::ok, "done"}}));
  }
  f.wait_closed();
  CHECK(f.wait_message().first.type == msg_type::kill_session_request);
}

TEST_CASE(
    "a process killed in the middle of a message ends the session, and the next one finds the channel") {
  fixture f;
  f.start();
  const auto inode = inode_of(f.options.request_path);
  const auto head = encode_header({msg_type::sync_request, 1'000'000});
  for (std::size_t session = 1; session <= 3; ++session) {
    const auto before = f.channel->status().bytes_in;
    const auto* response_path = f.options.response_path.c_str();
    const auto* request_path = f.options.request_path.c_str();
    const auto child = ::fork();
    if (child == 0) { // only system calls from here on
      const int response = ::open(response_path, O_RDONLY);
      const int request = ::open(request_path, O_WRONLY);
      std::uint8_t some[1000] = {};
      if (response < 0 || ::write(request, head.data(), head.size()) < 0
          || ::write(request, some, sizeof(some)) < 0)
        ::_exit(1);
      while (true)
        ::pause();
    }
    REQUIRE(child > 0);
    f.wait_status([&](const auto& s) { return s.bytes_in == before + header_size + 1000; });
    f.wait_status([](const auto& s) { return s.current == "reading SyncRequest, 1000 of 1000000 bytes"; });
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CHECK(f.wait_closed(session)
          == "the program closed the channel within a SyncRequest, after 1000 of 1000000 bytes");
    f.channel->rearm();
  }
  program ml(f.options);
  f.wait_opened(4);
  ml.send(msg_type::status, encode(status{}));
  f.wait_message();
  CHECK(inode_of(f.options.request_path) == inode);
}

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
  // The next one is early: it has the response already, and so keeps what is in the pipe alive.
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
    CHECK(told->msg.find(expected) != std::string::npos);
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

TEST_CASE("sending never waits: a full queue is an error") {
  fixture f;
  f.options.send_queue_max = 2;
  f.start();
  program ml(f.options);
  f.wait_opened(1);
  const auto large = [] { return make_outgoing(msg_type::get_loss_request, bytes(3'000'000)); };
  REQUIRE(f.channel->send(large()));
  REQUIRE(f.channel->send(large()));
  const auto third = f.channel->send(large());
  REQUIRE(!third);
  CHECK(third.error().is(errc::limit));
  f.wait_status(
      [](const auto& s) { return s.bytes_out > 0 && s.current.find("writing GetLossRequest, ") == 0; });
  CHECK(ml.receive().second.size() == 3'000'000);
  CHECK(ml.receive().second.size() == 3'000'000);
  f.wait_status([](const auto& s) { return s.messages_out == 2; });
  CHECK(f.channel->send(large()));
}

TEST_CASE("a program that stops reading ends by its end, not by a signal") {
  fixture f;
  f.start();
  program ml(f.options);
  f.wait_opened(1);
  REQUIRE(f.channel->send(make_outgoing(msg_type::get_loss_request, bytes(3'000'000))));
  f.wait_status([](const auto& s) { return s.bytes_out > 0; });
  ml.close_response();
  ml.send(msg_type::status, encode(status{}));
  f.wait_message();
  f.wait_status([](const auto& s) { return s.current == "waiting for the program's next message"; });
  CHECK(f.channel->send(some_response()).error().is(errc::unavailable));
  ml.close();
  CHECK(f.wait_closed() == "the program closed the channel");
}

TEST_CASE("memory grows with the bytes that came, not with the announced size") {
  fixture f;
  f.start();
  program ml(f.options);
  f.wait_opened(1);
  const auto pages = [] {
    std::size_t out = 0;
    std::ifstream("/proc/self/statm") >> out;
    return out;
  };
  const auto before = pages();
  ml.write(encode_header({msg_type::sync_request, 0x7fffffff}));
  ml.write(bytes(1'000'000));
  f.wait_status(
      [](const auto& s) { return s.current == "reading SyncRequest, 1000000 of 2147483647 bytes"; });
  CHECK(pages() - before < (64u << 20) / 4096);
  ml.close();
  f.wait_closed();
}

TEST_CASE("a buffer keeps its bytes while it grows and never takes more than its limit") {
  body_buffer buffer;
  const std::size_t limit = 10'000'000;
  std::uint8_t next = 0;
  std::vector<std::size_t> capacities;
  while (buffer.size() < limit) {
    const auto room = buffer.room(limit);
    REQUIRE(!room.empty());
    if (capacities.empty() || capacities.back() != buffer.capacity()) capacities.push_back(buffer.capacity());
    for (auto& byte : room)
      byte = next++;
    buffer.commit(room.size());
  }
  CHECK(buffer.size() == limit);
  CHECK(buffer.room(limit).empty());
  CHECK(buffer.capacity() < limit + 4096);
  CHECK(capacities.front() == 65536);
  CHECK(capacities.size() == 9);
  next = 0;
  bool same = true;
  for (const auto byte : buffer.view())
    same = same && byte == next++;
  CHECK(same);
  auto moved = std::move(buffer);
  CHECK(moved.size() == limit);
  CHECK(buffer.size() == 0); // NOLINT: what a move leaves is part of the contract
  moved = {};
  CHECK(moved.capacity() == 0);
}

TEST_CASE("stop ends the channel in whatever it waits for") {
  fixture f;
  f.start();
  std::unique_ptr<program> ml;
  SUBCASE("a program") {}
  SUBCASE("a program, before it waits") {
    f.channel->stop();
  }
  SUBCASE("the program's second open") {
    const int response = ::open(f.options.response_path.c_str(), O_RDONLY | O_CLOEXEC);
    f.wait_status([&](const auto& s) { return s.current.find(f.options.request_path) != std::string::npos; });
    ::close(response);
  }
  SUBCASE("a FIFO whose path has gone") {
    f.wait_status(
        [&](const auto& s) { return s.current.find(f.options.response_path) != std::string::npos; });
    REQUIRE(::unlink(f.options.response_path.c_str()) == 0);
    REQUIRE(::unlink(f.options.request_path.c_str()) == 0);
  }
  SUBCASE("the next message") {
    ml = std::make_unique<program>(f.options);
    f.wait_opened(1);
  }
  SUBCASE("the rest of a message") {
    ml = std::make_unique<program>(f.options);
    ml->write(encode_header({msg_type::sync_request, 1000}));
    f.wait_status([](const auto& s) { return s.bytes_in == header_size; });
  }
  SUBCASE("room to write") {
    ml = std::make_unique<program>(f.options);
    f.wait_opened(1);
    REQUIRE(f.channel->send(make_outgoing(msg_type::get_loss_request, bytes(5'000'000))));
    f.wait_status([](const auto& s) { return s.bytes_out > 0; });
  }
  SUBCASE("a refused program") {
    ml = std::make_unique<program>(f.options);
    ml->write(bytes(header_size));
    f.wait_closed();
  }
  SUBCASE("rearm") {
    ml = std::make_unique<program>(f.options);
    ml.reset();
    f.wait_closed();
    f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  }
  const auto closed = f.closed();
  f.channel->stop();
  CHECK(f.channel->status().state == fifo_state::stopped);
  CHECK(f.closed() == closed);
  f.channel->rearm();
  f.channel->stop();
  if (ml) CHECK(ml->read(10'000'000).size() < 10'000'000); // the program sees the end
}

TEST_CASE("what was written before a stop is still there for the program to read") {
  fixture f;
  f.start();
  program user(f.options);
  user.send(msg_type::sync_request, bytes(3));
  f.wait_message();
  f.channel->refuse("told to stop");
  f.wait_status([](auto& now) { return now.messages_out == 1; });
  SUBCASE("all of it") {}
  SUBCASE("the rest of it") {
    CHECK(user.read(5).size() == 5);
  }
  const auto unread = user.unread();
  f.channel->stop();
  CHECK(user.read(1000).size() == unread);
}

TEST_CASE("stop may come from a handler and from several threads") {
  fixture f;
  f.on_message = [](fifo_channel& channel, header) { channel.stop(); };
  f.start();
  program ml(f.options);
  ml.send(msg_type::status, encode(status{}));
  f.wait_message();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { f.channel->stop(); });
  for (auto& thread : threads)
    thread.join();
  CHECK(f.channel->status().state == fifo_state::stopped);
  CHECK(ml.read(1).empty());
}

TEST_CASE("a path that became something else between two programs is reported") {
  fixture f;
  f.start();
  { program ml(f.options); }
  f.wait_closed();
  f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  REQUIRE(::unlink(f.options.request_path.c_str()) == 0);
  write_file(f.options.request_path, {});
  f.channel->rearm();
  CHECK(f.wait_closed(2).find("is there, but is no FIFO") != std::string::npos);
  f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  REQUIRE(::unlink(f.options.request_path.c_str()) == 0);
  f.channel->rearm();
  f.wait_status([](const auto& s) { return s.state == fifo_state::waiting && !s.current.empty(); });
  program ml(f.options);
  f.wait_opened(2);
}
