#include "actors/swci/web/web_console.hpp"

#include "actors/swci/language/parser.hpp"
#include "actors/swci/language/render/render.hpp"
#include "actors/swci/language/words.hpp"
#include "actors/swci/web/uploads.hpp"
#include "actors/swop/lines/readers.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "transport/http/http_server.hpp"

#include <cstdio>
#include <deque>
#include <mutex>

namespace swarm::swci {

namespace {

constexpr std::size_t requests_max = 64; ///< that wait
/// A form with a file of the largest size, and its heads.
constexpr std::size_t body_bytes_max = upload_bytes_max + 64 * 1024;
constexpr std::size_t bodies_bytes_max = 16 * body_bytes_max;
constexpr std::size_t connections_max = 256;

transport::http_response answer_with(unsigned status, const std::vector<std::string>& elements) {
  return transport::text_response(status, content_json(elements) + "\n", "application/json");
}
transport::http_response refuse_with(unsigned status, std::string_view why) {
  return answer_with(status, {error_text_of(why)});
}

std::string_view without_last_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

/// A table that moves has no end that a client could wait for.
bool has_no_end(const std::string& command) {
  const auto what = parse(command);
  return what && std::holds_alternative<commands::watch_contract>(*what);
}

class web_console final : public console, public std::enable_shared_from_this<web_console> {
public:
  web_console(transport::io_runtime& io, web_options options)
      : io_(io), options_(std::move(options)), uploads_(options_.folder) {}

  result<> listen(std::shared_ptr<const transport::tls_identity> identity);

  bool is_service() const override { return true; }
  void start(std::function<void(any_input)> tell) override;
  bool may_see_lines() override;
  void works_in(const std::string& inside) override;
  void ask_line(const std::string& prompt) override;
  void show(const std::string& text) override;
  void show_answer(const std::string& text, bool is_error) override;
  void mark() override {}
  void finish() override {
    show("The session has ended. The next command begins a new one, without contexts.\n");
  }

private:
  struct waiting {
    std::uint64_t id = 0;
    any_order what;
    transport::http_reply reply;
    bool may_see_lines = false; ///< whoever sent it
  };

  std::optional<std::string> refusal_for(const transport::peer_info& client) const;
  void take(const transport::http_request& request, const transport::http_reply& reply);
  void interrupt(const transport::http_reply& reply);
  void enqueue(any_order what, const transport::http_reply& reply, bool may_see_lines);
  void give_up(std::uint64_t id);
  void go_on(std::unique_lock<std::mutex>& lock);
  void finish_current();

  transport::io_runtime& io_;
  const web_options options_;
  std::shared_ptr<const transport::tls_identity> identity_;
  std::shared_ptr<const members::member_rules> members_;

  std::mutex mutex_; ///< guards what follows
  std::function<void(any_input)> tell_;
  bool line_wanted_ = false;
  std::string folder_; ///< the session's, inside the user folder
  std::uint64_t last_id_ = 0;
  std::deque<waiting> queue_;
  std::optional<waiting> current_;
  std::vector<std::string> content_; ///< what there is to answer to `current_`

