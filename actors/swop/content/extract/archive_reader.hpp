#pragma once

#include "actors/swop/content/errors.hpp"
#include "base/bytes.hpp"
#include "base/file.hpp"

#include <memory>
#include <optional>
#include <string>

namespace swarm::content {

/// One entry of an archive, as the archive says it.
struct archive_entry_head {
  enum class kind { file, folder, symlink, hard_link, other };
  kind what = kind::other;
  std::string path;
  std::string link; ///< of links: where to
  bool executable = false;
  std::uint64_t size = 0; ///< 0 where the archive does not say
};

struct archive_block {
  std::uint64_t offset = 0;
  bytes_view data; ///< until the next call
};

/// Reads an archive from its beginning to its end.
class archive_reader {
public:
  static result<archive_reader> open(const std::filesystem::path& path);
  ~archive_reader();
  archive_reader(archive_reader&&) noexcept;
  archive_reader& operator=(archive_reader&&) noexcept;

  /// Nothing at the archive's end.
  result<std::optional<archive_entry_head>> next();
  /// The next bytes of the current entry; nothing at its end. There may be holes between blocks.
  result<std::optional<archive_block>> read();
  /// Bytes of the archive that were read so far.
  std::uint64_t bytes_read() const;

private:
  struct state;
  explicit archive_reader(std::unique_ptr<state> from);
  std::unique_ptr<state> state_;
};

} // namespace swarm::content
