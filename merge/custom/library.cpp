#include "merge/custom/library.hpp"

#include "base/file.hpp"
#include "base/hash.hpp"
#include "merge/custom/worker_protocol.hpp"
#include "merge/methods/kernels.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

namespace swarm::merge {

namespace {

/// A descriptor above those that the worker gets, so that handing them over overwrites none.
result<unique_fd> above_the_workers(int fd, std::string_view what) {
  constexpr int first = 10;
  const int moved = fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, first);
  const int reason = errno;
  if (fd >= 0) ::close(fd);
  if (moved < 0) return fail(errc::io, "{} for a merge library: {}", what, std::strerror(reason));
  return unique_fd(moved);
}

/// A file in memory with this content.
result<unique_fd> memory_file(std::string_view content) {
  SWARM_TRY(auto out, above_the_workers(::memfd_create("swarm-merge", MFD_CLOEXEC), "memory"));
  for (std::size_t done = 0; done < content.size();) {
    const auto wrote = ::write(out.get(), content.data() + done, content.size() - done);
    if (wrote <= 0) return fail(errc::io, "memory for a merge library: {}", std::strerror(errno));
    done += static_cast<std::size_t>(wrote);
  }
  return out;
}

result<std::filesystem::path> worker_program() {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return fail(errc::io, "/proc/self/exe: {}", failed.message());
  return self.parent_path() / "swarm-merge-worker";
}

/// The process that runs the library, and what is shared with it.
class worker_process {
public:
  static result<std::unique_ptr<worker_process>> start(std::string_view library, std::size_t models) {
    auto out = std::unique_ptr<worker_process>(new worker_process);
    out->size_ = worker::memory_bytes(models);
    SWARM_TRY(const auto code, memory_file(library));
    SWARM_TRY(const auto memory, memory_file({}));
    if (::ftruncate(memory.get(), static_cast<off_t>(out->size_)) != 0)
      return fail(errc::io, "memory for a merge library: {}", std::strerror(errno));
    void* at = ::mmap(nullptr, out->size_, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    if (at == MAP_FAILED) return fail(errc::io, "memory for a merge library: {}", std::strerror(errno));
    out->memory_ = static_cast<std::uint8_t*>(at);
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return fail(errc::io, "socket for a merge library: {}", std::strerror(errno));
    SWARM_TRY(out->socket_, above_the_workers(ends[0], "socket"));
    SWARM_TRY(const auto theirs, above_the_workers(ends[1], "socket"));
    SWARM_CHECK(out->spawn(theirs.get(), memory.get(), code.get(), models));
    return out;
  }

  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  ~worker_process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      int ignored = 0;
      ::waitpid(pid_, &ignored, 0);
    }
    if (memory_ != nullptr) ::munmap(memory_, size_);
  }

  std::uint8_t* memory() const { return memory_; }

  result<> send(const worker::request& part) const {
    if (::send(socket_.get(), &part, sizeof(part), MSG_NOSIGNAL) == sizeof(part)) return {};
    return fail(errc::io, "the merge library's process has ended");
  }

  result<worker::answer> receive(std::chrono::milliseconds patience) const {
    pollfd one{socket_.get(), POLLIN, 0};
    const auto ready = ::poll(&one, 1, static_cast<int>(patience.count()));
    if (ready == 0) return fail(errc::timeout, "the merge library took longer than {} ms", patience.count());
    worker::answer out;
    if (ready < 0 || ::recv(socket_.get(), &out, sizeof(out), 0) != sizeof(out))
      return fail(errc::io, "the merge library's process has ended");
    return out;
  }

private:
  worker_process() = default;

  result<> spawn(int socket, int memory, int library, std::size_t models) {
    SWARM_TRY(const auto program, worker_program());
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, 2, 1);
    ::posix_spawn_file_actions_adddup2(&actions, socket, worker::socket_fd);
    ::posix_spawn_file_actions_adddup2(&actions, memory, worker::memory_fd);
    ::posix_spawn_file_actions_adddup2(&actions, library, worker::library_fd);
    auto name = program.string(), number = fmt::format("{}", models);
    std::array<char*, 3> arguments{name.data(), number.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    const int failed =
        ::posix_spawn(&pid_, name.c_str(), &actions, nullptr, arguments.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed == 0) return {};
    pid_ = 0;
    return fail(errc::not_found, "{}: cannot be started, which custom merge methods need: {}", name,
                std::strerror(failed));
  }

