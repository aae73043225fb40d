#include "base/testing/wording.hpp"
#include "transport/ml_channel/testing/fifo_program.hpp"

namespace fifo_channel_test {

using namespace swarm;
using namespace swarm::ml;
using swarm::merge::testing::temp_directory;
using swarm::merge::testing::write_file;
using namespace swarm::ml::testing;
using swarm::testing::says;

TEST_CASE(
    "FIFOs are made for this user and its group, or for all users, whatever the umask; left-over ones too") {
  for (const bool everybody : {false, true}) {
    CAPTURE(everybody);
    const mode_t wanted = everybody ? 0777 : 0660;
    fixture f;
    f.options.access.everybody = everybody;
    const auto before = ::umask(077);
    f.start();
    ::umask(before);
    for (const auto& path : {f.options.request_path, f.options.response_path})
      CHECK(mode_of(path) == (S_IFIFO | wanted));
    const auto inode = inode_of(f.options.request_path);
    for (const mode_t left_over : {0600, 0777}) {
      f.channel->stop();
      CHECK(f.channel->status().state == fifo_state::stopped);
      CHECK(::chmod(f.options.request_path.c_str(), left_over) == 0);
      f.start();
      CHECK(inode_of(f.options.request_path) == inode);
      CHECK(mode_of(f.options.request_path) == (S_IFIFO | wanted));
    }
  }
}

TEST_CASE("FIFOs are given to a group that this user is in, by name or number") {
  CHECK(find_group("0") == gid_t{0});
  CHECK(find_group("root") == gid_t{0});
  CHECK(says(find_group("no-such-group").error(), "there is no group 'no-such-group'"));
  CHECK_FALSE(find_group(""));
  CHECK_FALSE(find_group("12x"));
  fixture f;
  const bool is_root = ::geteuid() == 0;
  const gid_t other = is_root ? 12345 : 0;
  f.options.access.group = other;
  if (is_root) {
    f.start();
    struct stat info {};
    REQUIRE(::stat(f.options.request_path.c_str(), &info) == 0);
    CHECK(info.st_gid == other);
    CHECK(info.st_mode == (S_IFIFO | 0660));
  } else {
    CHECK(says(create_error(f.options), "must be in that group"));
  }
}

TEST_CASE("a path that cannot be a FIFO is named") {
  fixture f;
  auto options = f.options;
  options.response_path = f.path() + "/file";
  write_file(options.response_path, {});
  CHECK(says(create_error(options), options.response_path + " is there, but is no FIFO"));
  REQUIRE(::unlink(options.response_path.c_str()) == 0);
  REQUIRE(::symlink("/dev/null", options.response_path.c_str()) == 0);
  CHECK(says(create_error(options), "is no FIFO"));
  options.response_path = f.path() + "/missing/file";
  CHECK(says(create_error(options), options.response_path + " cannot be made"));
  options.response_path = options.request_path;
  CHECK(says(create_error(options), "is given for both directions"));
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
  CHECK(says(f.wait_closed(2), "is there, but is no FIFO"));
  f.wait_status([](const auto& s) { return s.state == fifo_state::closed; });
  REQUIRE(::unlink(f.options.request_path.c_str()) == 0);
  f.channel->rearm();
  f.wait_status([](const auto& s) { return s.state == fifo_state::waiting && !s.current.empty(); });
  program ml(f.options);
  f.wait_opened(2);
}

} // namespace fifo_channel_test
