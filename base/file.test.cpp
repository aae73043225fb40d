#include "base/file.hpp"

#include "base/disk_observer.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

namespace file_test {

using namespace swarm;
using swarm::testing::says;
using swarm::testing::wording;
namespace fs = std::filesystem;

namespace {

/// Files of a test.
struct scratch {
  swarm::testing::temporary_folder folder;
  const fs::path& where = folder.path();
  fs::path operator/(std::string_view name) const { return where / name; }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(where), {}));
  }
};

template <class T>
wording message_of(const result<T>& from) {
  return from ? "no error" : from.error().message;
}

/// `message_of` begins with the path, so that whoever reads it knows where to look.
template <class T>
bool names(const result<T>& from, const fs::path& path) {
  return message_of(from).starts_with(path.native() + ": ");
}

std::string text_in(const fs::path& path) {
  return read_file(path, 1 << 20).value();
}

unsigned mode_of(const fs::path& path) {
  return file::open(path).value().mode().value();
}

/// What is told to an observer, as words.
struct diary : disk_observer {
  diary() { observe_disk(this); }
  ~diary() override { observe_disk(nullptr); }
  void on_change(const disk_change& change) override {
    using kind = disk_change_kind;
    const auto name = change.path.filename().string();
    switch (change.kind) {
    case kind::create:
      return lines.push_back("create " + name);
    case kind::write:
      return lines.push_back(fmt::format("write {} at {} to {}", as_text(change.data), change.offset, name));
    case kind::resize:
      return lines.push_back(fmt::format("resize {} to {}", name, change.size));
    case kind::sync:
      return lines.push_back("sync " + name);
    case kind::rename:
      return lines.push_back("rename " + name + " to " + change.to->filename().string());
    case kind::remove:
      return lines.push_back("remove " + name);
    case kind::sync_folder:
      return lines.push_back("sync folder"); // NOLINT(modernize-use-emplace): emplace_back returns something
    }
  }
  std::vector<std::string> lines;
};

/// Runs `task` in a thread with mounts of its own, where `folder` is a small disk. False: this user may not.
template <class Task>
bool on_small_disk(const fs::path& folder, Task task) {
  bool tried = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return;
    if (::mount("none", folder.c_str(), "tmpfs", 0, "size=256k") != 0) return;
    tried = true;
    task();
    ::umount2(folder.c_str(), MNT_DETACH);
  }).join();
  return tried;
}

} // namespace

TEST_CASE("a file is replaced as a whole, and old text goes") {
  const scratch in;
  const auto path = in / "note";
  REQUIRE(replace_file(path, as_bytes("first and long"), 0640));
  CHECK(text_in(path) == "first and long");
  CHECK(mode_of(path) == 0640);
  REQUIRE(replace_file(path, as_bytes("second")));
  CHECK(text_in(path) == "second");
  CHECK(mode_of(path) == 0600);
  REQUIRE(replace_file(path, {}));
  CHECK(text_in(path).empty());
  CHECK(in.entries() == 1);
}

TEST_CASE("what a killed process left beside a file is in nobody's way") {
  const scratch in;
  REQUIRE(file::create(in / "note.new").value().write_at(0, as_bytes("half of something much longer")));
  REQUIRE(replace_file(in / "note", as_bytes("whole")));
  CHECK(text_in(in / "note") == "whole");
  CHECK(in.entries() == 1);
}

TEST_CASE("a file is replaced in the order that survives a power cut") {
  const scratch in;
  diary told;
  REQUIRE(replace_file(in / "note", as_bytes("x")));
  CHECK(told.lines
        == std::vector<std::string>{"create note.new", "write x at 0 to note.new", "sync note.new",
                                    "rename note.new to note", "sync folder"});
  told.lines.clear();
  REQUIRE(create_file(in / "key", as_bytes("y")));
  REQUIRE(told.lines.size() == 5);
  CHECK(told.lines[1].starts_with("write y at 0 to key."));
  CHECK(told.lines[2].starts_with("sync key."));
  CHECK(told.lines[3].ends_with(" to key"));
  CHECK(told.lines[4] == "sync folder");
  told.lines.clear();
  REQUIRE(make_folders(in / "a/b"));
  CHECK(std::count(told.lines.begin(), told.lines.end(), "sync folder") >= 2);
}

TEST_CASE("a symbolic link is replaced, not followed") {
  const scratch in;
  REQUIRE(replace_file(in / "other", as_bytes("untouched")));
  fs::create_symlink(in / "other", in / "note");
  REQUIRE(replace_file(in / "note", as_bytes("own")));
  CHECK(!fs::is_symlink(in / "note"));
  CHECK(text_in(in / "other") == "untouched");
  CHECK(text_in(in / "note") == "own");
}

