#include "base/testing/wording.hpp"
#include "merge/testing/models.hpp"
#include "transport/ml_channel/memory/memory_socket.hpp"
#include "transport/ml_channel/testing/memory_program.hpp"
#include "transport/ml_channel/weights.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

namespace memory_test {

using namespace swarm;
using namespace swarm::ml;
using namespace swarm::ml::testing;
using namespace swarm::merge::testing;
using swarm::testing::says;

namespace {

constexpr std::uint64_t slot = 1u << 16;

template <class T>
auto message_of(const result<T>& from) {
  return from ? swarm::testing::wording("no error") : swarm::testing::wording(from.error().message);
}

program_memory memory_with(bytes_view content, std::uint64_t slot_size = slot) {
  auto out = program_memory::take(make_memory(2 * slot_size, content));
  REQUIRE_MESSAGE(out, message_of(out));
  return std::move(*out);
}

memory_socket make_socket(const std::string& path, const pipe_access& access = {}) {
  auto out = memory_socket::make(path, access);
  REQUIRE_MESSAGE(out, message_of(out));
  return std::move(*out);
}

bytes file_of(const std::vector<merge::tensor_spec>& specs, std::uint8_t fill = 7) {
  const auto layout = merge::model_layout::make(specs);
  REQUIRE(layout);
  auto out = layout->canonical_header();
  out.resize(layout->canonical().file_size(), fill);
  return out;
}

/// Every kind of array that the FIFOs take.
const weights_view& all_kinds() {
  static const auto floats = raw_of<float>({1, -2, 3});
  static const bytes zeros(64);
  static const weights_view out{{"f", "dtype('float32')", {3}, floats},
                                {"s", "dtype('float64')", {}, bytes_view(zeros).first(8)},
                                {"h", "dtype('float16')", {2, 2}, bytes_view(zeros).first(8)},
                                {"b", "dtype('bfloat16')", {5}, bytes_view(zeros).first(10)},
                                {"i8", "dtype('int8')", {3}, bytes_view(zeros).first(3)},
                                {"u8", "dtype('uint8')", {1}, bytes_view(zeros).first(1)},
                                {"i16", "dtype('int16')", {1}, bytes_view(zeros).first(2)},
                                {"u16", "dtype('uint16')", {1}, bytes_view(zeros).first(2)},
                                {"i32", "dtype('int32')", {1}, bytes_view(zeros).first(4)},
                                {"u32", "dtype('uint32')", {1}, bytes_view(zeros).first(4)},
                                {"i64", "dtype('int64')", {1}, bytes_view(zeros).first(8)},
                                {"u64", "dtype('uint64')", {1}, bytes_view(zeros).first(8)},
                                {"flag", "dtype('bool')", {}, bytes_view(zeros).first(1)},
                                {"none", "dtype('float32')", {0}, {}}};
  return out;
}

} // namespace

TEST_CASE("a model from a program's memory is the file that the message would have made") {
  const temp_directory first, second;
  auto by_message = open_store(first.path()), by_memory = open_store(second.path());
  const auto model = store_weights(all_kinds(), by_message);
  REQUIRE_MESSAGE(model, message_of(model));
  const auto memory = memory_with((*model)->raw());
  const auto same = store_weights(memory, {1, 0, (*model)->size()}, by_memory);
  REQUIRE_MESSAGE(same, message_of(same));
  CHECK((*same)->digest() == (*model)->digest());
  CHECK(to_bytes((*same)->raw()) == to_bytes((*model)->raw()));
  REQUIRE(memory.write(1, (*model)->raw()));
  bytes back((*model)->size());
  REQUIRE(memory.read(1, 0, back));
  CHECK(back == to_bytes((*model)->raw()));
}

TEST_CASE("models of many chunks go both ways, each to its slot") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto file = file_of({{"w", merge::dtype::f32, {5, 300'001}}});
  const auto memory = memory_with(file, 8u << 20);
  const auto model = store_weights(memory, {1, 0, file.size()}, store);
  REQUIRE_MESSAGE(model, message_of(model));
  CHECK(to_bytes((*model)->raw()) == file);
  CHECK((*model)->manifest() == merge::make_manifest(file));
  REQUIRE(memory.write(1, file));
  CHECK(store_weights(memory, {1, 1, file.size()}, store).value()->digest() == (*model)->digest());
}

TEST_CASE("a claim is no model: sizes, slots and headers that are not so are refused and leave nothing") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto file = file_of({{"w", merge::dtype::f32, {100}}});
  const auto memory = memory_with(file);
  const auto refuses = [&](const program_memory& from, const memory_place& place) {
    const auto out = store_weights(from, place, store);
    return !out && (out.error().is(wire_errc::bad_memory) || out.error().category == "merge");
  };
  CHECK(refuses(memory, {1, -1, file.size()}));
  CHECK(refuses(memory, {1, 2, file.size()}));
  CHECK(refuses(memory, {1, 1, file.size()})); // zeros
  CHECK(refuses(memory, {1, 0, slot + 1}));
  CHECK(refuses(memory, {1, 0, 0}));
  CHECK(refuses(memory, {1, 0, 7}));
  CHECK(refuses(memory, {1, 0, file.size() - 1}));
  CHECK(refuses(memory, {1, 0, file.size() + 1}));
  auto longest = file;
  longest[7] = 0x7f; // the header's length
  CHECK(refuses(memory_with(longest), {1, 0, file.size()}));
  bytes header_only(file.begin(), file.begin() + 8);
  CHECK(refuses(memory_with(header_only), {1, 0, 8}));
  CHECK(store.list().empty());
  CHECK(std::filesystem::is_empty(directory.path()) == false); // the lock
  CHECK(store.bytes_used() == 0);
}

TEST_CASE("a terabyte that is claimed but not there takes no room") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::uint64_t claimed = std::uint64_t{1} << 39;
  const auto layout = merge::model_layout::make({{"w", merge::dtype::u8, {claimed}}});
  REQUIRE(layout);
  const auto memory = memory_with(layout->canonical_header(), 2 * claimed);
  const auto out = store_weights(memory, {1, 0, layout->canonical_header().size() + claimed}, store);
  REQUIRE(!out);
  CHECK(out.error().is(wire_errc::bad_memory));
}

TEST_CASE("what the FIFOs do not take, memory does not either") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto counter = file_of({{"n", merge::dtype::i64, {}}});
  CHECK(
      store_weights(memory_with(counter), {1, 0, counter.size()}, store).error().is(wire_errc::bad_weights));
  const auto nothing = file_of({});
  CHECK(
      store_weights(memory_with(nothing), {1, 0, nothing.size()}, store).error().is(wire_errc::bad_weights));
  // Spaces in the header, or tensors in another order, would be the same model under another digest.
  const std::string_view loose = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0, 4]}}         )";
  bytes foreign{static_cast<std::uint8_t>(loose.size()), 0, 0, 0, 0, 0, 0, 0};
  append(foreign, as_bytes(loose));
  foreign.resize(foreign.size() + 4);
  REQUIRE(loose.size() % 8 == 0);
  const auto out = store_weights(memory_with(foreign), {1, 0, foreign.size()}, store);
  REQUIRE(!out);
  CHECK(says(out.error().message, "laid out"));
}

