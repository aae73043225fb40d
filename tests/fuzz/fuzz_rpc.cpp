// JSON-RPC requests to the real service over a small chain: whatever a request holds, it is answered
// once, in JSON.
#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/assert.hpp"

using namespace swarm;
using namespace swarm::rpc::test;

namespace {

/// Two blocks with an event and a revert, and a transaction that waits.
rpc_node& node() {
  static rpc_node made;
  static const bool filled = [] {
    made.submit(make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2))));
    made.submit(make_txn(test_key(9), 1, input_of(op::revert, word(1), word(2))));
    made.seal();
    made.submit(make_txn(test_key(9), 2, input_of(op::store, word(3), word(33))));
    made.seal();
    made.submit(make_txn(test_key(9), 3, input_of(op::emit, word(1), word(2))));
    return true;
  }();
  SWARM_ASSERT(filled);
  return made;
}

void check_response(const json::value& response) {
  const auto& object = response.as_object();
  SWARM_ASSERT(object.at("jsonrpc") == "2.0" && object.contains("id"));
  SWARM_ASSERT(object.contains("result") != object.contains("error"));
  if (const auto* error = object.if_contains("error"))
    SWARM_ASSERT(error->at("code").is_int64() && !error->at("message").as_string().empty());
}

void check_answer(const std::string& text) {
  if (text.empty()) return; // notifications
  const auto answer = json::parse(text);
  if (!answer.is_array()) return check_response(answer);
  SWARM_ASSERT(!answer.as_array().empty());
  for (const auto& response : answer.as_array())
    check_response(response);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto& on = node();
  joined_service service(*on.chain, on.now);
  std::vector<std::string> sent;
  rpc::caller from = on.from;
  from.session = 1; // one that may subscribe
  from.send = [&](std::string text) { sent.push_back(std::move(text)); };
  service.handle(std::string(as_text({data, size})), from, on.now);
  while (service.busy())
    service.go_on(on.now);
  service.on_time(on.now + rpc::service::receipt_wait); // who waits for a block hears of the time
  SWARM_ASSERT(sent.size() == 1);
  check_answer(sent.front());
  service.on_block(on.chain->head(), on.now);
  for (std::size_t i = 1; i < sent.size(); ++i)
    SWARM_ASSERT(json::parse(sent[i]).at("method") == "eth_subscription");
  service.session_gone(1);
  SWARM_ASSERT(service.subscriptions() == 0 && service.waiting() == 0);
  return 0;
}
