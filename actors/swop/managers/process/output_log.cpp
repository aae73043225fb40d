#include "actors/swop/managers/process/output_log.hpp"

#include "actors/swop/managers/manager.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace swarm::managers {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t files_ever = 100; // more than `check_spec` lets anyone have

fs::path log_in(const fs::path& folder, std::uint64_t number) {
  return folder / (number == 0 ? std::string("output.log") : fmt::format("output.log.{}", number));
}

/// The length of the UTF-8 sequence that `text` begins with; 0 if it begins with none. Overlong forms and surrogates
/// are none.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = at(0);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (length == 1) return 1;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) > 0x9f) || (lead == 0xf0 && at(1) < 0x90)
      || (lead == 0xf4 && at(1) > 0x8f))
    return 0;
  return length;
}

/// U+0080 to U+009F are control characters too, which terminals obey.
bool is_control(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  return sequence.size() == 1 ? (lead < 0x20 || lead == 0x7f)
                              : lead == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

std::string fit_to_show(std::string_view line) {
  while (line.ends_with('\r'))
    line.remove_suffix(1);
  if (const auto overwritten = line.rfind('\r'); overwritten != std::string_view::npos)
    line.remove_prefix(overwritten + 1);
  std::string out;
  while (!line.empty()) {
    const auto length = sequence_length(line);
    const auto sequence = line.substr(0, std::max<std::size_t>(length, 1));
    const auto shown = sequence == "\t"                      ? std::string_view(" ")
                       : length == 0 || is_control(sequence) ? std::string_view("?")
                                                             : sequence;
    if (out.size() + shown.size() > output_line_bytes_max) break;
    out += shown;
    line.remove_prefix(sequence.size());
  }
  return out;
}

/// The end of a file, at most `bytes_max` of it.
std::string tail_of(const fs::path& path, std::uint64_t bytes_max) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  std::string out(static_cast<std::size_t>(std::min(size, bytes_max)), '\0');
  const auto count = ::pread(fd.get(), out.data(), out.size(), static_cast<off_t>(size - out.size()));
  out.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return out;
}

} // namespace

result<output_log> output_log::open(fs::path folder, const output_bounds& bounds) {
  output_log out(std::move(folder), bounds);
  SWARM_CHECK(out.open_current());
  return out;
}

result<> output_log::open_current() {
  const auto path = log_in(folder_, 0);
  current_ = unique_fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat info {};
  if (!current_ || ::fstat(current_.get(), &info) != 0)
    return fail(file_errc::io, "{}: cannot be opened: {}; check owner and mode of its folder", path.native(),
                std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail(file_errc::wrong_kind, "{}: is not a regular file", path.native());
  size_ = static_cast<std::uint64_t>(info.st_size);
  return {};
}

void output_log::rotate() {
  current_ = {};
  std::ignore = remove_file(log_in(folder_, bounds_.files - 1));
  for (auto number = bounds_.files - 1; number > 0; --number)
    std::ignore = rename_file(log_in(folder_, number - 1), log_in(folder_, number));
  // A folder that went away, or a disk with no room for a name: each write tries again.
  if (!open_current()) current_ = {};
}

bool output_log::append(std::string_view text) {
  if (!current_ && !open_current()) return false;
  while (!text.empty()) {
    const auto count = ::write(current_.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      lost_ += text.size();
      return true; // counted here; what came before it is in the file
    }
    size_ += static_cast<std::uint64_t>(count);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void output_log::write(std::string_view text) {
  if (text.empty()) return;
  if (lost_ > 0) {
    const auto told = fmt::format("{}[{} bytes of output were lost: the disk took nothing]\n",
                                  at_line_start_ ? "" : "\n", lost_);
    const auto before = std::exchange(lost_, 0);
    if (!append(told) || lost_ > 0) {
      lost_ = before + text.size();
      return;
    }
    at_line_start_ = true;
  }
  while (!text.empty()) {
    if (size_ >= bounds_.file_bytes) rotate();
    const auto room = bounds_.file_bytes - std::min(size_, bounds_.file_bytes);
    const auto part = text.substr(0, static_cast<std::size_t>(std::max<std::uint64_t>(room, 1)));
    if (!append(part)) lost_ += part.size();
    if (lost_ > 0) {
      lost_ += text.size() - part.size();
      return;
    }
    at_line_start_ = part.back() == '\n';
    text.remove_prefix(part.size());
  }
}

void output_log::note(std::string_view line) {
  write(fmt::format("{}[{}]\n", at_line_start_ ? "" : "\n", line));
}

void output_log::make_room() {
  for (std::uint64_t number = 1; number < bounds_.files; ++number)
    std::ignore = remove_file(log_in(folder_, number));
}

std::vector<std::string> last_lines_of(std::string_view text, std::size_t count) {
  std::vector<std::string> out;
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (!text.empty() && out.size() < count) {
    const auto start = text.rfind('\n');
    out.push_back(fit_to_show(start == std::string_view::npos ? text : text.substr(start + 1)));
    text = start == std::string_view::npos ? std::string_view() : text.substr(0, start);
  }
  std::ranges::reverse(out);
  return out;
}

std::vector<std::string> last_lines_in(const fs::path& folder, std::size_t count) {
  count = std::min(count, output_lines_max);
  const auto wanted = count * (output_line_bytes_max + 1);
  auto text = tail_of(log_in(folder, 0), wanted);
  for (std::uint64_t number = 1; number < files_ever && text.size() < wanted; ++number) {
    const auto before = tail_of(log_in(folder, number), wanted - text.size());
    if (before.empty()) break;
    text.insert(0, before);
  }
  return last_lines_of(text, count);
}

void remove_output(const fs::path& folder) {
  for (std::uint64_t number = 0; number < files_ever; ++number)
    std::ignore = remove_file(log_in(folder, number));
}

} // namespace swarm::managers
