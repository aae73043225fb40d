#pragma once

#include "merge/testing/models.hpp"
#include "transport/ml_channel/fifo_channel.hpp"
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

/// What the tests of fifo_channel share.
namespace swarm::ml::testing {

using merge::testing::temp_directory;
using merge::testing::write_file;

/// Two FIFOs, the channel on them, and everything that it reported. The channel is destroyed first.
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
  /// Waits until `so` holds of the channel's status.
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
  /// Returns fewer bytes than asked for at the end of the channel.
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

inline bytes pattern(std::size_t size, std::uint8_t seed = 1) {
  bytes out(size);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<std::uint8_t>(i * 31 + i / 251 + seed);
  return out;
}

inline mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode;
}

inline ino_t inode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_ino;
}

inline std::string create_error(const fifo_options& options) {
  const auto made = fifo_channel::create(options, {});
  return made ? "no error" : made.error().message;
}

inline outgoing some_response() {
  return make_outgoing(session_response{{status_code::ok, "StatusOK"}, "s-1"});
}

} // namespace swarm::ml::testing
