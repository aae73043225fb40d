// Archives: any bytes are unpacked below their folder, within their limits, or leave nothing.
#include "actors/swop/content/extract/extract.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/testing/temporary_folder.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

using namespace swarm;
namespace fs = std::filesystem;

namespace {

/// Every link leads to something below `root`, or to nothing.
void check_links(const fs::path& root) {
  for (const auto& each : fs::recursive_directory_iterator(root)) {
    struct stat info {};
    SWARM_ASSERT(::lstat(each.path().c_str(), &info) == 0);
    SWARM_ASSERT(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) || S_ISLNK(info.st_mode));
    SWARM_ASSERT(S_ISLNK(info.st_mode) || (info.st_mode & 07022) == 0);
    if (!each.is_symlink()) continue;
    std::error_code loop;
    const auto real = fs::weakly_canonical(each.path(), loop);
    SWARM_ASSERT(loop || real == root || real.native().starts_with(root.native() + "/"));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const swarm::testing::temporary_folder work;
  const auto archive = work.path() / "archive";
  const auto to = work.path() / "out";
  SWARM_ASSERT(replace_file(archive, {data, size}));
  const content::extract_limits limits{
      .bytes_max = 1 << 20, .entries_max = 200, .ratio_max = 100, .unsuspicious_bytes = 1 << 18};
  const auto done = content::extract(archive, to, limits, {});
  if (done) {
    SWARM_ASSERT(done->bytes <= limits.bytes_max && done->entries <= limits.entries_max);
    check_links(to);
    fs::remove_all(to);
  } else {
    SWARM_ASSERT(!done.error().message.empty());
  }
  // Nothing else was made: the archive is alone again.
  SWARM_ASSERT(std::distance(fs::directory_iterator(work.path()), {}) == 1);
  return 0;
}
