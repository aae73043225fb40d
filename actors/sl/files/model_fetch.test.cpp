#include "actors/sl/files/model_fetch.hpp"

#include "actors/sl/files/model_server.hpp"
#include "actors/sl/files/testing/holders.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace model_fetch_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::testing;
using namespace swarm::transport;
using merge::chunk_size;
using swarm::testing::says;

namespace {

std::string data_of(const merge::model_file& model) {
  return std::string(as_text(model.raw()));
}

/// Checks that the fetching node has the model, bit by bit.
void check_arrived(file_swarm& swarm, const merge::model_file& model, const result<hash32>& layout) {
  REQUIRE_MESSAGE(layout, (layout ? "" : layout.error().message));
  CHECK(*layout == model.layout().layout_digest());
  const auto here = swarm.fetcher().store->open(model.digest());
  REQUIRE(here);
  CHECK(std::equal((*here)->raw().begin(), (*here)->raw().end(), model.raw().begin(), model.raw().end()));
}

/// Checks that it does not have the model, and says why.
void check_failed(file_swarm& swarm, const merge::model_file& model, const result<hash32>& layout,
                  std::string_view why) {
  REQUIRE_FALSE(layout);
  CHECK((layout.error().is(errc::unavailable) || layout.error().is(fetch_errc::unreachable)
         || layout.error().is(fetch_errc::not_there)));
  CHECK_MESSAGE(says(layout.error(), why), layout.error().message);
  CHECK_FALSE(swarm.fetcher().store->contains(model.digest()));
}

std::vector<std::string> requests_of_model(const merge::model_file& model, const std::string& range) {
  return {manifest_target(model.digest()) + " ", model_target(model.digest()) + " " + range};
}

} // namespace

TEST_CASE("a model comes from a holder, and is asked for no second time") {
  file_swarm swarm;
  const auto model = swarm.make_model(3);
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model, swarm.fetch(*model, {honest.address()}));
  CHECK(honest.asked() == requests_of_model(*model, ""));
  CHECK(swarm.counters().bytes_received == model->size() + model->manifest().encode().size());
  CHECK(swarm.fetcher().board->progress > 0);
  check_arrived(swarm, *model, swarm.fetch(*model, {}));
  CHECK(honest.asked().size() == 2);
}

TEST_CASE("without a holder, or with none that can be reached, the fetch fails and names each") {
  file_swarm swarm;
  const auto model = swarm.make_model(1);
  check_failed(swarm, *model, swarm.fetch(*model, {}), "no other node is known to have it");
  const auto nobody = swarm.nobody();
  check_failed(swarm, *model, swarm.fetch(*model, {nobody}), nobody.endpoint + ": ");
  CHECK(swarm.fetch(*model, {nobody}).error().is(fetch_errc::not_there));
  CHECK(swarm.fetch(*model, {{{}, "no-such-host.invalid:1"}, nobody}).error().is(fetch_errc::unreachable));
  std::vector<rounds::holder> odd;
  for (const auto* endpoint :
       {"", "host", ":30305", "host:", "host:0", "host:65536", "host:30305x", "host:-1"})
    odd.push_back({{}, endpoint});
  const auto outcome = swarm.fetch(*model, odd);
  check_failed(swarm, *model, outcome, "'host'");
  CHECK(says(outcome.error(), "'host:30305x'"));
  const auto& honest = swarm.add_honest();
  odd.push_back(honest.address());
  check_arrived(swarm, *model, swarm.fetch(*model, odd));
}

TEST_CASE("what many holders did wrong is told in a bounded message") {
  file_swarm swarm;
  const auto model = swarm.make_model(1);
  std::vector<rounds::holder> odd(200, {{}, std::string(500, 'x')});
  const auto outcome = swarm.fetch(*model, odd);
  check_failed(swarm, *model, outcome, "xxx");
  CHECK(outcome.error().message.size() < 2000);
}

TEST_CASE("a holder that does not have the model is passed over") {
  file_swarm swarm;
  const auto model = swarm.make_model(2);
  const auto& empty =
      swarm.add([](const http_request&, const http_reply& reply) { reply(text_response(404, "no\n")); });
  check_failed(swarm, *model, swarm.fetch(*model, {empty.address()}), "answers 404 for the model's manifest");
  CHECK(swarm.fetch(*model, {empty.address()}).error().is(errc::unavailable)); // it can be reached
  const auto& gone = swarm.add_with_data(
      [](const http_request&, const http_reply& reply) { reply(text_response(404, "no\n")); });
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model, swarm.fetch(*model, {empty.address(), gone.address(), honest.address()}));
}