  std::size_t size_ = 0;
  std::uint8_t* memory_ = nullptr;
  unique_fd socket_;
  pid_t pid_ = 0;
};

std::string text_of(const worker::answer& answer) {
  switch (answer.what) {
  case worker::outcome::no_library:
    return "the merge library cannot be loaded";
  case worker::outcome::no_function:
    return "the merge library lacks swarm_merge_abi or swarm_merge_combine";
  case worker::outcome::other_abi:
    return fmt::format("the merge library has ABI {}", answer.code);
  default:
    return fmt::format("the merge library failed with {}", answer.code);
  }
}

/// One worker, whose parts go one after the other. After the first failure nothing more is asked of it.
class custom_algorithm final : public merge_algorithm {
public:
  custom_algorithm(std::unique_ptr<worker_process> process, std::span<const double> weights,
                   library_limits limits)
      : process_(std::move(process)), models_(weights.size()), limits_(limits) {
    std::memcpy(process_->memory(), weights.data(), weights.size_bytes());
  }

  void combine(dtype type, std::span<const std::uint8_t* const> inputs, std::uint8_t* out,
               std::size_t count) const override {
    const auto width = size_of(type);
    for (std::size_t first = 0; first < count; first += worker::elements_max) {
      const auto part = std::min(worker::elements_max, count - first);
      const std::lock_guard lock(mutex_);
      if (failure_) return;
      for (std::size_t k = 0; k < models_; ++k)
        std::memcpy(process_->memory() + worker::input_at(models_, k), inputs[k] + first * width,
                    part * width);
      if (auto done = run(type, part); !done) {
        failure_ = std::move(done).error();
        return;
      }
      std::memcpy(out + first * width, process_->memory() + worker::input_at(models_, models_), part * width);
      if (count_non_finite(type, out + first * width, part) != 0)
        failure_ = make_error(errc::invalid, "the merge library made NaN or infinite values of finite ones");
    }
  }

  result<> outcome() const override {
    const std::lock_guard lock(mutex_);
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

private:
  result<> run(dtype type, std::size_t count) const {
    SWARM_CHECK(process_->send({static_cast<std::uint32_t>(type), static_cast<std::uint32_t>(count)}));
    SWARM_TRY(const auto answer, process_->receive(limits_.part));
    if (answer.what != worker::outcome::done) return fail(errc::invalid, "{}", text_of(answer));
    return {};
  }

  std::unique_ptr<worker_process> process_;
  std::size_t models_;
  library_limits limits_;
  mutable std::mutex mutex_;
  mutable std::optional<error> failure_;
};

} // namespace

result<hash32> library_digest(const std::filesystem::path& library) {
  SWARM_TRY(const auto content, read_file(library, library_bytes_max));
  return sha256(as_bytes(content));
}

result<algorithm_maker> open_library(const std::filesystem::path& library, const hash32& digest,
                                     library_limits limits) {
  SWARM_TRY(auto content, read_file(library, library_bytes_max));
  if (const auto found = sha256(as_bytes(content)); found != digest)
    return fail(errc::conflict, "{}: its digest is {}, the training's is {}", library.native(),
                to_hex(found.view(), false), to_hex(digest.view(), false));
  const auto shared = std::make_shared<const std::string>(std::move(content));
  return [shared, limits](std::span<const double> weights) -> result<std::unique_ptr<merge_algorithm>> {
    SWARM_TRY(auto process, worker_process::start(*shared, weights.size()));
    SWARM_TRY(const auto ready, process->receive(limits.start));
    if (ready.what != worker::outcome::done) return fail(errc::invalid, "{}", text_of(ready));
    return std::make_unique<custom_algorithm>(std::move(process), weights, limits);
  };
}

} // namespace swarm::merge
