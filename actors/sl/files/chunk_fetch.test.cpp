#include "actors/sl/files/chunk_fetch.hpp"

#include "actors/sl/files/targets.hpp"
#include "actors/sl/files/testing/holders.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace chunk_fetch_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::testing;
using namespace swarm::transport;
using merge::chunk_size;
using swarm::testing::says;

namespace {

struct fixture : file_swarm {
  std::shared_ptr<const merge::model_file> model = make_model(5);
  std::shared_ptr<fetch_counters> count = std::make_shared<fetch_counters>();

  result<merge::manifest> manifest(std::vector<rounds::holder> from, std::uint64_t more = 0) {
    auto done = std::make_shared<test::waiting_for<result<merge::manifest>>>();
    fetch_manifest_async(context(), count, model->digest(), model->size() + more, std::move(from),
                         [done](auto got) { done->set(std::move(got)); });
    return done->get();
  }
  result<bytes> chunks(std::uint64_t first, std::uint64_t many, std::vector<rounds::holder> from) {
    auto done = std::make_shared<test::waiting_for<result<bytes>>>();
    fetch_chunks_async(context(), count, std::make_shared<merge::manifest>(model->manifest()), first, many,
                       std::move(from), [done](auto got) { done->set(std::move(got)); });
    return done->get();
  }
  bytes part(std::uint64_t first, std::uint64_t many) const {
    const auto begin = first * chunk_size;
    const auto raw = model->raw().subspan(begin, std::min(many * chunk_size, model->size() - begin));
    return {raw.begin(), raw.end()};
  }
};

} // namespace

TEST_CASE("a manifest comes from the first who gives the right one") {
  fixture f;
  const auto& liar = f.add([&](const http_request&, const http_reply& reply) {
    auto wrong = f.model->manifest();
    wrong.chunks[1][0] ^= 1;
    reply(text_response(200, std::string(as_text(wrong.encode()))));
  });
  const auto& honest = f.add_honest();
  CHECK(f.manifest({liar.address(), honest.address()}) == f.model->manifest());
  const auto lied = f.manifest({liar.address()});
  CHECK(lied.error().is(errc::unavailable));
  CHECK(says(lied.error(), "does not match the digest"));
  CHECK(f.manifest({honest.address()}, 1).error().is(errc::unavailable)); // another size
  CHECK(f.manifest({f.nobody()}).error().is(fetch_errc::not_there));
  CHECK(f.manifest({}).error().is(errc::unavailable));
}

TEST_CASE("chunks come in one request, and each is checked") {
  fixture f;
  const auto& honest = f.add_honest();
  CHECK(f.chunks(1, 2, {honest.address()}) == f.part(1, 2));
  CHECK(f.chunks(3, 2, {honest.address()}) == f.part(3, 2)); // the last one is short
  CHECK(honest.asked()
        == std::vector{
            fmt::format("{} bytes={}-{}", model_target(f.model->digest()), chunk_size, 3 * chunk_size - 1),
            fmt::format("{} bytes={}-{}", model_target(f.model->digest()), 3 * chunk_size,
                        f.model->size() - 1)});
  auto wrong = std::string(as_text(f.model->raw()));
  wrong[2 * chunk_size + 5] ^= 1;
  const auto& liar = f.add([&](const http_request& request, const http_reply& reply) {
    reply(range_response(request, wrong.size(), [&](byte_range which) {
      return shared_slice::of(wrong.substr(which.offset, which.length));
    }));
  });
  const auto lied = f.chunks(1, 3, {liar.address()});
  CHECK(lied.error().is(errc::unavailable));
  CHECK(says(lied.error(), "its chunk 2 is not the one of its manifest"));
  CHECK(f.chunks(0, 2, {liar.address()}) == f.part(0, 2));
  CHECK(f.chunks(1, 3, {f.nobody(), liar.address(), honest.address()}) == f.part(1, 3));
  CHECK(f.fetcher().store->list().empty());
}

} // namespace chunk_fetch_test
