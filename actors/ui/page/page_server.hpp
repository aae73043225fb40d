#pragma once

#include "actors/ui/feed/feed_hub.hpp"
#include "actors/ui/gate/access.hpp"
#include "actors/ui/gate/request_gate.hpp"
#include "transport/http/http_server.hpp"

#include <filesystem>
#include <functional>

namespace swarm::ui {

struct page_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 30302;
  bool plain = false;                                   ///< HTTP from this host as well
  std::vector<endpoint> hosts;                          ///< further names, see `request_gate`
  access_rules access;                                  ///< what certificates may do
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean; null: the default
  std::filesystem::path link_file;                      ///< where the next link to log in with is kept
  std::filesystem::path models; ///< a folder of models that may be fetched (model_files.hpp)
  std::string log_source = "swarm.ui";
  std::size_t browsers_max = 128;
  std::size_t unread_bytes_max = 48 * 1024 * 1024;        ///< of all browsers together
  std::size_t browser_unread_bytes_max = 6 * 1024 * 1024; ///< of one
};

/// From a browser's connection, in the order in which it happens.
namespace browser {
struct came {
  browser_id who = 0;
  browser_session in;
};
struct said {
  browser_id who = 0;
  std::string text;
  std::shared_ptr<void> credit; ///< see transport::ws_message
};
struct gone {
  browser_id who = 0;
};
} // namespace browser
using browser_news = std::variant<browser::came, browser::said, browser::gone>;

/// Serves the page, and the feed's WebSockets, to whoever is let in. The sockets belong to the process; what is said on
/// the feed goes to whoever listens now.
class page_server {
public:
  using listener = std::function<void(browser_news)>;

  /// Listens, and prints the link to log in with.
  static result<std::shared_ptr<page_server>> start(transport::io_runtime& io,
                                                    std::shared_ptr<const transport::tls_identity> identity,
                                                    page_options options);

  /// From now on; called on the runtime's threads. Browsers of the listener before are sent away: they come back.
  void listen(listener who);
  /// A browser that does not read is dropped.
  void send(browser_id to, const shared_text& text);
  void close(browser_id which, std::uint16_t code, const std::string& why);
  std::uint16_t port() const { return server_->port(); }
  transport::http_server_status status() const { return server_->status(); }
  std::size_t unread_bytes() const;
  std::uint64_t dropped() const;
  std::uint64_t refused() const;

private:
  struct shared;
  explicit page_server(std::shared_ptr<shared> from) : shared_(std::move(from)) {}

  std::shared_ptr<shared> shared_;
  std::unique_ptr<transport::http_server> server_; ///< the first to go
};

} // namespace swarm::ui
