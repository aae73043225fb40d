#include "actors/node/key_file.hpp"

#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace key_file_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::ledger;
using swarm::testing::says;
namespace fs = std::filesystem;

namespace {

/// Files of a test.
struct scratch {
  swarm::testing::temporary_folder folder;
  const fs::path& where = folder.path();
  std::string file(const std::string& name) const { return (where / name).string(); }
  std::string file(const std::string& name, std::string_view content, ::mode_t mode = 0600) const {
    std::ofstream(file(name), std::ios::binary) << content;
    REQUIRE(::chmod(file(name).c_str(), mode) == 0);
    return file(name);
  }
};

const std::string digits(64, '4');

} // namespace

TEST_CASE("a key file is made once, private and complete, and read ever after") {
  const scratch folder;
  const auto path = folder.file("node.key");
  const auto made = load_or_make_key(path).value();
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(fs::file_size(path) == 65);
  CHECK(load_or_make_key(path).value().account() == made.account());
  CHECK(load_key(path).value().account() == made.account());
  CHECK(std::distance(fs::directory_iterator(folder.where), {}) == 1); // no draft is left behind
}

TEST_CASE("programs that start together agree on one key") {
  const scratch folder;
  const auto path = folder.file("node.key");
  std::vector<address> seen(8);
  std::vector<std::thread> starters;
  for (auto& mine : seen)
    starters.emplace_back([&path, &mine] {
      if (auto key = load_or_make_key(path)) mine = key->account();
    });
  for (auto& starter : starters)
    starter.join();
  for (const auto& mine : seen)
    CHECK((mine == seen[0] && !mine.is_zero()));
  CHECK(std::distance(fs::directory_iterator(folder.where), {}) == 1);
}

TEST_CASE("key files are accepted in the ways people write them") {
  const scratch folder;
  std::string known(64, '4');
  for (std::size_t i = 1; i < 64; i += 2)
    known[i] = '6';
  for (const auto& content : {known, known + "\n", "0x" + known + "\r\n", "  " + known + "  "})
    CHECK(load_key(folder.file("node.key", content)).value().account() == vectors::account46);
  CHECK(load_key(folder.file("read_only.key", known, 0400)));
}

TEST_CASE("a key file that others can reach is refused with the remedy") {
  const scratch folder;
  for (const ::mode_t mode : {0640, 0604, 0620, 0644, 0777}) {
    const auto outcome = load_or_make_key(folder.file("node.key", digits, mode));
    REQUIRE(!outcome);
    CHECK(outcome.error().is(key_errc::file_access));
    CHECK(says(outcome.error(), "chmod 600"));
    CHECK(says(outcome.error(), folder.file("node.key")));
  }
}

TEST_CASE("files that hold no key are refused and left alone") {
  const scratch folder;
  const auto refused = [&](const std::string& content, key_errc rule) {
    const auto path = folder.file("node.key", content);
    const auto outcome = load_or_make_key(path);
    REQUIRE(!outcome);
    CHECK(outcome.error().is(rule));
    CHECK(says(outcome.error(), path));
    // The error must not show what might be a secret.
    CHECK(outcome.error().message.find("44444444") == std::string::npos);
    CHECK(fs::file_size(path) == content.size());
  };
  refused("", key_errc::file_malformed);
  refused(digits.substr(1), key_errc::file_malformed);
  refused(digits + "44", key_errc::file_malformed);
  refused(digits.substr(1) + "g", key_errc::file_malformed);
  refused(std::string(100'000, '4'), key_errc::file_malformed);
  refused(std::string(64, '0'), key_errc::invalid_key);
  refused(std::string(64, 'f'), key_errc::invalid_key);
}

TEST_CASE("paths that cannot hold a key are named") {
  const scratch folder;
  const auto missing = load_or_make_key(folder.file("no/such/node.key"));
  REQUIRE(!missing);
  CHECK(missing.error().is(key_errc::file_io));
  CHECK(says(missing.error(), "directory must exist"));
  CHECK(load_key(folder.file("none")).error().is(key_errc::file_io));
  CHECK(load_or_make_key(folder.where.string()).error().category == "key");
  fs::create_symlink(folder.file("nowhere"), folder.file("dangling"));
  CHECK(load_or_make_key(folder.file("dangling")).error().is(key_errc::file_io));
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(load_or_make_key(folder.file("pipe")).error().is(key_errc::file_io));
}

} // namespace key_file_test