TEST_CASE("a program that makes its memory smaller meanwhile is refused; nobody gets a signal") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto file = file_of({{"w", merge::dtype::f32, {10'000}}});
  const auto fd = make_memory(2 * slot, file);
  const auto memory = program_memory::take(again(fd));
  REQUIRE(memory);
  REQUIRE(::ftruncate(fd.get(), 20'000) == 0);
  bytes some(100);
  CHECK(!memory->read(0, 20'000, some));
  CHECK(!store_weights(*memory, {1, 0, file.size()}, store));
  REQUIRE(::ftruncate(fd.get(), 0) == 0);
  CHECK(!memory->read(0, 0, some));
  CHECK(!store_weights(*memory, {1, 0, file.size()}, store));
  CHECK(store.bytes_used() == 0);
}

TEST_CASE("a program that changes its model while it is read makes another model, never a file with a wrong "
          "digest") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::uint64_t room = 8u << 20;
  const auto file = file_of({{"w", merge::dtype::f32, {5, 300'001}}});
  const auto fd = make_memory(2 * room, file);
  const auto memory = program_memory::take(again(fd));
  REQUIRE(memory);
  auto* mapped = static_cast<std::uint8_t*>(
      ::mmap(nullptr, file.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
  REQUIRE(mapped != MAP_FAILED);
  std::atomic<bool> done = false;
  std::thread liar([&] {
    for (std::uint8_t value = 0; !done; ++value)
      for (std::size_t at = 0; at < file.size(); at += 4096)
        mapped[at + 200] = value;
  });
  std::size_t stored = 0;
  for (int i = 0; i < 30; ++i) {
    const auto model = store_weights(*memory, {1, 0, file.size()}, store);
    if (!model) continue;
    ++stored;
    CHECK((*model)->manifest() == merge::make_manifest((*model)->raw()));
  }
  done = true;
  liar.join();
  ::munmap(mapped, file.size());
  CHECK(stored > 0);
}

TEST_CASE("only memory is taken") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const unique_fd other(ends[1]);
  CHECK(program_memory::take(unique_fd(ends[0])).error().is(wire_errc::bad_memory));
  CHECK(!program_memory::take(unique_fd(::open("/dev/zero", O_RDWR | O_CLOEXEC))));
  CHECK(!program_memory::take(unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))));
  CHECK(!program_memory::take(unique_fd()));
  CHECK(!program_memory::take(make_memory(0)));
  CHECK(!program_memory::take(make_memory(4097)));
  CHECK(!program_memory::take(make_memory((merge::model_size_max * 4 + 1) * 2)));
  CHECK(program_memory::take(make_memory(4096)));
}

TEST_CASE("memory that may not be written says so") {
  const auto fd = make_memory(2 * slot);
  const auto memory = program_memory::take(again(fd));
  REQUIRE(memory);
  CHECK(memory->write(0, bytes(100)));
  REQUIRE(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE) == 0);
  CHECK(!memory->write(0, bytes(100)));
}

TEST_CASE("the socket has the rights of the pipes, replaces one that was left, and goes with its object") {
  const temp_directory directory;
  const auto path = directory.file("request.channel.memory");
  const auto mode_of = [&] {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0U;
  };
  {
    const auto first = make_socket(path);
    CHECK(first.name() == "request.channel.memory");
    CHECK(mode_of() == 0660);
    const auto second = make_socket(path, {.everybody = true, .group = {}});
    CHECK(mode_of() == 0777);
  }
  CHECK(mode_of() == 0);
  write_file(path, as_bytes("mine"));
  CHECK(memory_socket::make(path, {}).error().is(errc::conflict));
  CHECK(read_file(path) == to_bytes(as_bytes("mine")));
  std::filesystem::remove(path);
  std::filesystem::create_symlink(directory.file("elsewhere"), path);
  CHECK(memory_socket::make(path, {}).error().is(errc::conflict));
  CHECK(std::filesystem::is_symlink(path));
  CHECK(!memory_socket::make(directory.file("no-folder/socket"), {}));
}

TEST_CASE("a path may be longer than a socket's") {
  const temp_directory directory;
  auto folder = directory.file(std::string(120, 'a'));
  std::filesystem::create_directory(folder);
  const auto socket = make_socket(folder + "/s");
  const auto memory = make_memory(2 * slot);
  REQUIRE(send_memory(folder + "/s", "s-1 1", {memory.get()}) == 0);
  CHECK(socket.take("s-1", 1));
}

TEST_CASE("only what names the session and the region is taken, and nothing else is kept") {
  const temp_directory directory;
  const auto path = directory.file("s");
  const auto socket = make_socket(path);
  const auto before = open_descriptors();
  {
    const auto mine = make_memory(2 * slot), others = make_memory(4 * slot);
    REQUIRE(send_memory(path, "another 1", {others.get()}) == 0);
    REQUIRE(send_memory(path, "s-1 1", {mine.get()}) == 0);
    REQUIRE(send_memory(path, "s-1 2", {others.get()}) == 0);
    REQUIRE(send_memory(path, std::string(600, 'x'), {others.get()}) == 0);
    REQUIRE(send_memory(path, "s-1 1 ", {}) == 0);
    const auto memory = socket.take("s-1", 1);
    REQUIRE_MESSAGE(memory, message_of(memory));
    CHECK(memory->slot_size() == slot);
    CHECK(socket.take("s-1", 2).error().is(wire_errc::bad_memory)); // dropped
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("descriptors that should not have come are closed") {
  const temp_directory directory;
  const auto path = directory.file("s");
  const auto socket = make_socket(path);
  const auto memory = make_memory(2 * slot);
  const auto before = open_descriptors();
  for (std::size_t count : {0U, 2U, 3U, 50U}) {
    REQUIRE(send_memory(path, "s-1 1", std::vector<int>(count, memory.get())) == 0);
    CHECK(!socket.take("s-1", 1));
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("whoever sends a thousand times is stopped by the system, and leaves nothing") {
  const temp_directory directory;
  const auto path = directory.file("s");
  const auto socket = make_socket(path);
  const auto before = open_descriptors();
  const auto memory = make_memory(2 * slot);
  int queued = 0;
  while (queued < 1000 && send_memory(path, "s-1 1", {memory.get()}) == 0)
    ++queued;
  CHECK(queued < 1000);
  socket.drop_all();
  CHECK(!socket.take("s-1", 1));
  REQUIRE(send_memory(path, "s-1 2", {memory.get()}) == 0);
  CHECK(socket.take("s-1", 2));
  CHECK(open_descriptors() == before + 1);
}

} // namespace memory_test
