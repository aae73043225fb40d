#pragma once

#include "base/bytes.hpp"
#include "base/file.hpp"

#include <cstdint>

namespace swarm {

/// A file, mapped read-only into memory. It stays readable while the object lives, even when its name is gone; it must not
/// be cut off meanwhile.
///
/// Pages that were read count as memory of this process although they are the page cache's. Whoever reads much of mapped files
/// says so with `note_mapped_read`, and now and then the pages of all of them are let go of: so a process has about
/// `mapped_resident_max` bytes of them, however large they are.
class mapped_file {
public:
  mapped_file() = default;
  /// The first `size` bytes of `from`, which has as many. Fails with errc::io.
  static result<mapped_file> map(const file& from, std::uint64_t size);
  mapped_file(mapped_file&& from) noexcept;
  mapped_file& operator=(mapped_file&& from) noexcept;
  ~mapped_file();

  bytes_view view() const { return view_; }

private:
  bytes_view view_;
};

inline constexpr std::uint64_t mapped_resident_max = 64u << 20;

/// So many bytes, of mapped files or at least by way of the same code, have been read. From any thread.
void note_mapped_read(std::uint64_t size);

} // namespace swarm
