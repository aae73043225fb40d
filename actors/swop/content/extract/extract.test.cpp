// Archives that want out of their folder, and bombs.
#include "actors/swop/content/extract/extract.hpp"

#include "actors/swop/content/relative_path.hpp"
#include "base/file.hpp"
#include "base/testing/wording.hpp"
#include "transport/testing/test_support.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

namespace extract_test {

using namespace swarm;
using namespace swarm::content;
using swarm::testing::wording;
using swarm::transport::test::read_file;
using swarm::transport::test::write_file;
namespace fs = std::filesystem;

namespace {

struct wish {
  std::string path;
  std::string data;
  unsigned type = AE_IFREG;
  std::string symlink, hard_link;
  unsigned mode = 0644;
  std::int64_t size = -1; ///< more than there is data: a hole follows
};

wish folder_wish(std::string path) {
  return {
      .path = std::move(path), .data = {}, .type = AE_IFDIR, .symlink = {}, .hard_link = {}, .mode = 0755};
}
wish link_wish(std::string path, std::string target) {
  return {
      .path = std::move(path), .data = {}, .type = AE_IFLNK, .symlink = std::move(target), .hard_link = {}};
}
wish hard_link_wish(std::string path, std::string target) {
  return {
      .path = std::move(path), .data = {}, .type = AE_IFREG, .symlink = {}, .hard_link = std::move(target)};
}

enum class packing { tar, tar_gz, tar_xz, tar_zst, zip, zip_encrypted };

void set_up(::archive* to, packing how) {
  if (how == packing::zip || how == packing::zip_encrypted) {
    ::archive_write_set_format_zip(to);
    if (how == packing::zip_encrypted) {
      ::archive_write_set_options(to, "zip:encryption=aes256");
      ::archive_write_set_passphrase(to, "secret");
    }
    return;
  }
  ::archive_write_set_format_pax_restricted(to);
  if (how == packing::tar_gz) ::archive_write_add_filter_gzip(to);
  if (how == packing::tar_xz) ::archive_write_add_filter_xz(to);
  if (how == packing::tar_zst) ::archive_write_add_filter_zstd(to);
}

void add(::archive* to, const wish& each) {
  auto* entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, each.path.c_str());
  ::archive_entry_set_filetype(entry, each.type);
  ::archive_entry_set_perm(entry, each.mode);
  const auto bytes = static_cast<std::int64_t>(each.data.size());
  if (each.type == AE_IFREG && each.hard_link.empty())
    ::archive_entry_set_size(entry, std::max(each.size, bytes));
  if (each.size > bytes) {
    ::archive_entry_sparse_add_entry(entry, 0, bytes);
  }
  if (!each.symlink.empty()) ::archive_entry_set_symlink(entry, each.symlink.c_str());
  if (!each.hard_link.empty()) ::archive_entry_set_hardlink(entry, each.hard_link.c_str());
  if (each.type == AE_IFCHR) ::archive_entry_set_rdev(entry, 0x103);
  REQUIRE(::archive_write_header(to, entry) >= ARCHIVE_WARN); // it warns of names that are not ASCII
  if (!each.data.empty()) ::archive_write_data(to, each.data.data(), each.data.size());
  ::archive_entry_free(entry);
}

struct fixture {
  transport::test::temp_folder folder;
  fs::path archive = folder.path() / "a";
  fs::path to = folder.path() / "out";
  extract_limits limits;

