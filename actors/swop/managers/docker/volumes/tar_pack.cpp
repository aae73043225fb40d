#include "actors/swop/managers/docker/volumes/tar_pack.hpp"

#include "base/file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

namespace swarm::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece_bytes = 256 * 1024, block_bytes = 512;

struct writer_end {
  void operator()(archive* what) const { archive_write_free(what); }
};
struct entry_end {
  void operator()(archive_entry* what) const { archive_entry_free(what); }
};

/// Walks a folder and writes what it meets.
class packer {
public:
  packer(fs::path folder, std::uint32_t uid, std::uint32_t gid)
      : folder_(std::move(folder)), uid_(uid), gid_(gid), to_(archive_write_new()), at_(folder_, failure_) {
    archive_write_set_format_pax_restricted(to_.get());
    archive_write_set_bytes_per_block(to_.get(), 0);
    archive_write_open(to_.get(), this, nullptr, &packer::take, nullptr);
  }

  result<std::string> next() {
    out_.clear();
    while (out_.size() < piece_bytes && !done_)
      SWARM_CHECK(step());
    return std::move(out_);
  }

private:
  static la_ssize_t take(archive*, void* self, const void* data, std::size_t size) {
    static_cast<packer*>(self)->out_.append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  }

  tl::unexpected<error> failed(const fs::path& what) const {
    return fail(file_errc::io, "{}: cannot be read: {}", what.native(), failure_.message());
  }

  result<> step() {
    if (failure_) return failed(folder_);
    if (open_) return copy();
    if (at_ == fs::recursive_directory_iterator()) {
      archive_write_close(to_.get());
      done_ = true;
      return {};
    }
    const auto path = at_->path();
    const auto status = at_->symlink_status(failure_);
    if (failure_) return failed(path);
    SWARM_CHECK(begin(path, status));
    if (!open_) at_.increment(failure_);
    return {};
  }

  result<> begin(const fs::path& path, const fs::file_status& status) {
    const std::unique_ptr<archive_entry, entry_end> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), path.lexically_relative(folder_).c_str());
    archive_entry_set_uid(entry.get(), uid_);
    archive_entry_set_gid(entry.get(), gid_);
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(status.permissions() & fs::perms::all));
    if (fs::is_directory(status)) {
      archive_entry_set_filetype(entry.get(), AE_IFDIR);
    } else if (fs::is_symlink(status)) {
      archive_entry_set_filetype(entry.get(), AE_IFLNK);
      archive_entry_set_symlink(entry.get(), fs::read_symlink(path, failure_).c_str());
    } else if (fs::is_regular_file(status)) {
      archive_entry_set_filetype(entry.get(), AE_IFREG);
      SWARM_TRY(auto from, file::open(path, open_as::no_links));
      SWARM_TRY(left_, from.size());
      archive_entry_set_size(entry.get(), static_cast<la_int64_t>(left_));
      open_ = std::make_unique<file>(std::move(from));
    } else {
      return {};
    }
    if (archive_write_header(to_.get(), entry.get()) < ARCHIVE_WARN)
      return fail(errc::io, "{}: cannot be packed: {}", path.native(), archive_error_string(to_.get()));
    return {};
  }

  result<> copy() {
    buffer_.resize(piece_bytes);
    const auto wanted = std::min<std::uint64_t>(left_, buffer_.size());
    SWARM_TRY(const auto count, open_->read({buffer_.data(), static_cast<std::size_t>(wanted)}));
    if (count > 0) archive_write_data(to_.get(), buffer_.data(), count);
    left_ -= count;
    if (count > 0 && left_ > 0) return {};
    open_.reset(); // one that has become shorter meanwhile is filled up
    archive_write_finish_entry(to_.get());
    at_.increment(failure_);
    return {};
  }

  fs::path folder_;
  std::uint32_t uid_, gid_;
  std::unique_ptr<archive, writer_end> to_;
  std::error_code failure_;
  fs::recursive_directory_iterator at_;
  std::unique_ptr<file> open_;
  std::uint64_t left_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::string out_;
  bool done_ = false;
};

} // namespace

std::string tar_of_file(std::string_view name, std::string_view content) {
  std::string head(block_bytes, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { head.replace(at, text.size(), text); };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content.size()));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  unsigned sum = 0;
  for (const char c : head)
    sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  head.append(content);
  head.resize((head.size() + block_bytes - 1) / block_bytes * block_bytes, '\0');
  return head;
}

body_source tar_of_folder(const fs::path& folder, std::uint32_t uid, std::uint32_t gid) {
  return [by = std::make_shared<packer>(folder, uid, gid)] { return by->next(); };
}

} // namespace swarm::engine
