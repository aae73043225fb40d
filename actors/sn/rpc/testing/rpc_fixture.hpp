#pragma once

#include "actors/sn/rpc/reader.hpp"
#include "actors/sn/rpc/service.hpp"
#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"

#include <boost/json.hpp>

#include <stdexcept>

/// A service over a real chain in a temporary directory, for tests and fuzzers.
namespace swarm::rpc::test {

namespace json = boost::json;
using namespace ledger::test;

/// Hexadecimal of anything that has a view.
template <class Fixed>
std::string hex(const Fixed& from) {
  return to_hex(from.view());
}

/// A text to compare with JSON.
inline json::value js(const std::string& text) {
  return json::value(text);
}

inline std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

/// The product's contracts, and the ledger's test contract beside them.
inline ledger::chain_options rpc_chain_options(std::filesystem::path dir) {
  auto out = test_options(std::move(dir));
  auto product = contracts::make_contracts();
  auto& own = out.contracts;
  own.kinds.insert(own.kinds.end(), product.kinds.begin(), product.kinds.end());
  own.genesis.insert(own.genesis.end(), product.genesis.begin(), product.genesis.end());
  return out;
}

/// A service with its reader and its chain, connected as the actors connect them, but in one thread.
class joined_service {
public:
  joined_service(ledger::chain& chain, time_point now, const service_limits& limits = {})
      : chain_(chain), front_(chain.window(), now, limits, own()), reader_(limits.filters) {}

  void handle(std::string body, caller from, time_point now) {
    front_.step(event::text{std::move(body), std::move(from)}, now);
    carry_out(now);
  }
  bool busy() const { return front_.busy() || reader_.busy(); }
  std::vector<service::silence> silences(time_point now, std::size_t most) {
    return front_.silences(now, most);
  }
  void go_on(time_point now) {
    if (!front_.busy()) return reader_.go_on(now);
    front_.go_on(now);
    carry_out(now);
  }
  void on_block(const ledger::block_ptr& block, time_point now) {
    front_.step(event::block_final{block}, now);
  }
  void on_time(time_point now) {
    front_.step(event::tick{}, now);
    reader_.tick(now);
  }
  void session_gone(std::uint64_t session) { front_.step(event::session_gone{session}, {}); }

  std::size_t subscriptions() const { return front_.subscriptions(); }
  std::size_t waiting() const { return front_.waiting_for_receipts(); }
  std::size_t filters() const { return reader_.filters(); }
  service& front() { return front_; }
  std::vector<bytes> signs; ///< that others are to be told

private:
  static address own() {
    address out;
    out.fill(7);
    return out;
  }
  void carry_out(time_point now) {
    for (auto actions = front_.take_actions(); !actions.empty(); actions = front_.take_actions())
      for (auto& each : actions)
        std::visit([&](auto& what) { carry_out(what, now); }, each);
  }
  void carry_out(action::submit& what, time_point now) {
    auto taken = chain_.submit(std::move(what.txn));
    if (what.must_answer(taken)) front_.step(event::submitted{what.token, std::move(taken)}, now);
  }
  void carry_out(action::read& what, time_point now) {
    reader_.step(std::move(what.part), chain_.window(), now);
  }
  void carry_out(action::tell_sign& what, time_point) { signs.push_back(std::move(what.raw)); }

  ledger::chain& chain_;
  service front_;
  reader reader_;
};

class rpc_node {
public:
  explicit rpc_node(service_limits limits = {}, ledger::chain_limits of_chain = {}) {
    auto options = rpc_chain_options(dir_ / "chain");
    options.limits = of_chain;
    auto opened = ledger::chain::open(std::move(options));
    if (!opened) throw std::runtime_error(opened.error().message);
    chain = std::move(*opened);
    served = std::make_unique<joined_service>(*chain, now, limits);
    from.client = word(77);
    from.send = [this](std::string text) { sent.push_back(std::move(text)); };
  }

  /// Everything that was sent in answer to `body`; nothing when the answer waits for a block.
  std::vector<std::string> post(std::string_view body) {
    sent.clear();
    served->handle(std::string(body), from, now);
    while (served->busy())
      served->go_on(now);
    return std::exchange(sent, {});
  }
  /// The one answer to `body`.
  json::object ask(std::string_view body) {
    const auto answers = post(body);
    if (answers.size() != 1 || answers[0].empty())
      throw std::runtime_error(fmt::format("{} answers to {}", answers.size(), body));
    return json::parse(answers[0]).as_object();
  }
  json::object call(std::string_view method, std::string_view params = "[]") {
    return ask(fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"{}","params":{}}})", method, params));
  }
  /// The result; an error throws.
  json::value value(std::string_view method, std::string_view params = "[]") {
    auto answer = call(method, params);
    if (!answer.contains("result"))
      throw std::runtime_error(fmt::format("{}: {}", method, std::string(json::serialize(answer))));
    return answer["result"];
  }
  /// The result as JSON text.
  std::string text(std::string_view method, std::string_view params = "[]") {
    return json::serialize(value(method, params));
  }
  /// "code message" of the error; a result throws.
  swarm::testing::wording error(std::string_view method, std::string_view params = "[]") {
    return error_text(call(method, params));
  }
  static swarm::testing::wording error_text(const json::object& answer) {
    if (answer.contains("result") || !answer.contains("error"))
      throw std::runtime_error("no error: " + std::string(json::serialize(answer)));
    const auto& error = answer.at("error").as_object();
    return fmt::format("{} {}", error.at("code").as_int64(), std::string(error.at("message").as_string()));
  }

  hash32 submit(const ledger::transaction& txn) { return chain->submit(txn.raw()).value(); }
  /// Commits what waits and tells the service.
  ledger::block_ptr seal(std::uint64_t timestamp = 0) {
    auto block = seal_block(*chain, timestamp).value();
    served->on_block(block, now);
    return block;
  }
  void pass(duration span) { served->on_time(now += span); }

  time_point now = time_point{} + std::chrono::hours(1);
  std::unique_ptr<ledger::chain> chain;
  std::unique_ptr<joined_service> served;
  caller from;
  std::vector<std::string> sent;

private:
  temp_dir dir_;
};

} // namespace swarm::rpc::test