TEST_CASE("a new file never takes the place of another") {
  const scratch in;
  REQUIRE(create_file(in / "key", as_bytes("one"), 0600));
  const auto second = create_file(in / "key", as_bytes("two"));
  REQUIRE(!second);
  CHECK(second.error().is(file_errc::exists));
  CHECK(names(second, in / "key"));
  CHECK(text_in(in / "key") == "one");
  fs::create_symlink(in / "nowhere", in / "dangling");
  CHECK(create_file(in / "dangling", as_bytes("x")).error().is(file_errc::exists));
  CHECK(file::create(in / "dangling").error().is(file_errc::exists));
  CHECK(!fs::exists(in / "nowhere"));
  CHECK(in.entries() == 2);
}

TEST_CASE("of many that make the same file one wins, and its file is whole") {
  const scratch in;
  std::vector<int> won(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < won.size(); ++i)
    threads.emplace_back([&, i] {
      const auto made = create_file(in / "key", as_bytes(std::string(1000, static_cast<char>('a' + i))));
      won[i] = made ? 1 : made.error().is(file_errc::exists) ? 0 : 100;
    });
  for (auto& each : threads)
    each.join();
  const auto winner = std::find(won.begin(), won.end(), 1) - won.begin();
  CHECK(std::count(won.begin(), won.end(), 1) == 1);
  CHECK(std::count(won.begin(), won.end(), 0) == 7);
  CHECK(text_in(in / "key") == std::string(1000, static_cast<char>('a' + winner)));
  CHECK(in.entries() == 1);
}

