#include "actors/node/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace swarm::ledger {

namespace {

constexpr std::size_t key_text_max = 256;

/// Closes its file descriptor at the end of its life.
struct descriptor {
  int fd = -1;
  explicit descriptor(int from) : fd(from) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// Text that held a secret: overwritten at the end.
struct secret_text {
  std::array<char, key_text_max> chars{};
  std::size_t size = 0;
  secret_text() = default;
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text() { explicit_bzero(chars.data(), chars.size()); }
  std::string_view view() const { return {chars.data(), size}; }
};

tl::unexpected<error> io_failure(const std::string& path, std::string_view doing, int reason) {
  return fail(key_rule::file_io, "key file {}: cannot {}: {}", path, doing, std::strerror(reason));
}

result<void> check_access(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return io_failure(path, "examine it", errno);
  if (!S_ISREG(info.st_mode)) return fail(key_rule::file_io, "key file {}: is not a regular file", path);
  if ((info.st_mode & 077) != 0)
    return fail(key_rule::file_access, "key file {}: mode {:04o} lets others reach it; run: chmod 600 '{}'",
                path, info.st_mode & 07777, path);
  return {};
}

result<void> read_all(int fd, const std::string& path, secret_text& text) {
  while (text.size < text.chars.size()) {
    const auto got = ::read(fd, text.chars.data() + text.size, text.chars.size() - text.size);
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure(path, "read it", errno);
    text.size += static_cast<std::size_t>(got);
  }
  return fail(key_rule::file_malformed, "key file {}: too long, must hold 64 hexadecimal digits", path);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// Reads the digits without leaving copies of the secret on the heap.
result<private_key> parse_key(std::string_view text, const std::string& path) {
  text = trimmed(text);
  if (text.starts_with("0x")) text.remove_prefix(2);
  if (text.size() != 64)
    return fail(key_rule::file_malformed, "key file {}: holds {} characters, must hold 64 hexadecimal digits",
                path, text.size());
  hash32 secret;
  bool good = true;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    good = good && high >= 0 && low >= 0;
    secret[i] = static_cast<std::uint8_t>((high & 15) << 4 | (low & 15));
  }
  auto key = private_key::from_bytes(secret.view());
  explicit_bzero(secret.data(), secret.size());
  if (!good)
    return fail(key_rule::file_malformed, "key file {}: holds something else than hexadecimal digits", path);
  if (!key) return fail_with(std::move(key).error(), "key file " + path);
  return key;
}

void print_key(const private_key& key, secret_text& text) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const auto byte : key.secret()) {
    text.chars[text.size++] = digits[byte >> 4];
    text.chars[text.size++] = digits[byte & 15];
  }
  text.chars[text.size++] = '\n';
}

result<void> write_all(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_failure(path, "write it", errno);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(fd) != 0) return io_failure(path, "bring it to disk", errno);
  return {};
}

/// Gives the finished file `from` the name `to`, unless there is a file of that name: then returns false.
result<bool> publish(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return true;
  }
  if (errno == EEXIST) return false;
  // Some file systems have no hard links; those have the exclusive rename.
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  return io_failure(to, "make it", errno);
}

result<void> sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.fd < 0 || ::fsync(opened.fd) != 0) return io_failure(path, "bring its directory to disk", errno);
  return {};
}

/// Makes a new key file, or loads the one that somebody else made in the meantime.
result<private_key> make_key(const std::string& path) {
  auto key = private_key::make_random();
  secret_text text;
  print_key(key, text);
  std::string draft = path + ".XXXXXX";
  const descriptor file(::mkostemp(draft.data(), O_CLOEXEC)); // makes it with mode 0600
  if (file.fd < 0)
    return fail(key_rule::file_io,
                "key file {}: cannot make it: {}; the directory must exist and be writable", path,
                std::strerror(errno));
  auto written = write_all(file.fd, path, text.view());
  auto published = written ? publish(draft, path) : result<bool>(tl::unexpected(written.error()));
  if (!published || !*published) ::unlink(draft.c_str());
  if (!published) return tl::unexpected(std::move(published).error());
  if (!*published) return load_key(path);
  SWARM_CHECK(sync_directory_of(path));
  return key;
}

} // namespace

result<private_key> load_key(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)); // a FIFO must not hang us
  if (file.fd < 0) return io_failure(path, "open it", errno);
  SWARM_CHECK(check_access(file.fd, path));
  secret_text text;
  SWARM_CHECK(read_all(file.fd, path, text));
  return parse_key(text.view(), path);
}

result<private_key> load_or_make_key(const std::string& path) {
  // A dangling symbolic link counts as a file: a key must not appear where nobody looks for it.
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) return load_key(path);
  if (errno != ENOENT) return io_failure(path, "examine it", errno);
  return make_key(path);
}

} // namespace swarm::ledger
