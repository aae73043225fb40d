#include "actors/sl/files/gather/chunk_map.hpp"
#include "actors/sl/files/gather/chunk_plan.hpp"
#include "actors/sl/files/model_server.hpp"
#include "actors/sl/files/testing/holders.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"
#include "merge/store/model_part.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <numeric>
#include <thread>

namespace gather_job_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::testing;
using namespace swarm::transport;
using merge::chunk_size;
using swarm::testing::says;

namespace {

constexpr std::size_t chunks = 24;

void check_arrived(file_swarm& swarm, const merge::model_file& model, const result<hash32>& layout) {
  REQUIRE_MESSAGE(layout, (layout ? "" : layout.error().message));
  CHECK(*layout == model.layout().layout_digest());
  const auto here = swarm.fetcher().store->open(model.digest());
  REQUIRE(here);
  CHECK(std::ranges::equal((*here)->raw(), model.raw()));
}

/// How often a holder was asked for bytes of the model.
std::size_t runs_of(const holder& from, const merge::model_file& model) {
  const auto asked = from.asked();
  return static_cast<std::size_t>(std::ranges::count_if(
      asked, [&](const auto& each) { return each.starts_with(model_target(model.digest()) + " "); }));
}

std::size_t maps_of(const holder& from, const merge::model_file& model) {
  const auto asked = from.asked();
  return static_cast<std::size_t>(std::ranges::count(asked, chunks_target(model.digest()) + " "));
}

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> out(end - first);
  std::iota(out.begin(), out.end(), first);
  return out;
}

bool is_for_bytes(const http_request& request) {
  return !request.target.ends_with(manifest_suffix) && !request.target.ends_with(chunks_suffix);
}

/// A holder that says that it has everything, and answers as `how` says when it is asked for it.
holder& add_liar(file_swarm& swarm, holder::answer how) {
  return swarm.add([&swarm, how = std::move(how)](const http_request& request, http_reply reply) {
    if (is_for_bytes(request)) return how(request, std::move(reply));
    reply(swarm.honest_answer(request));
  });
}

/// What goes to standard error meanwhile, as the log does.
class written_errors {
public:
  written_errors() : saved_(::dup(STDERR_FILENO)) {
    const int to = ::open(path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(::dup2(to, STDERR_FILENO) >= 0);
    ::close(to);
  }
  ~written_errors() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  written_errors(const written_errors&) = delete;
  written_errors& operator=(const written_errors&) = delete;

  /// Lines with both in them.
  std::size_t count(const std::string& who, const std::string& what) const {
    std::ifstream in(path());
    std::size_t out = 0;
    for (std::string line; std::getline(in, line);)
      if (line.find(who) != std::string::npos && line.find(what) != std::string::npos) ++out;
    return out;
  }

private:
  std::string path() const { return (folder_ / "errors").native(); }

  swarm::testing::temporary_folder folder_;
  int saved_;
};

/// Requests that nobody answers, as long as it lives.
struct silence {
  std::mutex mutex;
  std::vector<http_reply> kept;
  void operator()(const http_request&, http_reply reply) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  }
};

} // namespace

TEST_CASE(
    "a merge comes from several holders at once, a small one and a contribution from the first of them") {
  file_swarm swarm;
  const auto &leader = swarm.add_honest(), &other = swarm.add_honest();
  const std::vector from{leader.address(), other.address()};
  SUBCASE("a merge") {
    const auto model = swarm.make_model(chunks);
    check_arrived(swarm, *model, swarm.gather(*model, from));
    CHECK(maps_of(other, *model) >= 1);
    CHECK(maps_of(leader, *model) == 0);
    CHECK(runs_of(other, *model) >= 1);
    CHECK(runs_of(leader, *model) >= 1);
  }
  SUBCASE("a small merge") {
    const auto model = swarm.make_model(spread_chunks_min - 1);
    check_arrived(swarm, *model, swarm.gather(*model, from));
    CHECK(leader.asked()
          == std::vector{manifest_target(model->digest()) + " ", model_target(model->digest()) + " "});
    CHECK(other.asked().empty());
  }
  SUBCASE("a contribution") {
    const auto model = swarm.make_model(chunks);
    check_arrived(swarm, *model, swarm.fetch(*model, from));
    CHECK(leader.asked().size() == 2);
    CHECK(other.asked().empty());
  }
}

