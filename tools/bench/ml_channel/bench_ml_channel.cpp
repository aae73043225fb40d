#include "base/testing/temporary_folder.hpp"
#include "tools/bench/common/figure.hpp"
#include "transport/ml_channel/fifo_channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Framed messages of 100 MB from a program through the FIFO channel, until the last body is handed over,
// beside the same bytes through a plain pipe of the same size into one reused buffer. Both are rated by bytes
// per second.

namespace {

using namespace swarm;

std::size_t message_bytes = 100'000'000; // --smoke: fewer, which proves only that the benchmark works
constexpr std::size_t messages = 5;
constexpr std::size_t rounds = 7;
constexpr double target = 0.70;

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point begin) {
  return std::chrono::duration<double>(steady::now() - begin).count();
}

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_ml_channel: {}\n", why);
  std::exit(1);
}

void write_all(int fd, bytes_view data) {
  while (!data.empty()) {
    const auto count = ::write(fd, data.data(), data.size());
    if (count <= 0) give_up("the pipe cannot be written");
    data = data.subspan(static_cast<std::size_t>(count));
  }
}

/// What a program does with its sync requests.
void write_messages(int fd, const bytes& body) {
  const auto head = ml::encode_header({ml::msg_type::sync_request, static_cast<std::uint32_t>(body.size())});
  for (std::size_t i = 0; i < messages; ++i) {
    write_all(fd, head);
    write_all(fd, body);
  }
}

int pipe_size() {
  int out = 1 << 20;
  if (auto* file = std::fopen("/proc/sys/fs/pipe-max-size", "r")) {
    if (std::fscanf(file, "%d", &out) != 1) out = 1 << 20;
    std::fclose(file);
  }
  return out;
}

double plain_pipe(const bytes& body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  ::fcntl(ends[0], F_SETPIPE_SZ, pipe_size());
  std::vector<std::uint8_t> buffer(1 << 20);
  const auto begin = steady::now();
  std::thread writer([&] {
    write_messages(ends[1], body);
    ::close(ends[1]);
  });
  std::size_t total = 0;
  while (true) {
    const auto count = ::read(ends[0], buffer.data(), buffer.size());
    if (count <= 0) break;
    total += static_cast<std::size_t>(count);
  }
  const auto taken = seconds_since(begin);
  writer.join();
  ::close(ends[0]);
  if (total != messages * (message_bytes + ml::header_size)) give_up("the plain pipe lost bytes");
  return taken;
}

double through_channel(const std::string& directory, const bytes& body) {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t received = 0;
  bool open = false, right = true;
  ml::fifo_handlers handlers;
  handlers.on_open = [&] {
    const std::lock_guard guard(mutex);
    open = true;
    changed.notify_all();
  };
  handlers.on_message = [&](ml::header, ml::body_buffer message) {
    const std::lock_guard guard(mutex);
    right = right && message.size() == body.size() && message.view().back() == body.back();
    ++received;
    changed.notify_all();
  };
  handlers.on_closed = [](const std::string&) {};
  const ml::fifo_options options{.request_path = directory + "/request",
                                 .response_path = directory + "/response"};
  auto channel = ml::fifo_channel::create(options, std::move(handlers));
  if (!channel) give_up(channel.error().message);
  const int response = ::open(options.response_path.c_str(), O_RDONLY | O_CLOEXEC);
  const int request = ::open(options.request_path.c_str(), O_WRONLY | O_CLOEXEC);
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return open; });
  lock.unlock();
  const auto begin = steady::now();
  std::thread writer([&] { write_messages(request, body); });
  lock.lock();
  changed.wait(lock, [&] { return received == messages; });
  const auto taken = seconds_since(begin);
  lock.unlock();
  writer.join();
  ::close(request);
  ::close(response);
  if (!right) give_up("the channel delivered something else");
  return taken;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--smoke") message_bytes = 100'000;
  const swarm::testing::temporary_folder directory;
  bytes body(message_bytes);
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<std::uint8_t>(i * 7);
  std::vector<double> channel_seconds, pipe_seconds;
  for (std::size_t round = 0; round <= rounds; ++round) {
    const auto plain = plain_pipe(body);
    const auto channel = through_channel(directory.path(), body);
    if (round == 0) continue;
    pipe_seconds.push_back(plain);
    channel_seconds.push_back(channel);
  }
  const double gigabytes = static_cast<double>(messages * message_bytes) / 1e9;
  const double channel = gigabytes / median(channel_seconds), plain = gigabytes / median(pipe_seconds);
  bench::tell({.name = "ml_channel",
               .value = channel,
               .unit = "GB/s",
               .reference = "plain pipe of the same size",
               .reference_value = plain,
               .ratio = channel / plain,
               .ratio_least = target});
}
