#pragma once

#include "actors/sl/channel/program_session.hpp"
#include "base/testing/temporary_folder.hpp"
#include "transport/ml_channel/weights.hpp"

#include <doctest/doctest.h>

#include <filesystem>

/// For the tests of a program's session with its SL.
namespace swarm::actors::testing {

using event = program_session::event;

inline bytes joined(const ml::outgoing& message) {
  bytes out;
  for (const auto& piece : message.pieces)
    out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

/// A session and the program's side of it.
struct session_bench {
  session_bench() {
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

inline ml::sync_response response_of(const program_session::reply& reply) {
  return *ml::decode_sync_response(joined(std::get<ml::outgoing>(reply)));
}

} // namespace swarm::actors::testing