TEST_CASE("a manifest of something else, of another size or of nothing at all is not believed") {
  file_swarm swarm;
  const auto model = swarm.make_model(2);
  const auto other = swarm.make_model(3);
  auto with_manifest = [&](const std::string& text) {
    return swarm
        .add([text](const http_request&, const http_reply& reply) { reply(text_response(200, text)); })
        .address();
  };
  const auto liar = with_manifest(std::string(as_text(other->manifest().encode())));
  check_failed(swarm, *model, swarm.fetch(*model, {liar}), "does not match the digest");
  const auto& honest = swarm.add_honest();
  check_failed(swarm, *model, swarm.fetch(model->digest(), model->size() + 1, {honest.address()}),
               "does not match the digest");
  for (const auto& text : {std::string(), std::string("manifest"), std::string(4096, '\xff')})
    check_failed(swarm, *model, swarm.fetch(*model, {with_manifest(text)}), "127.0.0.1:");
  check_arrived(swarm, *model, swarm.fetch(*model, {liar, honest.address()}));
}

TEST_CASE("after a wrong chunk the next holder goes on behind the last right one") {
  file_swarm swarm;
  const auto model = swarm.make_model(4);
  auto wrong = data_of(*model);
  wrong[2 * chunk_size + 17] ^= 1;
  const auto& liar = swarm.add_with_data(
      [wrong](const http_request&, const http_reply& reply) { reply(text_response(200, wrong)); });
  check_failed(swarm, *model, swarm.fetch(*model, {liar.address()}), "chunk 2 of 4 has the wrong digest");
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model, swarm.fetch(*model, {liar.address(), honest.address()}));
  // The manifest is known and right, so it is not asked for again.
  CHECK(honest.asked()
        == std::vector{fmt::format("{} bytes={}-", model_target(model->digest()), 2 * chunk_size)});
}

TEST_CASE("a file that ends too soon is completed by the next holder") {
  file_swarm swarm;
  const auto model = swarm.make_model(3);
  const auto data = data_of(*model);
  const auto& brief = swarm.add_with_data([&](const http_request&, const http_reply& reply) {
    reply(text_response(200, data.substr(0, chunk_size + 5)));
  });
  check_failed(swarm, *model, swarm.fetch(*model, {brief.address()}),
               fmt::format("only {} of {} bytes came", chunk_size, data.size()));
  // What came stays, so that it is asked for the rest only.
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model, swarm.fetch(*model, {brief.address(), honest.address()}));
  CHECK(honest.asked()
        == std::vector{fmt::format("{} bytes={}-", model_target(model->digest()), chunk_size)});
}

TEST_CASE("a holder that answers from another place than asked is not believed") {
  file_swarm swarm;
  const auto model = swarm.make_model(3);
  const auto data = data_of(*model);
  const auto& brief = swarm.add_with_data([&](const http_request&, const http_reply& reply) {
    reply(text_response(200, data.substr(0, 2 * chunk_size)));
  });
  const auto& from_start = swarm.add_with_data(
      [&](const http_request&, const http_reply& reply) { reply(text_response(200, data)); });
  check_failed(swarm, *model, swarm.fetch(*model, {brief.address(), from_start.address()}),
               from_start.address().endpoint + ": ");
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model,
                swarm.fetch(*model, {brief.address(), from_start.address(), honest.address()}));
}

TEST_CASE("a connection that dies in mid-chunk costs that chunk only") {
  file_swarm swarm;
  const auto model = swarm.make_model(3);
  const test::raw_listener dying([&](int fd) {
    auto tls = test::raw_tls::accept(fd, swarm.files());
    auto say = [&](std::uint64_t size, std::string_view body) {
      tls.read_until("\r\n\r\n");
      tls.write(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size));
      tls.write(body);
    };
    const auto raw = model->manifest().encode();
    say(raw.size(), as_text(raw));
    say(model->size(), as_text(model->raw().first(chunk_size + 1000)));
  });
  const rounds::holder first{{}, host_port("127.0.0.1", dying.port())};
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model, swarm.fetch(*model, {first, honest.address()}));
  CHECK(honest.asked().back() == fmt::format("{} bytes={}-", model_target(model->digest()), chunk_size));
}

