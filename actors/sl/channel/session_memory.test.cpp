#include "actors/sl/channel/testing/session_bench.hpp"
#include "merge/testing/models.hpp"
#include "transport/ml_channel/testing/memory_program.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace session_memory_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::testing;
namespace fs = std::filesystem;

namespace {

using bench = session_bench;

} // namespace

namespace {

/// A program that shares its memory, of two slots.
struct sharing_bench : bench {
  static constexpr std::uint64_t slot = 4096;

  sharing_bench() {
    auto made = ml::memory_socket::make(path, {});
    REQUIRE(made);
    session.emplace(store, session_id, fs::path{},
                    std::make_shared<const ml::memory_socket>(std::move(*made)));
  }

  ml::session_response opened(bool shares = true) {
    REQUIRE(open({.sync_interval = 8, .min_peers = 2, .node_weightage = 3, .shares_memory = shares}));
    return *ml::decode_session_response(joined(std::get<ml::outgoing>(session->answer_open())));
  }
  void send_region(std::int32_t region, const unique_fd& memory) const {
    REQUIRE(ml::testing::send_memory(path, fmt::format("{} {}", session_id, region), {memory.get()}) == 0);
  }
  result<event> sync_at(std::int32_t seq_num, const ml::memory_place& place) {
    ml::sync_request request{.session_id = session_id, .sync_seq_num = seq_num, .node_weightage = 1};
    request.input_memory = place;
    return session->take(ml::msg_type::sync_request, ml::encode(request));
  }
  /// Where a merge of the store is put; nothing when it comes in the message.
  std::optional<ml::memory_place> place_of(const hash32& merge) {
    const auto reply = session->ask_loss({merge, 1, 1});
    REQUIRE(reply);
    const auto body = joined(std::get<ml::outgoing>(*reply));
    const auto request = ml::decode_loss_request(body);
    REQUIRE(request);
    CHECK(request->merged_params.empty() == request->merged_memory.has_value());
    return request->merged_memory;
  }

  std::string path = (folder / "request.memory").string();
  bytes file = [this] {
    auto model = store->open(merged(3));
    return to_bytes((*model)->raw());
  }();
};

bytes content_of(const unique_fd& memory, std::int32_t slot, std::size_t size) {
  bytes out(size);
  CHECK(::pread(memory.get(), out.data(), size, slot * static_cast<off_t>(sharing_bench::slot))
        == static_cast<ssize_t>(size));
  return out;
}

} // namespace

TEST_CASE("a program that shares its memory gives models by it, and gets merges by turns in its slots") {
  sharing_bench t;
  const auto first = t.merged(7), second = t.merged(8);
  CHECK(t.opened().memory_socket == "request.memory");
  const auto memory = ml::testing::make_memory(2 * t.slot, t.file);
  t.send_region(1, memory);
  const auto event = t.sync_at(1, {1, 0, t.file.size()});
  REQUIRE(event);
  CHECK(std::get<program_synced>(*event).model.digest == (*t.store->open(t.merged(3)))->digest());
  CHECK(t.place_of(first) == ml::memory_place{1, 0, t.file.size()});
  CHECK(content_of(memory, 0, t.file.size()) == to_bytes((*t.store->open(first))->raw()));
  REQUIRE(t.loss(1, 1));
  CHECK(t.place_of(second) == ml::memory_place{1, 1, t.file.size()});
  CHECK(content_of(memory, 0, t.file.size()) == to_bytes((*t.store->open(first))->raw()));
  CHECK(content_of(memory, 1, t.file.size()) == to_bytes((*t.store->open(second))->raw()));
  REQUIRE(t.loss(1, 2));
  t.session->answer_sync({8, false});
  REQUIRE(t.sync_at(2, {1, 0, t.file.size()})); // the same memory
  CHECK(t.place_of(second)->slot == 0);
  CHECK(t.session->memory_bytes() == 5 * t.file.size());
}

TEST_CASE("whoever does not ask for shared memory is never told of it") {
  sharing_bench t;
  const auto asked = t.opened(false);
  CHECK(asked.memory_socket.empty());
  bench old;
  REQUIRE(old.open());
  CHECK(joined(std::get<ml::outgoing>(old.session->answer_open()))
        == ml::encode(ml::session_response{{}, "s-1", {}}));
  REQUIRE(t.sync(1));
  CHECK(!t.place_of(t.merged(7)));
}

TEST_CASE("an SL without shared memory does not offer it") {
  bench t;
  REQUIRE(t.open({.sync_interval = 8, .min_peers = 2, .node_weightage = 3, .shares_memory = true}));
  const auto response = ml::decode_session_response(joined(std::get<ml::outgoing>(t.session->answer_open())));
  CHECK(response->memory_socket.empty());
}

TEST_CASE("memory that was not agreed on, was not sent, or comes beside a message is refused") {
  sharing_bench t;
  const auto memory = ml::testing::make_memory(2 * t.slot, t.file);
  const auto refused = [](const result<event>& outcome) {
    return !outcome && outcome.error().is(ml::wire_errc::bad_memory);
  };
  SUBCASE("not agreed on") {
    t.opened(false);
    t.send_region(1, memory);
    CHECK(refused(t.sync_at(1, {1, 0, t.file.size()})));
  }
  SUBCASE("not sent") {
    t.opened();
    CHECK(refused(t.sync_at(1, {1, 0, t.file.size()})));
  }
  SUBCASE("of another number") {
    t.opened();
    t.send_region(1, memory);
    CHECK(refused(t.sync_at(1, {2, 0, t.file.size()})));
  }
  SUBCASE("beside a message") {
    t.opened();
    t.send_region(1, memory);
    ml::sync_request both{.session_id = t.session_id, .sync_seq_num = 1, .node_weightage = 1};
    both.input_params.push_back({"w", "dtype('float32')", {0}, {}});
    both.input_memory = ml::memory_place{1, 0, t.file.size()};
    CHECK(refused(t.session->take(ml::msg_type::sync_request, ml::encode(both))));
  }
}

TEST_CASE("a merge that cannot be put into the program's memory comes by the FIFO") {
  sharing_bench t;
  const auto merge = t.merged(7);
  t.opened();
  auto memory = ml::testing::make_memory(2 * t.slot, t.file);
  SUBCASE("it may not be written") {
    REQUIRE(::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE) == 0);
  }
  SUBCASE("it is too small") {
    memory = ml::testing::make_memory(2 * t.file.size() - 2, t.file);
  }
  const bool fits = ::lseek(memory.get(), 0, SEEK_END) == static_cast<off_t>(2 * t.slot);
  t.send_region(1, memory);
  const auto event = t.sync_at(1, {1, 0, t.file.size()});
  CHECK(event.has_value() == fits); // nor can a model be in it
  if (event) CHECK(!t.place_of(merge));
}

TEST_CASE("of all the memory that a program sends, one is kept") {
  sharing_bench t;
  t.opened();
  const auto before = ml::testing::open_descriptors();
  for (std::int32_t region = 1; region <= 100; ++region) {
    t.send_region(region, ml::testing::make_memory(2 * t.slot, t.file));
    REQUIRE(t.sync_at(region, {region, 0, t.file.size()}));
    t.session->answer_sync({8, false});
    CHECK(ml::testing::open_descriptors() == before + 1);
  }
}

} // namespace session_memory_test