  void pack(const std::vector<wish>& entries, packing how = packing::tar) const {
    auto* made = ::archive_write_new();
    set_up(made, how);
    REQUIRE(::archive_write_open_filename(made, archive.c_str()) == ARCHIVE_OK);
    for (const auto& each : entries)
      add(made, each);
    REQUIRE(::archive_write_close(made) == ARCHIVE_OK);
    ::archive_write_free(made);
  }
  result<extract_report> run() const { return extract(archive, to, limits, {}); }
  /// Fails, and leaves nothing.
  void refused(content_errc why) const {
    const auto done = run();
    REQUIRE_FALSE(done);
    CHECK_MESSAGE(done.error().is(why), done.error().message);
    CHECK_FALSE(fs::exists(to));
    CHECK_FALSE(fs::exists(to.native() + ".unpacking"));
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "what every format holds comes out") {
  for (const auto how : {packing::tar, packing::tar_gz, packing::tar_xz, packing::tar_zst, packing::zip}) {
    fs::remove_all(to);
    CAPTURE(static_cast<int>(how));
    pack({folder_wish("d/"),
          {.path = "d/f", .data = "text"},
          {.path = "./run.sh", .data = "#!", .mode = 0775},
          {.path = "g/h/i", .data = std::string(300'000, 'x')},
          {.path = "empty", .data = ""},
          {.path = "d/gr\xc3\xbc\xc3\x9f", .data = "1"},
          link_wish("l", "d/f"),
          link_wish("d/up", "../run.sh")},
         how);
    const auto done = run();
    if (!done) MESSAGE(done.error().message);
    REQUIRE(done);
    CHECK(done->entries == 8);
    CHECK(read_file(to / "d/f") == "text");
    CHECK(read_file(to / "l") == "text");
    CHECK(read_file(to / "d/up") == "#!");
    CHECK(fs::file_size(to / "g/h/i") == 300'000);
    CHECK(fs::exists(to / "empty"));
    CHECK(read_file(to / "d/gr\xc3\xbc\xc3\x9f") == "1");
    CHECK((fs::status(to / "run.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
  }
}

TEST_CASE_FIXTURE(fixture, "nothing leaves the folder by its name") {
  for (const auto* bad : {"../out-of-it", "a/../../b", "/abs", "a/..", "//x", "a/b\nc"}) {
    CAPTURE(bad);
    pack({{.path = "good", .data = "1"}, {.path = bad, .data = "2"}});
    refused(content_errc::unsafe_archive);
  }
  CHECK_FALSE(fs::exists(folder.path() / "out-of-it"));
}

TEST_CASE_FIXTURE(fixture, "nothing leaves the folder through a link") {
  const auto outside = folder.path() / "outside";
  fs::create_directory(outside);
  for (const auto& target : {outside.native(), std::string("../outside"), std::string("d/../../outside"),
                             std::string("d/.."), std::string("..")}) {
    CAPTURE(target);
    pack({folder_wish("d"), link_wish("l", target), {.path = "l/f", .data = "x"}});
    refused(content_errc::unsafe_archive);
  }
  // A link that stays inside is still not written through, and one that moves up is no step out for the next.
  pack({folder_wish("d"), link_wish("l", "d"), {.path = "l/f", .data = "x"}});
  refused(content_errc::unsafe_archive);
  pack({folder_wish("d"), link_wish("d/up", ".."), link_wish("d/leak", "up/..")});
  refused(content_errc::unsafe_archive);
  CHECK(fs::is_empty(outside));
}

TEST_CASE_FIXTURE(fixture, "a link in the place of a file is replaced, not written through") {
  pack({{.path = "a", .data = "old"}, link_wish("b", "a"), {.path = "b", .data = "new"}});
  REQUIRE(run());
  CHECK(read_file(to / "a") == "old");
  CHECK(read_file(to / "b") == "new");
}

TEST_CASE_FIXTURE(fixture, "second names are of files of the archive only") {
  write_file(folder.path() / "secret", "secret");
  pack({{.path = "d/a", .data = "data"}, hard_link_wish("b", "d/a")});
  REQUIRE(run());
  CHECK(read_file(to / "b") == "data");
  fs::remove_all(to);
  for (const auto& target : {std::string("../secret"), (folder.path() / "secret").native()}) {
    CAPTURE(target);
    pack({hard_link_wish("b", target)});
    refused(content_errc::unsafe_archive);
  }
  pack({folder_wish("d"), link_wish("l", "d"), hard_link_wish("b", "l")});
  refused(content_errc::unsafe_archive);
}

TEST_CASE_FIXTURE(fixture, "devices and pipes are refused, special permissions are not taken over") {
  pack({{.path = "null", .data = {}, .type = AE_IFCHR}});
  refused(content_errc::unsafe_archive);
  pack({{.path = "pipe", .data = {}, .type = AE_IFIFO}});
  refused(content_errc::unsafe_archive);
  pack({{.path = "root", .data = "x", .type = AE_IFREG, .symlink = {}, .hard_link = {}, .mode = 06777}});
  REQUIRE(run());
  struct stat info {};
  REQUIRE(::stat((to / "root").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0755);
}

TEST_CASE_FIXTURE(fixture, "bombs are cut off: bytes, ratio, entries, holes, second names, depth") {
  limits.bytes_max = 10 << 20;
  limits.unsuspicious_bytes = 1 << 20;
  const auto mebibyte = std::string(1 << 20, '\0');
  SUBCASE("bytes") {
    limits.ratio_max = 1 << 30;
    for (const auto how : {packing::tar_gz, packing::zip, packing::tar_zst}) {
      pack(std::vector<wish>(11, {.path = "f", .data = mebibyte}), how);
      refused(content_errc::archive_bomb);
    }
  }
  SUBCASE("ratio") {
    limits.bytes_max = std::uint64_t{1} << 40;
    limits.ratio_max = 100;
    pack(std::vector<wish>(40, {.path = "f", .data = mebibyte}), packing::tar_xz);
    refused(content_errc::archive_bomb);
  }
  SUBCASE("entries") {
    limits.entries_max = 100;
    pack(std::vector<wish>(101, {.path = "f", .data = ""}));
    refused(content_errc::archive_bomb);
  }
  SUBCASE("holes") {
    pack({{.path = "f",
           .data = "x",
           .type = AE_IFREG,
           .symlink = {},
           .hard_link = {},
           .mode = 0644,
           .size = std::int64_t{1} << 40}});
    refused(content_errc::archive_bomb);
  }
  SUBCASE("second names") {
    limits.ratio_max = 1 << 30;
    std::vector<wish> entries{{.path = "f", .data = mebibyte}};
    for (int i = 0; i < 10; ++i)
      entries.push_back(hard_link_wish("g" + std::to_string(i), "f"));
    pack(entries);
    refused(content_errc::archive_bomb);
  }
  SUBCASE("depth") {
    std::string path;
    for (std::size_t i = 0; i <= path_depth_max; ++i)
      path += "d/";
    pack({{.path = path + "f", .data = "x"}});
    refused(content_errc::unsafe_archive);
  }
}

TEST_CASE_FIXTURE(fixture, "a real file with a hole keeps its length") {
  pack({{.path = "f",
         .data = "x",
         .type = AE_IFREG,
         .symlink = {},
         .hard_link = {},
         .mode = 0644,
         .size = 1 << 20}});
  REQUIRE(run());
  CHECK(fs::file_size(to / "f") == 1 << 20);
}

TEST_CASE_FIXTURE(fixture, "damaged, truncated, encrypted and unknown archives") {
  std::string noise;
  for (int i = 0; i < 400'000; ++i)
    noise += static_cast<char>(i * 2654435761U >> 24);
  for (const auto how : {packing::tar, packing::tar_gz, packing::tar_xz, packing::tar_zst, packing::zip}) {
    CAPTURE(static_cast<int>(how));
    pack({{.path = "f", .data = noise}}, how);
    fs::resize_file(archive, fs::file_size(archive) / 2);
    refused(content_errc::bad_archive);
  }
  for (const auto how : {packing::tar_xz, packing::zip}) { // libarchive does not check gzip's sum
    CAPTURE(static_cast<int>(how));
    pack({{.path = "f", .data = noise}}, how);
    std::fstream change(archive);
    change.seekp(static_cast<std::streamoff>(fs::file_size(archive) / 2));
    change.write("damage", 6);
    change.close();
    refused(content_errc::bad_archive);
  }
  pack({{.path = "f", .data = noise}}, packing::zip_encrypted);
  refused(content_errc::bad_archive);
  CHECK(wording(run().error()).contains("is encrypted"));
  write_file(archive, "no archive at all");
  refused(content_errc::bad_archive);
  write_file(archive, "");
  refused(content_errc::bad_archive);
  fs::remove(archive);
  CHECK(run().error().is(file_errc::not_found));
}

TEST_CASE_FIXTURE(fixture, "what is there already is joined, and left alone by a failure") {
  fs::create_directories(to / "d");
  write_file(to / "d/old", "old");
  write_file(to / "d/both", "old");
  pack({{.path = "d/both", .data = "new"}, {.path = "../x", .data = ""}});
  CHECK_FALSE(run());
  CHECK(read_file(to / "d/both") == "old");
  pack({{.path = "d/both", .data = "new"}, {.path = "e/f", .data = "1"}});
  REQUIRE(run());
  CHECK(read_file(to / "d/both") == "new");
  CHECK(read_file(to / "d/old") == "old");
  CHECK(read_file(to / "e/f") == "1");
  // A folder of a second archive is not joined with what a link of the first one shows.
  fs::create_directory_symlink("d", to / "l");
  pack({{.path = "l/f", .data = "1"}});
  CHECK(run().error().is(content_errc::unsafe_archive));
}

TEST_CASE_FIXTURE(fixture, "a stop ends it") {
  pack({{.path = "f", .data = "x"}});
  std::stop_source stop;
  stop.request_stop();
  const auto done = extract(archive, to, limits, stop.get_token());
  REQUIRE_FALSE(done);
  CHECK(done.error().is(content_errc::stopped));
  CHECK_FALSE(fs::exists(to));
}

TEST_CASE("links: '..' only in front, and no more than there are folders") {
  const std::vector<std::string> top, deep{"a", "b"};
  CHECK(link_stays_inside(top, "x/y"));
  CHECK(link_stays_inside(top, "./x"));
  CHECK(link_stays_inside(deep, "../../x"));
  CHECK(link_stays_inside(deep, ".././../x"));
  CHECK(link_stays_inside(deep, "../.."));
  for (const auto* bad : {"", "/", "/x", "..", "../x", "x/..", "x/../..", "./../x"})
    CHECK_FALSE(link_stays_inside(top, bad));
  for (const auto* bad : {"../../..", "../../../x", "../x/../..", ".././../../x", "..//..//../x"})
    CHECK_FALSE(link_stays_inside(deep, bad));
}

} // namespace extract_test
