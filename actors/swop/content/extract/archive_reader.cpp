#include "actors/swop/content/extract/archive_reader.hpp"

#include "actors/swop/content/relative_path.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <clocale>
#include <string_view>

namespace swarm::content {

namespace {

constexpr std::size_t block_bytes = 256 * 1024;

struct freed {
  void operator()(::archive* handle) const { ::archive_read_free(handle); }
  void operator()(std::remove_pointer_t<locale_t>* what) const { ::freelocale(what); }
};

/// libarchive turns names into those of the thread's locale; here they are UTF-8 whatever the process has.
class utf8_names {
public:
  utf8_names() : mine_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (mine_) before_ = ::uselocale(mine_.get());
  }
  ~utf8_names() {
    if (mine_) ::uselocale(before_);
  }
  utf8_names(const utf8_names&) = delete;
  utf8_names& operator=(const utf8_names&) = delete;

private:
  std::unique_ptr<std::remove_pointer_t<locale_t>, freed> mine_;
  locale_t before_ = nullptr;
};

std::string name_of(const char* utf8, const char* raw) {
  if (utf8) return utf8;
  return raw ? raw : "";
}

archive_entry_head::kind kind_of(::archive_entry* entry) {
  using kind = archive_entry_head::kind;
  if (::archive_entry_hardlink_utf8(entry) || ::archive_entry_hardlink(entry)) return kind::hard_link;
  switch (::archive_entry_filetype(entry)) {
  case AE_IFREG:
    return kind::file;
  case AE_IFDIR:
    return kind::folder;
  case AE_IFLNK:
    return kind::symlink;
  default:
    return kind::other;
  }
}

} // namespace

struct archive_reader::state {
  file from;
  std::unique_ptr<::archive, freed> handle;
  bool has_entries = false; ///< libarchive knows the format

  tl::unexpected<error> damaged() const {
    const char* text = ::archive_error_string(handle.get());
    const std::string_view reason = text ? text : "no reason given";
    // In the middle of the data. Before it knows the format libarchive reads freed memory to answer this.
    if (has_entries && ::archive_read_has_encrypted_entries(handle.get()) > 0) return encrypted();
    return fail(content_errc::bad_archive,
                "is damaged, truncated or of no known format (tar, also packed with gzip, "
                "bzip2, xz or zstd, and zip): {}",
                shown(reason));
  }
  static tl::unexpected<error> encrypted() {
    return fail(content_errc::bad_archive, "is encrypted; pack it again without a password");
  }
};

archive_reader::archive_reader(std::unique_ptr<state> from) : state_(std::move(from)) {}
archive_reader::~archive_reader() = default;
archive_reader::archive_reader(archive_reader&&) noexcept = default;
archive_reader& archive_reader::operator=(archive_reader&&) noexcept = default;

result<archive_reader> archive_reader::open(const std::filesystem::path& path) {
  SWARM_TRY(auto from, file::open(path));
  std::unique_ptr<::archive, freed> handle(::archive_read_new());
  if (!handle) return fail(content_errc::bad_archive, "libarchive has no memory");
  auto* raw = handle.get();
  // No others: formats that nobody needs are only ways in, and some filters start programs.
  const bool ready = ::archive_read_support_format_tar(raw) == ARCHIVE_OK
                     && ::archive_read_support_format_zip(raw) == ARCHIVE_OK
                     && ::archive_read_support_filter_gzip(raw) == ARCHIVE_OK
                     && ::archive_read_support_filter_bzip2(raw) == ARCHIVE_OK
                     && ::archive_read_support_filter_xz(raw) == ARCHIVE_OK;
  // libarchive may have been built without it; then such archives are of no known format.
  if (::archive_read_support_filter_zstd(raw) != ARCHIVE_OK) ::archive_clear_error(raw);
  if (!ready) return fail(content_errc::bad_archive, "this libarchive cannot read tar or zip archives");
  auto opened = std::make_unique<state>(state{std::move(from), std::move(handle), false});
  if (::archive_read_open_fd(raw, opened->from.fd(), block_bytes) != ARCHIVE_OK) return opened->damaged();
  return archive_reader(std::move(opened));
}

result<std::optional<archive_entry_head>> archive_reader::next() {
  const utf8_names names;
  ::archive_entry* entry = nullptr;
  const auto code = ::archive_read_next_header(state_->handle.get(), &entry);
  if (code == ARCHIVE_EOF) return std::nullopt;
  if (code < ARCHIVE_WARN || !entry) return state_->damaged();
  state_->has_entries = true;
  if (::archive_entry_is_encrypted(entry)) return state::encrypted();
  archive_entry_head out;
  out.what = kind_of(entry);
  out.path = name_of(::archive_entry_pathname_utf8(entry), ::archive_entry_pathname(entry));
  if (out.what == archive_entry_head::kind::symlink)
    out.link = name_of(::archive_entry_symlink_utf8(entry), ::archive_entry_symlink(entry));
  if (out.what == archive_entry_head::kind::hard_link)
    out.link = name_of(::archive_entry_hardlink_utf8(entry), ::archive_entry_hardlink(entry));
  out.executable = (::archive_entry_perm(entry) & 0100) != 0;
  if (::archive_entry_size_is_set(entry)) {
    const auto size = ::archive_entry_size(entry);
    if (size < 0) return fail(content_errc::bad_archive, "has an entry of a negative size");
    out.size = static_cast<std::uint64_t>(size);
  }
  return out;
}

result<std::optional<archive_block>> archive_reader::read() {
  const void* data = nullptr;
  std::size_t count = 0;
  la_int64_t offset = 0;
  const auto code = ::archive_read_data_block(state_->handle.get(), &data, &count, &offset);
  if (code == ARCHIVE_EOF) return std::nullopt;
  if (code < ARCHIVE_WARN || offset < 0) return state_->damaged();
  return archive_block{static_cast<std::uint64_t>(offset), {static_cast<const std::uint8_t*>(data), count}};
}

std::uint64_t archive_reader::bytes_read() const {
  return static_cast<std::uint64_t>(::archive_filter_bytes(state_->handle.get(), -1));
}

} // namespace swarm::content