  upload_folder uploads_;                          ///< used by whoever has made an upload the current order
  std::unique_ptr<transport::http_server> server_; ///< the first to go
};

result<> web_console::listen(std::shared_ptr<const transport::tls_identity> identity) {
  identity_ = identity;
  members_ = options_.members ? options_.members : std::make_shared<const members::member_rules>();
  transport::http_server_options http;
  http.address = options_.address;
  http.port = options_.port;
  http.name = "SWCI";
  http.log_source = options_.log_source;
  http.plain = options_.plain_for_all ? transport::plain_http::everybody : transport::plain_http::this_host;
  http.body_bytes_max = body_bytes_max;
  http.bodies_bytes_max = bodies_bytes_max;
  http.connections_max = connections_max;
  SWARM_TRY(server_,
            transport::http_server::start(io_, std::move(identity), http,
                                          [self = weak_from_this()](const transport::http_request& request,
                                                                    const transport::http_reply& reply) {
                                            if (const auto alive = self.lock()) alive->take(request, reply);
                                          }));
  const auto where = host_port(options_.address, server_->port());
  log::info(options_.log_source,
            "web mode on {}: HTTPS for whoever has a certificate for SWCI of this organisation, HTTP for {}",
            where, options_.plain_for_all ? "everybody" : "whoever is on this host");
  if (options_.plain_for_all)
    log::warning(options_.log_source,
                 "--swci-web-plain: ANYBODY who reaches {} commands the network, without a certificate",
                 where);
  return {};
}

/// Why a certificate does not command this SWCI, which acts for its organisation; none without a certificate.
std::optional<std::string> web_console::refusal_for(const transport::peer_info& client) const {
  if (!client.has_proof()) return std::nullopt;
  const auto why = swop::refusal_of(client, *identity_, *members_);
  if (!why) return std::nullopt;
  return fmt::format("{} may not command this SWCI: {}", client.cert_subject,
                     *why == swop::lines_refusal::other_organisation
                         ? "its certificate is of another organisation"
                         : "its certificate is not for SWCI; give it such a one, or a rule of --members");
}

void web_console::take(const transport::http_request& request, const transport::http_reply& reply) {
  auto read =
      read_order({request.method, request.target, transport::find_header(request.headers, "Content-Type"),
                  transport::find_header(request.headers, "Origin"), request.body});
  if (const auto* no = std::get_if<refusal>(&read)) return reply(refuse_with(no->status, no->text));
  auto& what = std::get<any_order>(read);
  const auto who = fmt::format("{} ({})", host_port(request.peer.address, request.peer.port),
                               request.peer.has_proof() ? request.peer.cert_subject : "no certificate");
  if (const auto no = refusal_for(request.peer)) {
    log::warning(options_.log_source, "refused: {}, at {}", *no,
                 host_port(request.peer.address, request.peer.port));
    return reply(refuse_with(403, *no));
  }
  if (const auto* exec = std::get_if<order::exec>(&what)) {
    log::info(options_.log_source, "{} commands: {}", who, one_line(shortened(exec->command)));
    if (has_no_end(exec->command))
      return reply(refuse_with(200, "WATCH CONTRACT has no end here: use GET CONTRACT STATUS"));
  } else if (const auto* file = std::get_if<order::upload>(&what)) {
    log::info(options_.log_source, "{} uploads {}, {} bytes", who, file->name, file->content.size());
  } else {
    log::info(options_.log_source, "{} interrupts", who);
    return interrupt(reply);
  }
  // Without a certificate comes whoever is on this host, unless everybody may.
  const bool may_see_lines = request.peer.has_proof() || !options_.plain_for_all;
  enqueue(std::move(what), reply, may_see_lines);
}

void web_console::interrupt(const transport::http_reply& reply) {
  std::unique_lock lock(mutex_);
  if (!current_) return reply(refuse_with(200, "no command is under way"));
  const auto tell = tell_;
  lock.unlock();
  tell(input::interrupt{});
  reply(answer_with(200, {}));
}

void web_console::enqueue(any_order what, const transport::http_reply& reply, bool may_see_lines) {
  std::unique_lock lock(mutex_);
  if (queue_.size() >= requests_max)
    return reply(
        refuse_with(503, fmt::format("{} requests wait already: try again later, or POST /interrupt ends the "
                                     "command that they wait for",
                                     queue_.size())));
  const auto id = ++last_id_;
  queue_.push_back({id, std::move(what), reply, may_see_lines});
  go_on(lock);
  const bool waits = std::ranges::find(queue_, id, &waiting::id) != queue_.end();
  lock.unlock();
  if (!waits) return;
  io_.after(options_.waiting_max, [self = weak_from_this(), id] {
    if (const auto alive = self.lock()) alive->give_up(id);
  });
}

void web_console::give_up(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find(queue_, id, &waiting::id);
  if (at == queue_.end()) return;
  at->reply(refuse_with(503, "another command has been under way for too long; this one is not run"));
  queue_.erase(at);
}

/// Hands the session the next line if it wants one; uploads on the way are stored.
void web_console::go_on(std::unique_lock<std::mutex>& lock) {
  while (line_wanted_ && !current_ && !queue_.empty()) {
    current_ = std::move(queue_.front());
    queue_.pop_front();
    content_.clear();
    if (const auto* exec = std::get_if<order::exec>(&current_->what)) {
      line_wanted_ = false;
      const auto tell = tell_;
      const auto text = exec->command;
      lock.unlock();
      tell(input::line{text});
      lock.lock();
      return;
    }
    const auto file = std::get<order::upload>(current_->what);
    const auto folder = folder_;
    lock.unlock();
    const auto stored = uploads_.store(folder, file);
    lock.lock();
    content_.push_back(stored ? "Uploaded : " + *stored : error_text_of(stored.error().message));
    finish_current();
  }
}

void web_console::finish_current() {
  if (!current_) return;
  current_->reply(answer_with(200, content_));
  current_.reset();
  content_.clear();
}

/// A second time after the session's actor was started again: its command has got lost.
void web_console::start(std::function<void(any_input)> tell) {
  const std::lock_guard lock(mutex_);
  tell_ = std::move(tell);
  line_wanted_ = false;
  if (!current_ || !std::holds_alternative<order::exec>(current_->what)) return;
  content_ = {error_text_of(
      "the session had to be started anew, without contexts; whether the command was carried out is "
      "not known")};
  finish_current();
}

/// What the init script orders is shown on this host.
bool web_console::may_see_lines() {
  const std::lock_guard lock(mutex_);
  return !current_ || current_->may_see_lines;
}

void web_console::works_in(const std::string& inside) {
  const std::lock_guard lock(mutex_);
  folder_ = inside;
}

void web_console::ask_line(const std::string&) {
  std::unique_lock lock(mutex_);
  if (current_ && std::holds_alternative<order::exec>(current_->what)) finish_current();
  line_wanted_ = true;
  go_on(lock);
}

void web_console::show(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (current_) return content_.emplace_back(without_last_end(text)), void();
  std::fputs(text.c_str(), stdout); // of the init script
  std::fflush(stdout);
}

void web_console::show_answer(const std::string& text, bool) {
  const auto shown = without_last_end(text);
  show(shown.empty() ? "(none)" : std::string(shown) + "\n");
}

} // namespace

result<std::shared_ptr<console>> start_web_console(transport::io_runtime& io,
                                                   std::shared_ptr<const transport::tls_identity> identity,
                                                   web_options options) {
  auto made = std::make_shared<web_console>(io, std::move(options));
  SWARM_CHECK(made->listen(std::move(identity)));
  return std::shared_ptr<console>(std::move(made));
}

} // namespace swarm::swci