TEST_CASE("reading keeps to its bound, whatever the file says of its size") {
  const scratch in;
  REQUIRE(replace_file(in / "file", as_bytes(std::string(200'000, 'x'))));
  CHECK(read_file(in / "file", 200'000).value().size() == 200'000);
  const auto over = read_file(in / "file", 199'999);
  REQUIRE(!over);
  CHECK(over.error().is(file_errc::too_large));
  CHECK(message_of(over) == (in / "file").native() + ": has more than 199999 bytes");
  CHECK(read_file("/proc/self/status", 1 << 20).value().find("Name:")
        == 0); // a size of 0, by its own account
  CHECK(read_file("/proc/self/status", 10).error().is(file_errc::too_large));
  CHECK(read_file("/dev/zero", 10, open_as::stream).error().is(file_errc::too_large));
}

TEST_CASE("what cannot be read is named") {
  const scratch in;
  const auto none = read_file(in / "none", 10);
  REQUIRE(!none);
  CHECK(none.error().is(file_errc::not_found));
  CHECK(names(none, in / "none"));
  for (const auto what : {open_as::regular, open_as::no_links, open_as::stream}) {
    const auto folder = read_file(in.where, 10, what);
    REQUIRE(!folder);
    CHECK(folder.error().is(file_errc::wrong_kind));
    CHECK(message_of(folder) == in.where.native() + ": is a folder, not a file");
  }
  REQUIRE(::mkfifo((in / "fifo").c_str(), 0600) == 0);
  const auto fifo = read_file(in / "fifo", 10); // and nobody writes to it
  REQUIRE(!fifo);
  CHECK(fifo.error().is(file_errc::wrong_kind));
  REQUIRE(replace_file(in / "file", as_bytes("text")));
  fs::create_symlink(in / "file", in / "link");
  CHECK(text_in(in / "link") == "text");
  CHECK(file::open(in / "link", open_as::no_links).error().is(file_errc::wrong_kind));
  CHECK(read_file(in / "file/below", 10).error().is(file_errc::not_found));
}

TEST_CASE("a stream is read to its end") {
  const scratch in;
  REQUIRE(::mkfifo((in / "fifo").c_str(), 0600) == 0);
  std::thread writer([&] {
    std::system(("printf hello > '" + (in / "fifo").string() + "'").c_str()); // NOLINT(concurrency-mt-unsafe)
  });
  CHECK(read_file(in / "fifo", 10, open_as::stream).value() == "hello");
  writer.join();
}

TEST_CASE("a folder that is missing, or is none, is named with the remedy") {
  const scratch in;
  for (const auto& outcome :
       {replace_file(in / "no/note", as_bytes("x")), create_file(in / "no/note", as_bytes("x"))}) {
    REQUIRE(!outcome);
    CHECK(outcome.error().is(file_errc::not_found));
    CHECK(message_of(outcome).starts_with((in / "no/note").native()));
    CHECK(says(message_of(outcome), "its folder does not exist; make it first"));
  }
  CHECK(sync_folder(in / "no").error().is(file_errc::not_found));
  REQUIRE(replace_file(in / "file", as_bytes("x")));
  CHECK(!sync_folder(in / "file"));
  CHECK(!replace_file(in / "file/note", as_bytes("x")));
  const auto blocked = make_folders(in / "file");
  REQUIRE(!blocked);
  CHECK(blocked.error().is(file_errc::wrong_kind));
  CHECK(says(message_of(blocked), "move it away or choose another path"));
  CHECK(!make_folders(in / "file/below"));
}

TEST_CASE("a folder in place of the file is left alone") {
  const scratch in;
  REQUIRE(make_folders(in / "note/inside"));
  const auto outcome = replace_file(in / "note", as_bytes("x"));
  REQUIRE(!outcome);
  CHECK(outcome.error().is(file_errc::wrong_kind));
  CHECK(says(message_of(outcome), (in / "note").native()));
  CHECK(fs::is_directory(in / "note/inside"));
  CHECK(in.entries() == 1); // no draft is left behind
  CHECK(create_file(in / "note", as_bytes("x")).error().is(file_errc::exists));
  CHECK(!remove_file(in / "note"));
}

TEST_CASE("folders are made with what lacks above them") {
  const scratch in;
  REQUIRE(make_folders(in / "a/b/c/", 0700));
  CHECK((fs::status(in / "a/b/c").permissions() & fs::perms::mask) == fs::perms::owner_all);
  CHECK((fs::status(in / "a").permissions() & fs::perms::group_exec) != fs::perms::none);
  REQUIRE(make_folders(in / "a/b/c"));
  CHECK((fs::status(in / "a/b/c").permissions() & fs::perms::mask) == fs::perms::owner_all);
}

TEST_CASE("removing says whether there was anything") {
  const scratch in;
  REQUIRE(replace_file(in / "file", as_bytes("x")));
  CHECK(remove_file(in / "file").value());
  CHECK(!remove_file(in / "file").value());
}

TEST_CASE("a lock is held by one, and let go with its object") {
  const scratch in;
  {
    const auto first = file::lock(in / "lock");
    REQUIRE(first);
    const auto second = file::lock(in / "lock");
    REQUIRE(!second);
    CHECK(second.error().is(file_errc::locked));
    CHECK(names(second, in / "lock"));
  }
  CHECK(file::lock(in / "lock"));
  CHECK(file::lock(in / "no/lock").error().is(file_errc::not_found));
}

TEST_CASE("a full disk is told from other trouble, and the old content stays") {
  const scratch in;
  const bool tried = on_small_disk(in.where, [&] {
    REQUIRE(replace_file(in / "note", as_bytes("old")));
    const auto outcome = replace_file(in / "note", as_bytes(std::string(512 * 1024, 'x')));
    REQUIRE(!outcome);
    CHECK(outcome.error().is(file_errc::no_room));
    CHECK(says(message_of(outcome), "make room or choose another disk"));
    CHECK(text_in(in / "note") == "old");
    CHECK(in.entries() == 1);
    CHECK(file::create(in / "big").value().reserve(1 << 20).error().is(file_errc::no_room));
  });
  if (!tried) MESSAGE("not tried: this user may not mount a small disk");
}

TEST_CASE("a disk that is read-only is told from other trouble") {
  const scratch in;
  const bool tried = on_small_disk(in.where, [&] {
    REQUIRE(replace_file(in / "note", as_bytes("old")));
    REQUIRE(::mount("none", in.where.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    for (const auto& outcome :
         {replace_file(in / "note", as_bytes("new")), create_file(in / "key", as_bytes("new"))}) {
      REQUIRE(!outcome);
      CHECK(outcome.error().is(file_errc::denied));
      CHECK(says(message_of(outcome), "choose a place on a file system that can be written"));
    }
    CHECK(!remove_file(in / "note"));
    CHECK(text_in(in / "note") == "old");
  });
  if (!tried) MESSAGE("not tried: this user may not mount a small disk");
}

TEST_CASE("a folder that this user may not write to is named with the remedy") {
  const scratch in;
  fs::permissions(in.where, fs::perms(0755));
  REQUIRE(make_folders(in / "sealed", 0555));
  std::thread([&] {
    ::setfsuid(65534); // of this thread; fails where the tests are not run by root, who may do everything
    for (const auto& outcome :
         {replace_file(in / "sealed/note", as_bytes("x")), create_file(in / "sealed/note", as_bytes("x"))}) {
      REQUIRE(!outcome);
      CHECK(outcome.error().is(file_errc::denied));
      CHECK(says(message_of(outcome), "check owner and mode"));
    }
    CHECK(make_folders(in / "sealed/below").error().is(file_errc::denied));
  }).join();
  CHECK(fs::is_empty(in / "sealed"));
}

TEST_CASE("a descriptor has one owner") {
  int raw = -1;
  {
    unique_fd first(::memfd_create("test", 0));
    raw = first.get();
    unique_fd second(std::move(first));
    CHECK(!first); // NOLINT(bugprone-use-after-move)
    CHECK(second.get() == raw);
    unique_fd third(::memfd_create("other", 0));
    third = std::move(second);
    CHECK(third.get() == raw);
  }
  struct stat info {};
  CHECK(::fstat(raw, &info) != 0);
}

} // namespace file_test