TEST_CASE("peers that are fetching give what they have, also when the leader is gone") {
  file_swarm swarm;
  const auto model = swarm.make_model(chunks);
  const auto& dying = swarm.add_with_data(
      [](const http_request&, const http_reply& reply) { reply(text_response(500, "dying\n")); });
  const auto& one = swarm.add_fetching(*model, from_to(0, 13));
  const auto& other = swarm.add_fetching(*model, from_to(11, chunks));
  check_arrived(swarm, *model, swarm.gather(*model, {dying.address(), one.address(), other.address()}));
  CHECK(runs_of(one, *model) >= 1);
  CHECK(runs_of(other, *model) >= 1);
}

TEST_CASE("when nobody has the rest, what came stays, and is not asked for again") {
  file_swarm swarm;
  const auto model = swarm.make_model(chunks);
  const auto& dying = swarm.add_with_data(
      [](const http_request&, const http_reply& reply) { reply(text_response(500, "dying\n")); });
  const auto& one = swarm.add_fetching(*model, from_to(2, chunks));
  const auto failed = swarm.gather(*model, {dying.address(), one.address()});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().is(errc::unavailable));
  CHECK(says(failed.error(), dying.address().endpoint));
  const auto before = swarm.counters().bytes_received.load();
  const auto &honest = swarm.add_honest(), &late = swarm.add_fetching(*model, {});
  check_arrived(swarm, *model, swarm.gather(*model, {honest.address(), late.address()}));
  CHECK(swarm.counters().bytes_received - before < 3 * chunk_size);
}

TEST_CASE("a liar among the holders wastes its own time") {
  file_swarm swarm;
  const auto model = swarm.make_model(chunks);
  const auto& leader = swarm.add_honest();
  silence never;
  const written_errors logs;
  const auto arrives_with = [&](const rounds::holder& liar) {
    const auto begun = std::chrono::steady_clock::now();
    check_arrived(swarm, *model, swarm.gather(*model, {leader.address(), liar}));
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(20)); // its time is 30 s
  };
  SUBCASE("it gives wrong bytes") {
    const auto& liar = add_liar(swarm, [&](const http_request& request, const http_reply& reply) {
      reply(range_response(request, model->size(),
                           [](byte_range range) { return shared_slice::of(bytes(range.length, 7)); }));
    });
    arrives_with(liar.address());
    CHECK(runs_of(liar, *model) <= chunk_plan::runs_per_holder);
    CHECK(logs.count(liar.address().endpoint, "gives something else") == 1);
  }
  SUBCASE("it has nothing of what it says") {
    const auto& liar = add_liar(
        swarm, [](const http_request&, const http_reply& reply) { reply(text_response(404, "no\n")); });
    arrives_with(liar.address());
    CHECK(runs_of(liar, *model) <= chunk_plan::strikes_max + chunk_plan::runs_per_holder);
  }
  SUBCASE("it is silent") {
    const auto& liar = add_liar(swarm, std::ref(never));
    arrives_with(liar.address());
    CHECK(runs_of(liar, *model) <= chunk_plan::runs_per_holder);
  }
  SUBCASE("it says that it has more chunks than there are") {
    const auto& liar = swarm.add([](const http_request&, const http_reply& reply) {
      reply(text_response(200, std::string(1 << 20, '\xff')));
    });
    arrives_with(liar.address());
    CHECK(liar.asked().size() == 1);
    CHECK(logs.count(liar.address().endpoint, "gives something else") == 1);
  }
  never.kept.clear();
}

