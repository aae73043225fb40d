#include "base/mapped_file.hpp"

#include "base/testing/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>

namespace swarm {

namespace {

/// Bytes of this mapping that count as memory of this process (proc(5), smaps).
std::uint64_t resident_bytes(bytes_view mapped) {
  std::ifstream maps("/proc/self/smaps");
  std::ostringstream begin;
  begin << std::hex << reinterpret_cast<std::uintptr_t>(mapped.data()) << '-';
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with(begin.str())) here = true;
    if (here && line.starts_with("Rss:")) return std::stoull(line.substr(4)) * 1024;
  }
  return 0;
}

std::uint64_t sum_of(bytes_view mapped, std::uint64_t from, std::uint64_t size) {
  const auto part = mapped.subspan(from, size);
  note_mapped_read(size);
  return std::accumulate(part.begin(), part.end(), std::uint64_t{0});
}

} // namespace

TEST_CASE("pages of mapped files do not pile up, and what they hold stays readable") {
  const testing::temporary_folder folder;
  const auto path = folder.path() / "mapped";
  constexpr std::uint64_t size = 3 * mapped_resident_max, piece = 1u << 20;
  {
    const auto made = file::create(path);
    REQUIRE(made);
    REQUIRE(made->write_at(0, bytes(size, 1)));
  }
  const auto opened = file::open(path);
  REQUIRE(opened);
  auto mapped = mapped_file::map(*opened, size);
  REQUIRE(mapped);
  REQUIRE(remove_file(path));
  for (std::uint64_t from = 0; from < size; from += piece) {
    CHECK(sum_of(mapped->view(), from, piece) == piece);
    CHECK(resident_bytes(mapped->view()) <= mapped_resident_max + 2 * piece);
  }
  const auto moved = std::move(*mapped);
  CHECK(mapped->view().empty());
  CHECK(sum_of(moved.view(), 0, size) == size);
}

TEST_CASE("what cannot be mapped is named") {
  const testing::temporary_folder folder;
  const auto made = file::create(folder.path() / "empty");
  REQUIRE(made);
  const auto mapped = mapped_file::map(*made, 0);
  REQUIRE_FALSE(mapped);
  CHECK(mapped.error().message.find("empty: 0 bytes cannot be mapped") != std::string::npos);
}

} // namespace swarm
