#pragma once

#include "actors/sn_client/session/events.hpp"
#include "actors/supervision/environment.hpp"
#include "actors/swci/commands/network.hpp"
#include "ledger/formats/keys.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>

namespace swarm::actors {

/// Where the thread of a command waits for what actors answer it. Each answer comes once, for whoever waits for it then;
/// one that nobody waits for is dropped.
class mailroom {
public:
  using letter =
      std::variant<result<std::vector<boost::json::value>>, result<session::call_receipt>, result<>>;

  /// A number under which an answer will come.
  std::uint64_t expect();
  void deliver(std::uint64_t id, letter what);
  /// Waits for it. Fails with errc::cancelled or errc::timeout; then it is not expected any more.
  template <class Answer>
  Answer take(std::uint64_t id, const std::stop_token& stop, std::chrono::milliseconds limit) {
    auto got = take_letter(id, stop, limit);
    if (!got) return tl::unexpected(std::move(got).error());
    return std::move(std::get<Answer>(*got));
  }

private:
  result<letter> take_letter(std::uint64_t id, const std::stop_token& stop, std::chrono::milliseconds limit);

  std::mutex mutex_;
  std::condition_variable_any came_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::optional<letter>> expected_;
};

/// A context's network, by way of its SN client at `sn_path`, for the thread of one command.
class context_network final : public swci::network {
public:
  context_network(std::shared_ptr<environment> env, std::shared_ptr<mailroom> mail, std::string sn_path,
                  address account, std::string trouble, std::stop_token stop)
      : env_(std::move(env)), mail_(std::move(mail)), sn_path_(std::move(sn_path)), account_(account),
        trouble_(std::move(trouble)), stop_(std::move(stop)) {}

  /// From now on answers have to be here by then, also of those that would be waited for longer.
  void answer_by(std::chrono::steady_clock::time_point when) { until_ = when; }

  result<std::vector<boost::json::value>> ask(std::vector<session::rpc_call> calls) override;
  result<> submit(const address& to, bytes input, std::string what) override;
  address account() const override { return account_; }
  std::string trouble() const override { return trouble_; }

private:
  std::shared_ptr<environment> env_;
  std::shared_ptr<mailroom> mail_;
  std::string sn_path_;
  address account_;
  std::string trouble_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::time_point::max();
};

} // namespace swarm::actors