TEST_CASE("a leader that is silent, or drips, once it has given the manifest holds up nobody") {
  file_swarm swarm;
  const auto model = swarm.make_model(chunks);
  silence never;
  const auto& one = swarm.add_honest();
  const auto begun = std::chrono::steady_clock::now();
  SUBCASE("silent") {
    const auto& leader = swarm.add_with_data(std::ref(never));
    check_arrived(swarm, *model, swarm.gather(*model, {leader.address(), one.address()}));
  }
  SUBCASE("drips") {
    std::atomic<bool> is_over = false;
    const test::raw_listener dripping([&](int fd) {
      auto tls = test::raw_tls::accept(fd, swarm.files());
      const auto raw = model->manifest().encode();
      auto head = tls.read_until("\r\n\r\n");
      if (head.find("/manifest") != std::string::npos) {
        tls.write(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", raw.size()));
        tls.write(as_text(raw));
        head = tls.read_until("\r\n\r\n");
      }
      unsigned long long first = 0, last = model->size() - 1;
      if (const auto at = head.find("bytes="); at != std::string::npos)
        std::sscanf(head.c_str() + at, "bytes=%llu-%llu", &first, &last);
      tls.write(fmt::format(
          "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\nContent-Length: {}\r\n\r\n",
          first, last, model->size(), last + 1 - first));
      while (!is_over && tls.write("x"))
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    check_arrived(swarm, *model,
                  swarm.gather(*model, {{{}, host_port("127.0.0.1", dripping.port())}, one.address()}));
    is_over = true;
  }
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(20));
  never.kept.clear();
}

TEST_CASE("what this node makes of a merge is not fetched, unless it is not made after all") {
  file_swarm swarm;
  const auto model = swarm.make_model(chunks);
  const auto &one = swarm.add_honest(), &other = swarm.add_honest();
  const std::vector from{one.address(), other.address()};
  auto part = *swarm.fetcher().store->part(model->manifest());
  const auto made = from_to(4, 20);
  const auto make = [&](std::uint64_t index) {
    CHECK(part->put_checked(
        index, model->raw().subspan(index * chunk_size, model->manifest().size_of_chunk(index))));
  };
  auto claim = merge::model_part::claim(part);
  std::size_t fetched = chunks;
  SUBCASE("it is made while others are asked for the rest") {
    std::thread maker([&] {
      while (std::ranges::count(part->chunks(), true) < static_cast<std::ptrdiff_t>(chunks - made.size()))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      for (const auto index : made)
        make(index);
    });
    check_arrived(swarm, *model, swarm.gather(*model, from, made));
    maker.join();
    fetched = chunks - made.size();
  }
  SUBCASE("a part of it is, and then nothing more") {
    for (const auto index : from_to(4, 10))
      make(index);
    claim.reset();
    check_arrived(swarm, *model, swarm.gather(*model, from, made));
    fetched = chunks - 6;
  }
  CHECK_FALSE((part->is_claimed() && claim == nullptr));
  CHECK(swarm.counters().bytes_received < (fetched + 1) * chunk_size);
}

TEST_CASE("of a merge that is being fetched the server gives what is there, and says at once what is not") {
  file_swarm swarm;
  const auto model = swarm.make_model(chunks);
  auto& store = *swarm.fetcher().store;
  auto part = *store.part(model->manifest());
  for (const auto index : from_to(2, 5))
    REQUIRE(part->put(index, model->raw().subspan(index * chunk_size, chunk_size)));
  const auto get = [&](const std::string& target, const std::string& range = {}) {
    http_request request;
    request.target = target;
    if (!range.empty()) request.headers = {{"Range", range}};
    auto what = model_request_of(request);
    REQUIRE(what);
    return serve_model(store, *swarm.fetcher().board, *swarm.fetcher().shards, *what, request);
  };
  const auto digest = model->digest();
  const auto range = [](std::uint64_t first, std::uint64_t end) {
    return fmt::format("bytes={}-{}", first * chunk_size, end * chunk_size - 1);
  };
  // A model of a single peer is never given so.
  CHECK(get(model_target(digest), range(2, 3)).status == 404);
  CHECK(get(manifest_target(digest)).status == 404);
  CHECK(get(chunks_target(digest)).body.empty());
  part->share();
  {
    const auto given = get(model_target(digest), range(2, 5));
    CHECK(given.status == 206);
    const auto* slice = std::get_if<shared_slice>(&given.slice);
    REQUIRE(slice != nullptr);
    CHECK(std::ranges::equal(slice->data, model->raw().subspan(2 * chunk_size, 3 * chunk_size)));
  }
  for (const auto& missing :
       {range(1, 3), range(4, 6), range(23, 24), std::string("bytes=2097152-"), std::string()})
    CHECK(get(model_target(digest), missing).status == 404);
  CHECK(get(model_target(digest), "bytes=99999999999-").status == 416);
  CHECK(get(layout_target(digest)).status == 404);
  CHECK(get(manifest_target(digest)).body == as_text(model->manifest().encode()));
  CHECK(*decode_chunk_map(as_bytes(get(chunks_target(digest)).body), chunks) == part->chunks());
  // Who may read only some chunks, to check them, is no peer of a merge.
  http_request request;
  request.target = model_target(digest);
  request.headers = {{"Range", range(2, 3)}};
  auto what = *model_request_of(request);
  what.chunks = std::vector<std::uint64_t>{2};
  CHECK(serve_model(store, *swarm.fetcher().board, *swarm.fetcher().shards, what, request).status == 404);
  part.reset();
  CHECK(get(model_target(digest), range(2, 3)).status == 404); // nobody fetches it any more
}

} // namespace gather_job_test