TEST_CASE("a holder that hangs is given up, with its manifest or with its data") {
  http_client_options impatient;
  impatient.progress_timeout = std::chrono::milliseconds(200);
  file_swarm swarm(impatient);
  const auto model = swarm.make_model(2);
  std::mutex mutex;
  std::vector<http_reply> never; // a reply that is dropped would be answered with status 500
  const auto hang = [&](const http_request&, http_reply reply) {
    const std::lock_guard lock(mutex);
    never.push_back(std::move(reply));
  };
  const auto& mute = swarm.add(hang);
  const auto& stalled = swarm.add_with_data(hang);
  check_failed(swarm, *model, swarm.fetch(*model, {mute.address()}), mute.address().endpoint);
  const auto& honest = swarm.add_honest();
  check_arrived(swarm, *model, swarm.fetch(*model, {mute.address(), stalled.address(), honest.address()}));
  CHECK(mute.asked().size() == 2);
  CHECK(stalled.asked() == requests_of_model(*model, ""));
  never.clear();
}

TEST_CASE("bytes with the right digest that are no model are not published") {
  file_swarm swarm;
  const std::string noise(chunk_size + 100, 'n');
  const auto manifest = merge::make_manifest(as_bytes(noise));
  const auto& holder = swarm.add([&](const http_request& request, const http_reply& reply) {
    const auto raw = manifest.encode();
    reply(text_response(200, request.target.ends_with("/manifest") ? std::string(as_text(raw)) : noise));
  });
  const auto outcome = swarm.fetch(manifest.digest(), noise.size(), {holder.address()});
  REQUIRE_FALSE(outcome);
  CHECK(says(outcome.error(), "what has the digest is no model"));
  CHECK(swarm.fetcher().store->list().empty());
}

TEST_CASE("who asks says its account and the block that it has seen, with every request") {
  file_swarm swarm;
  const auto model = swarm.make_model(1);
  swarm.fetcher().chain->block_num = 42;
  std::mutex mutex;
  std::vector<std::string> said;
  const auto& honest = swarm.add([&](const http_request& request, const http_reply& reply) {
    {
      const std::lock_guard lock(mutex);
      said.push_back(fmt::format("{} {}", find_header(request.headers, account_header),
                                 find_header(request.headers, block_header)));
    }
    reply(swarm.honest_answer(request));
  });
  check_arrived(swarm, *model, swarm.fetch(*model, {honest.address()}));
  CHECK(said == std::vector<std::string>(2, to_hex(swarm.fetcher().account().view()) + " 42"));
}

TEST_CASE("a holder that cannot say yet is told from one that refuses") {
  file_swarm swarm;
  const auto model = swarm.make_model(1);
  const auto answers = [&](gate::action::verdict how) {
    return swarm
        .add([how](const http_request&, const http_reply& reply) { reply(refusal_of(how, "why\n\x1b[1m")); })
        .address();
  };
  using enum gate::action::verdict;
  const auto no = swarm.fetch(*model, {answers(refused), answers(unknown)});
  check_failed(swarm, *model, no, "answers 403 for the model's manifest: why[1m");
  const auto not_yet = swarm.fetch(*model, {answers(later), answers(refused)});
  REQUIRE_FALSE(not_yet);
  CHECK(not_yet.error().is(fetch_errc::later));
  check_arrived(swarm, *model, swarm.fetch(*model, {answers(later), swarm.add_honest().address()}));
}

TEST_CASE("a store that is full is this node's own trouble, and no other holder is asked") {
  file_swarm swarm;
  const auto model = swarm.make_model(3);
  swarm.limit_store(2 * chunk_size);
  const auto& first = swarm.add_honest();
  const auto& second = swarm.add_honest();
  const auto outcome = swarm.fetch(*model, {first.address(), second.address()});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().is(fetch_errc::own_store));
  CHECK(says(outcome.error(), "allow more with --store-quota"));
  CHECK(second.asked().empty());
}

TEST_CASE("a layout comes without the model, and is checked") {
  file_swarm swarm;
  const auto model = swarm.make_model(2);
  const auto layout = model->layout().layout_digest();
  const auto& liar = swarm.add([&](const http_request&, const http_reply& reply) {
    reply(text_response(200, std::string(as_text(model->raw().first(20)))));
  });
  const auto& honest = swarm.add_honest();
  const auto got = swarm.fetch_layout(*model, layout, {liar.address(), swarm.nobody(), honest.address()});
  REQUIRE_MESSAGE(got, (got ? "" : got.error().message));
  CHECK(got->layout_digest() == layout);
  CHECK_FALSE(swarm.fetcher().store->contains(model->digest()));
  CHECK(honest.asked() == std::vector{layout_target(model->digest()) + " "});
  CHECK_FALSE(swarm.fetch_layout(*model, hash32{}, {honest.address()}));
  CHECK_FALSE(swarm.fetch_layout(*model, layout, {}));
}

} // namespace model_fetch_test
