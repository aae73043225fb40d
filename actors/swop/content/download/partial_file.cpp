#include "actors/swop/content/download/partial_file.hpp"

#include <boost/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarm::content {

namespace json = boost::json;

namespace {

constexpr std::uint64_t keep_every_bytes = 64 << 20;
constexpr std::uint64_t note_bytes_max = 4096;

struct note {
  std::uint64_t bytes = 0;
  std::string version;
};

/// The note, if it is one and speaks of this address.
std::optional<note> read_note(const std::filesystem::path& path, const hash32& address) {
  const auto text = read_file(path, note_bytes_max, open_as::no_links);
  if (!text) return std::nullopt;
  boost::system::error_code problem;
  const auto value = json::parse(*text, problem);
  const auto* fields = problem ? nullptr : value.if_object();
  if (!fields) return std::nullopt;
  const auto* of = fields->if_contains("address");
  const auto* bytes = fields->if_contains("bytes");
  const auto* version = fields->if_contains("version");
  if (!of || !bytes || !version || !of->is_string() || !version->is_string()) return std::nullopt;
  if (of->get_string() != to_hex(address.view(), false)) return std::nullopt;
  const auto count = bytes->to_number<std::uint64_t>(problem);
  if (problem) return std::nullopt;
  return note{count, std::string(version->get_string())};
}

result<> truncate(const file& what, std::uint64_t size) {
  if (::ftruncate(what.fd(), static_cast<::off_t>(size)) != 0)
    return fail(file_errc::io, "{}: cannot be shortened: {}", what.path().native(), std::strerror(errno));
  return {};
}

} // namespace

std::filesystem::path partial_file::note_path() const {
  auto path = file_.path();
  path += ".json";
  return path;
}

result<partial_file> partial_file::open(std::filesystem::path path, std::string_view address) {
  SWARM_TRY(auto opened, file::lock(std::move(path)));
  partial_file out(std::move(opened), sha256(as_bytes(address)));
  SWARM_CHECK(out.resume());
  return out;
}

result<> partial_file::resume() {
  const auto found = read_note(note_path(), address_);
  SWARM_TRY(const auto size, file_.size());
  if (!found || found->bytes > size) return restart({});
  SWARM_CHECK(truncate(file_, found->bytes));
  std::vector<std::uint8_t> chunk(1 << 20);
  while (bytes_ < found->bytes) {
    SWARM_TRY(const auto got, file_.read(chunk));
    if (got == 0) return restart({});
    digest_.update({chunk.data(), got});
    bytes_ += got;
  }
  kept_ = bytes_;
  version_ = found->version;
  return {};
}

result<> partial_file::restart(std::string version) {
  SWARM_CHECK(remove_file(note_path()));
  SWARM_CHECK(truncate(file_, 0));
  bytes_ = kept_ = 0;
  version_ = std::move(version);
  digest_ = sha256_stream{};
  return {};
}

result<> partial_file::append(bytes_view data) {
  SWARM_CHECK(file_.write_at(bytes_, data));
  digest_.update(data);
  bytes_ += data.size();
  if (bytes_ - kept_ < keep_every_bytes) return {};
  kept_ = bytes_;
  return keep();
}

result<> partial_file::keep() const {
  SWARM_CHECK(file_.sync());
  const json::object fields{
      {"address", to_hex(address_.view(), false)}, {"bytes", bytes_}, {"version", version_}};
  return replace_file(note_path(), as_bytes(json::serialize(fields)));
}

result<> partial_file::publish(const std::filesystem::path& to) const {
  SWARM_CHECK(file_.sync());
  if (::fchmod(file_.fd(), 0644) != 0)
    return fail(file_errc::io, "{}: its mode cannot be set: {}", file_.path().native(), std::strerror(errno));
  SWARM_CHECK(rename_file(file_.path(), to));
  SWARM_CHECK(remove_file(note_path()));
  return sync_folder(to.has_parent_path() ? to.parent_path() : ".");
}

void partial_file::discard() const {
  std::ignore = remove_file(file_.path());
  std::ignore = remove_file(note_path());
}

} // namespace swarm::content
