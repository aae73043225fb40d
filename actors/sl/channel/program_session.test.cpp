#include "actors/sl/channel/program_session.hpp"

#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"
#include "merge/testing/models.hpp"
#include "transport/ml_channel/testing/memory_program.hpp"
#include "transport/ml_channel/weights.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace program_session_test {

using namespace swarm;
using namespace swarm::actors;
using swarm::testing::says;
namespace fs = std::filesystem;

namespace {

using event = program_session::event;

bytes joined(const ml::outgoing& message) {
  bytes out;
  for (const auto& piece : message.pieces)
    out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

/// A session and the program's side of it.
struct bench {
  bench() {
    auto opened = merge::model_store::open_directory((folder / "models").string());
    REQUIRE(opened);
    store = std::make_shared<merge::model_store>(std::move(*opened));
    session.emplace(store, "s-1");
  }

  result<event> open(const ml::session_request& request = {
                         .sync_interval = 8, .min_peers = 2, .node_weightage = 3}) {
    return session->take(ml::msg_type::open_session_request, ml::encode(request));
  }
  result<event> send(ml::msg_type type, std::int32_t seq_num, float value = 1, std::int32_t weightage = 1) {
    const std::array<float, 2> values{value, -value};
    ml::sync_request request{.session_id = session_id, .sync_seq_num = seq_num, .node_weightage = weightage};
    const std::string name = "w";
    request.input_params.push_back({name,
                                    "dtype('float32')",
                                    {2},
                                    as_bytes({reinterpret_cast<const char*>(values.data()), sizeof values})});
    return session->take(type, ml::encode(request));
  }
  result<event> sync(std::int32_t seq_num, float value = 1) {
    return send(ml::msg_type::sync_request, seq_num, value);
  }
  result<event> close(std::int32_t seq_num) { return send(ml::msg_type::close_session_request, seq_num); }
  result<event> loss(std::int32_t seq_num, std::int32_t loss_seq_num,
                     ml::status_code code = ml::status_code::ok) {
    return session->take(ml::msg_type::get_loss_response,
                         ml::encode(ml::loss_response{.session_id = session_id,
                                                      .sync_seq_num = seq_num,
                                                      .loss_seq_num = loss_seq_num,
                                                      .status = {code, {}},
                                                      .loss = 0.5F,
                                                      .metrics = 0.75F,
                                                      .epochs_done = 2,
                                                      .total_epochs = 4}));
  }
  /// A merged model in the store.
  hash32 merged(float value) {
    const auto saved = session;
    session.emplace(store, session_id);
    REQUIRE(open());
    session->answer_open();
    const auto made = std::get<program_synced>(*sync(1, value)).model.digest;
    session = saved;
    return made;
  }
  void opened() {
    REQUIRE(open());
    REQUIRE(sent<ml::session_response>(session->answer_open()));
  }
  template <class Message>
  static bool sent(const program_session::reply& reply) {
    return std::holds_alternative<ml::outgoing>(reply);
  }
  static bool nothing(const program_session::reply& reply) {
    return std::holds_alternative<std::monostate>(reply);
  }

  swarm::testing::temporary_folder folder;
  std::shared_ptr<merge::model_store> store;
  std::optional<program_session> session;
  std::string session_id = "s-1";
};

ml::sync_response response_of(const program_session::reply& reply) {
  return *ml::decode_sync_response(joined(std::get<ml::outgoing>(reply)));
}

} // namespace

TEST_CASE("the name that the original's guide misprints is the default contract, with one remark") {
  bench t;
  ml::session_request request;
  request.sync_interval = request.min_peers = request.node_weightage = 1;
  request.training_contract = "defaulttbb.cqdb.sml.hpe";
  const auto event = t.session->take(ml::msg_type::open_session_request, ml::encode(request));
  REQUIRE(event);
  const auto opened = std::get<program_opened>(*event);
  CHECK(opened.contract == contracts::default_training_name);
  CHECK(opened.remark.find("'defaulttbb.cqdb.sml.hpe' is taken for 'defaultbb.cqdb.sml.hpe'")
        != std::string::npos);
  CHECK(std::get<program_opened>(*bench().open()).remark.empty());
}

TEST_CASE("an open carries the program's parameters, and is answered once") {
  bench t;
  CHECK(t.session->is_idle());
  const auto event = t.open();
  REQUIRE(event);
  const auto& opened = std::get<program_opened>(*event);
  CHECK(opened.contract == contracts::default_training_name);
  CHECK(opened.params.min_peers == 2);
  CHECK(opened.params.sync_interval == 8);
  CHECK(opened.params.weightage == 3);
  CHECK(t.session->is_owed());
  const auto reply = t.session->answer_open();
  CHECK(ml::decode_session_response(joined(std::get<ml::outgoing>(reply)))->session_id == "s-1");
  CHECK(!t.session->is_owed());
  CHECK(bench::nothing(t.session->answer_open()));
  CHECK(t.open().error().is(errc::conflict));
}

TEST_CASE("what a session cannot be opened with is refused by name") {
  const ml::session_request good{.sync_interval = 8, .min_peers = 2, .node_weightage = 3};
  const auto refused = [&](auto change, std::string_view name) {
    bench t;
    auto request = good;
    change(request);
    const auto event = t.open(request);
    REQUIRE(!event);
    CHECK(says(event.error(), name));
    CHECK(t.session->is_idle());
  };
  refused([](auto& r) { r.sync_interval = 0; }, "syncFrequency");
  refused([](auto& r) { r.min_peers = 0; }, "minPeers");
  refused([](auto& r) { r.node_weightage = 101; }, "nodeWeightage");
  refused([](auto& r) { r.training_contract = "no name"; }, "trainingContract");
  refused([](auto& r) { r.merge_method = "sum"; }, "sum");
  refused([](auto& r) { r.merge_method = "trimmedmean:0.6"; }, "trimmedmean");
  refused([](auto& r) { r.merge_method = "krum:1"; }, "5 models in every round");
  refused([](auto& r) { r.merge_method = "custom:best"; }, "--merge-library at every SL");
  refused([](auto& r) { r.checkin_model_on_train_end = "later"; }, "checkinModelOnTrainEnd");
}

TEST_CASE("a sync: the model is stored, the merge evaluated, the answer echoes the number") {
  bench t;
  t.opened();
  const auto merge = t.merged(7);
  const auto event = t.sync(41);
  REQUIRE(event);
  const auto& sync = std::get<program_synced>(*event);
  CHECK(t.store->contains(sync.model.digest));
  CHECK(t.sync(42).error().is(errc::conflict)); // one request at a time
  const auto asked = t.session->ask_loss({merge, 1, 1});
  REQUIRE(asked);
  const auto request = ml::decode_loss_request(joined(std::get<ml::outgoing>(*asked)));
  REQUIRE(request);
  CHECK(request->sync_seq_num == 41);
  CHECK(request->loss_seq_num == 1);
  CHECK(!t.session->is_owed()); // it is the program's turn
  const auto answered = t.loss(41, 1);
  REQUIRE(answered);
  CHECK(std::get<program_loss>(*answered).digest == merge);
  CHECK(std::get<program_loss>(*answered).report.loss == 0.5);
  const auto response = response_of(t.session->answer_sync({16, true}));
  CHECK(response.sync_seq_num == 41);
  CHECK(response.next_sync_interval == 16);
  CHECK(response.training_over);
  CHECK(t.sync(42));
}

TEST_CASE("notices are for a program that takes them, while it waits") {
  bench t;
  SUBCASE("the original's does not") {
    REQUIRE(t.open());
    CHECK(bench::nothing(t.session->tell("waiting for sl-2")));
  }
  SUBCASE("swarmd's does") {
    REQUIRE(t.open({.sync_interval = 8, .min_peers = 2, .node_weightage = 3, .takes_notices = true}));
    const auto reply = t.session->tell("waiting for an SN");
    REQUIRE(bench::sent<ml::status>(reply));
    const auto told = ml::decode_status(joined(std::get<ml::outgoing>(reply)));
    REQUIRE(told);
    CHECK(*told == ml::status{ml::status_code::ok, "waiting for an SN", true});
    t.session->answer_open();
    CHECK(bench::nothing(t.session->tell("it trains")));
    REQUIRE(t.sync(1));
    CHECK(bench::sent<ml::status>(t.session->tell("waiting for sl-2")));
    const auto response = response_of(t.session->answer_sync({16, false, "left out"}));
    CHECK(response.status == ml::status{ml::status_code::ok, "left out"});
  }
}

TEST_CASE("which round a program goes on from is told to one that asks to resume, and to no other") {
  const auto opened = [](const program_session::reply& reply) {
    REQUIRE(bench::sent<ml::session_response>(reply));
    return ml::decode_session_response(joined(std::get<ml::outgoing>(reply))).value();
  };
  bench t;
  ml::session_request asks{.sync_interval = 8, .min_peers = 2, .node_weightage = 3};
  SUBCASE("it does not ask") {
    REQUIRE(t.open(asks));
    CHECK(opened(t.session->answer_open({7})) == ml::session_response{.session_id = t.session_id});
    REQUIRE(t.sync(1));
    CHECK(response_of(t.session->answer_sync({16, false, {}, 7})).merged_round == 0);
  }
  SUBCASE("it asks") {
    asks.resume = true;
    const auto event = t.open(asks);
    REQUIRE(event);
    CHECK(std::get<program_opened>(*event).params.resume);
    CHECK(t.session->resume().session->params.resume); // a follower that starts anew knows
    const auto response = opened(t.session->answer_open({7}));
    CHECK(response.resumes);
    CHECK(response.resume_round == 7);
    REQUIRE(t.sync(1));
    CHECK(response_of(t.session->answer_sync({16, false, {}, std::uint64_t{1} << 40})).merged_round
          == 0x7fffffff);
  }
}

TEST_CASE("answers that nobody waits for lead to nothing") {
  bench t;
  CHECK(bench::nothing(t.session->answer_open()));
  CHECK(bench::nothing(t.session->answer_sync({})));
  CHECK(bench::nothing(t.session->answer_close()));
  CHECK(bench::nothing(*t.session->ask_loss({})));
  t.opened();
  CHECK(bench::nothing(t.session->answer_sync({})));
  REQUIRE(t.close(1));
  CHECK(bench::nothing(t.session->answer_sync({})));
  CHECK(bench::sent<ml::sync_response>(t.session->answer_close()));
  CHECK(bench::nothing(t.session->answer_close()));
}

TEST_CASE("a merge that is not in the store cannot be handed over; the program goes on waiting") {
  bench t;
  t.opened();
  REQUIRE(t.sync(1));
  CHECK(!t.session->ask_loss({hash32{}, 1, 1}));
  CHECK(t.session->is_owed());
}

TEST_CASE("what a program may not send in this place, or of another session, is refused") {
  bench t;
  CHECK(!t.sync(1));
  CHECK(!t.loss(1, 1));
  t.opened();
  CHECK(!t.loss(1, 1));
  t.session_id = "another";
  CHECK(t.sync(1).error().is(errc::invalid));
  t.session_id = "s-1";
  CHECK(!t.send(ml::msg_type::sync_request, 1, 1, 101));
  const auto merge = t.merged(7);
  REQUIRE(t.sync(1));
  REQUIRE(t.session->ask_loss({merge, 1, 1}));
  CHECK(!t.loss(2, 1));
  CHECK(!t.loss(1, 2));
  CHECK(t.loss(1, 1));
}

TEST_CASE("how a session ends: orderly only if the program has said so") {
  bench t;
  CHECK(std::holds_alternative<std::monostate>(t.session->closed("gone")));
  t.opened();
  SUBCASE("in its midst") {
    const auto gone = std::get<program_gone>(t.session->closed("gone"));
    CHECK(!gone.orderly);
    CHECK(gone.why == contracts::leave_reason::program_gone);
    CHECK(!t.session->resume().session);
  }
  SUBCASE("after it was refused") {
    CHECK(!t.session->take(ml::msg_type::status, {}));
    CHECK(std::get<program_gone>(t.session->closed("refused")).why == contracts::leave_reason::bad_request);
  }
  SUBCASE("after its close was answered") {
    REQUIRE(t.close(1));
    t.session->answer_close();
    CHECK(std::get<program_gone>(t.session->closed("gone")).orderly);
    const auto state = t.session->resume(); // its peers may still need something from here
    CHECK(state.session);
    CHECK(std::holds_alternative<program_closing>(state.waits_for));
  }
  SUBCASE("by its own word") {
    const auto event =
        t.session->take(ml::msg_type::kill_session_request,
                        ml::encode(ml::kill_session_request{"s-1", {ml::status_code::ok, "enough"}}));
    REQUIRE(event);
    CHECK(std::get<program_gone>(*event).orderly);
    CHECK(std::get<program_gone>(*event).why == contracts::leave_reason::program_ended);
    CHECK(t.session->resume().last_words == "it ended its session: enough");
  }
  SUBCASE("as it could not compute its loss") {
    const auto merge = t.merged(7);
    REQUIRE(t.sync(1));
    REQUIRE(t.session->ask_loss({merge, 1, 1}));
    const auto event = t.loss(1, 1, ml::status_code::error_in_user);
    REQUIRE(event);
    CHECK(!std::get<program_gone>(*event).orderly);
    CHECK(std::get<program_gone>(*event).why == contracts::leave_reason::program_failed);
    CHECK(!t.session->resume().session);
  }
}

TEST_CASE("a follower that starts in the middle is told what the program waits for, and what it has") {
  bench t;
  CHECK(!t.session->resume().session);
  REQUIRE(t.open());
  auto state = t.session->resume();
  REQUIRE(state.session);
  CHECK(state.session->params.sync_interval == 8);
  CHECK(!state.open_answered);
  t.session->answer_open();
  state = t.session->resume();
  CHECK(state.open_answered);
  CHECK(state.progress.base_round == 0);
  CHECK(state.progress.interval == 8);
  CHECK(std::holds_alternative<std::monostate>(state.waits_for));

  const auto merge = t.merged(7);
  const auto synced = std::get<program_synced>(*t.sync(1));
  state = t.session->resume();
  CHECK(std::get<program_synced>(state.waits_for).model.digest == synced.model.digest);
  REQUIRE(t.session->ask_loss({merge, 4, 5}));
  // The request is served from its beginning, but the program is asked only once.
  CHECK(std::holds_alternative<program_synced>(t.session->resume().waits_for));
  CHECK(bench::nothing(*t.session->ask_loss({merge, 4, 5})));
  REQUIRE(t.loss(1, 1));
  state = t.session->resume();
  CHECK(state.progress.base_round == 0);
  const auto known = t.session->ask_loss({merge, 4, 5});
  REQUIRE(known);
  CHECK(std::get<program_loss>(*known).digest == merge);
  CHECK(std::get<program_loss>(*known).report.loss == 0.5);

  t.session->answer_sync({32, false});
  state = t.session->resume();
  CHECK(std::holds_alternative<std::monostate>(state.waits_for));
  CHECK(state.progress.generation == 4);
  CHECK(state.progress.base_round == 5);
  CHECK(state.progress.base_digest == merge);
  CHECK(state.progress.loss.loss == 0.5);
  CHECK(state.progress.interval == 32);
}

TEST_CASE("a follower that starts in the middle may want another merge than its former self") {
  bench t;
  t.opened();
  const auto one = t.merged(7), other = t.merged(8);
  REQUIRE(t.sync(1));
  REQUIRE(t.session->ask_loss({one, 1, 1}));
  CHECK(bench::nothing(*t.session->ask_loss({other, 1, 2}))); // not before the program has answered
  CHECK(std::get<program_loss>(*t.loss(1, 1)).digest == one);
  const auto asked = t.session->ask_loss({other, 1, 2});
  REQUIRE(asked);
  CHECK(ml::decode_loss_request(joined(std::get<ml::outgoing>(*asked)))->loss_seq_num == 2);
  CHECK(std::get<program_loss>(*t.loss(1, 2)).digest == other);
}

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

} // namespace program_session_test
