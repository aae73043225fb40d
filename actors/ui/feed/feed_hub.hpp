#pragma once

#include "actors/ui/feed/requests.hpp"
#include "actors/ui/gate/session_book.hpp"

#include <boost/json.hpp>

#include <map>
#include <memory>
#include <set>
#include <vector>

/// Who watches what, and what each is told: a machine without sockets, clock or threads. Events go in as calls, and
/// `take_actions` says what is to be done, in this order. Every text is made once, however many get it.
namespace swarm::ui {

using browser_id = std::uint64_t;
using shared_text = std::shared_ptr<const std::string>;

/// What the server says of itself.
struct server_facts {
  std::string node_name;
  std::string version;
  std::string uid;
};

namespace action {
struct send {
  browser_id to = 0;
  shared_text text;
};
/// Nothing is sent to it any more.
struct close {
  browser_id which = 0;
  std::uint16_t code = 0; ///< as feed.ts lists them
  std::string why;
};
/// `feed_hub::answer` says what came of it.
struct ask {
  browser_id from = 0;
  std::uint64_t id = 0;
  any_question what;
  rights may = rights::reads;
};
struct act {
  browser_id from = 0;
  std::uint64_t id = 0;
  any_order what;
  std::string by; ///< who orders it, for the log
};
/// Somebody watches it who has not its newest state.
struct look {};
} // namespace action
using hub_action = std::variant<action::send, action::close, action::ask, action::act, action::look>;

class feed_hub {
public:
  static constexpr std::size_t watched_max = 32;         ///< topics of one browser
  static constexpr std::size_t questions_max = 16;       ///< of one browser, not answered yet
  static constexpr std::size_t topics_max = 256;         ///< that are watched by anybody
  static constexpr std::uint64_t burst_max = 100;        ///< messages of one browser
  static constexpr std::uint64_t messages_a_second = 20; ///< for long
  static constexpr std::uint64_t heartbeat_ms = 8'000;

  explicit feed_hub(server_facts facts) : facts_(std::move(facts)) {}

  void join(browser_id who, browser_session in, std::uint64_t now_ms);
  void leave(browser_id who);
  void hear(browser_id who, std::string_view text, std::uint64_t now_ms);
  /// Sessions end, and who watches the network is told at times that the server lives.
  void tick(std::uint64_t now_ms);

  /// The newest state of a topic. What is the same as before is told to nobody.
  void show(const std::string& topic, boost::json::object data, std::uint64_t now_ms);
  /// There is no such topic.
  void show_absent(const std::string& topic, std::string why, std::uint64_t now_ms);
  /// `what`: the data, by `data_text`.
  void answer(browser_id to, std::uint64_t id, const result<shared_text>& what, std::uint64_t now_ms);

  /// What a browser is told at a time it gets as one message.
  std::vector<hub_action> take_actions();

  const std::set<std::string>& watched() const { return watched_; }
  std::size_t browsers() const { return browsers_.size(); }

private:
  struct browser {
    browser_session in;
    std::set<std::string> topics;
    std::set<std::uint64_t> open; ///< ids of questions and orders
    std::uint64_t credit = burst_max;
    std::uint64_t credit_at_ms = 0;
  };
  struct topic_state {
    boost::json::value data; ///< null: not known yet, or absent
    std::string absent;      ///< why, when it is
    std::uint64_t serial = 0;
    std::uint64_t told_ms = 0;
    std::set<browser_id> watchers;
  };

  bool pays(browser& who, std::uint64_t now_ms) const;
  void on(browser_id who, browser& in, const said::watch& what, std::uint64_t now_ms);
  void on(browser_id who, browser& in, const said::unwatch& what, std::uint64_t now_ms);
  void on(browser_id who, browser& in, said::ask& what, std::uint64_t now_ms);
  void on(browser_id who, browser& in, said::act& what, std::uint64_t now_ms);
  void on(browser_id who, browser& in, const said::nonsense& what, std::uint64_t now_ms);
  bool opens(browser_id who, browser& in, std::uint64_t id, std::uint64_t now_ms);
  void unwatch(browser_id who, const std::string& topic);
  void tell_state(browser_id who, const std::string& name, const topic_state& topic, std::uint64_t now_ms);
  void patch(const std::string& name, topic_state& topic, boost::json::value change, std::uint64_t now_ms);
  void refuse(browser_id who, std::uint64_t id, std::string_view code, std::string_view why,
              std::uint64_t now_ms);
  void close(browser_id who, std::uint16_t code, std::string why);

  server_facts facts_;
  std::map<browser_id, browser> browsers_;
  std::map<std::string, topic_state> topics_;
  std::set<std::string> watched_;
  std::vector<hub_action> actions_;
};

/// An answer's data as it is written, which any number of answers may share.
shared_text data_text(const boost::json::value& data);

/// The refusal code of feed.ts for an error.
std::string_view refusal_code(const error& why);

} // namespace swarm::ui
