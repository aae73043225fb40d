#include "actors/swop/managers/process/shim_call.hpp"

#include "actors/swop/managers/process/detail/strict_json.hpp"
#include "actors/swop/managers/process/process_id.hpp"
#include "actors/swop/managers/process/program_folder.hpp"
#include "actors/swop/managers/process/spec_json.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

namespace swarm::managers {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t report_bytes_max = 16 * 1024;
constexpr std::string_view stop_word = "stop ";
constexpr auto grace_max = std::chrono::hours(1);

/// All that comes through a pipe until its other end closes.
result<std::string> read_all(int from, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string out;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd one{from, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&one, 1, static_cast<int>(left.count())) == 0)
      return fail(manager_errc::timeout, "swarm-shim did not report within {} ms", patience.count());
    std::array<char, 4096> part{};
    const auto count = ::read(from, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return out;
    out.append(part.data(), static_cast<std::size_t>(count));
    if (out.size() > report_bytes_max) return fail(manager_errc::io, "swarm-shim reports too much");
  }
}

} // namespace

std::string write_report(const result<>& how) {
  if (how) return json::serialize(json::object{{"code", 0}, {"message", ""}});
  const bool ours = how.error().category == error_category(manager_errc{});
  const auto code = ours ? how.error().code : static_cast<int>(manager_errc::io);
  return json::serialize(json::object{{"code", code}, {"message", how.error().message.substr(0, 4000)}});
}

result<> read_report(std::string_view text) {
  const auto value = detail::parse_json(text, "report of swarm-shim");
  if (!value)
    return fail(manager_errc::io, "swarm-shim ended without a report; look whether it can be run here");
  detail::object_reader reader(*value, "report of swarm-shim");
  const auto code = static_cast<int>(reader.number("code", static_cast<int>(manager_errc::io)));
  const auto message = reader.text("message");
  if (const auto good = reader.finish(); !good) return fail(manager_errc::io, "{}", good.error().message);
  if (code == 0) return {};
  return tl::unexpected(make_error(static_cast<manager_errc>(code), message));
}

result<> run_shim(const fs::path& shim, const std::vector<std::string>& arguments, shim_life what,
                  std::chrono::milliseconds patience) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(manager_errc::io, "a pipe: {}", std::strerror(errno));
  const unique_fd read_end(ends[0]);
  // dup2 onto itself would leave it to be closed.
  unique_fd write_end(::fcntl(ends[1], F_DUPFD_CLOEXEC, report_fd + 1));
  ::close(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int standard : {0, 1, 2})
    ::posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), report_fd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK));
  std::vector<std::string> words{shim.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& each : words)
    argv.push_back(each.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, shim.c_str(), &actions, &attributes, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0)
    return fail(manager_errc::not_installed, "{}: cannot be started: {}; it belongs beside swarmd",
                shim.native(), std::strerror(failed));
  write_end = {};
  const auto told = read_all(read_end.get(), patience);
  auto report = told ? read_report(*told) : tl::unexpected(told.error());
  if (report && what == shim_life::as_long_as_its_program) return report;
  ::kill(pid, SIGKILL); // has ended unless it hangs
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return report;
}

fs::path shim_beside_this_program() {
  std::error_code problem;
  return fs::read_symlink("/proc/self/exe", problem).parent_path() / "swarm-shim";
}

result<std::vector<std::string>> tied_words(const fs::path& shim, program_spec spec) {
  spec.environment.clear();
  auto text = write_spec(spec);
  SWARM_CHECK(read_spec(text));
  return std::vector<std::string>{shim.native(), "tied", std::to_string(::getpid()), std::move(text)};
}

result<sockaddr_un> control_address(int folder) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const auto path = fmt::format("{}/{}", path_of_fd(folder), program_folder::control_name);
  if (folder < 0 || path.size() >= sizeof(out.sun_path))
    return fail(manager_errc::io, "no folder for a socket");
  std::memcpy(out.sun_path, path.c_str(), path.size() + 1);
  return out;
}

std::string write_stop(std::chrono::milliseconds grace) {
  return fmt::format(
      "{}{}", stop_word,
      std::clamp<std::int64_t>(grace.count(), 0, std::chrono::milliseconds(grace_max).count()));
}

std::optional<std::chrono::milliseconds> read_stop(std::string_view text) {
  if (!text.starts_with(stop_word)) return std::nullopt;
  text.remove_prefix(stop_word.size());
  std::int64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size() || out < 0
      || std::chrono::milliseconds(out) > grace_max)
    return std::nullopt;
  return std::chrono::milliseconds(out);
}

result<> tell_stop(const fs::path& folder, std::chrono::milliseconds grace) {
  const unique_fd dir(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  SWARM_TRY(const auto address, control_address(dir.get()));
  const unique_fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const timeval second{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
  const auto text = write_stop(grace);
  std::array<char, 8> answer{};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0
      || ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0
      || ::recv(socket.get(), answer.data(), answer.size(), 0) != 2)
    return fail(manager_errc::timeout, "{}: its shim does not answer", folder.native());
  return {};
}

} // namespace swarm::managers
