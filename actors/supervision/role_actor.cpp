#include "actors/supervision/role_actor.hpp"

#include "actors/supervision/message_text.hpp"
#include "base/log.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message_priority.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <utility>

namespace swarm::actors {

namespace {

constexpr std::int64_t publish_interval_ns = 100'000'000;
constexpr std::int64_t slow_ns = 10'000'000;

std::string in_words(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

bool power_of_two(std::uint64_t n) {
  return (n & (n - 1)) == 0;
}

} // namespace

role_base::role_base(caf::actor_config& cfg, const start_context& ctx)
    : caf::event_based_actor(cfg), path_(ctx.path), env_(ctx.env), record_(ctx.record), live_(ctx.live),
      supervisor_(ctx.parent ? caf::actor_cast<caf::actor>(ctx.parent) : caf::actor{}),
      mailbox_limit_(ctx.mailbox_limit) {
  live_->detached.store(ctx.detached, std::memory_order_relaxed);
  set_default_handler([this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    const auto& x = *current_mailbox_element();
    refused(message_type(x), sender_path(x), "no handler for it");
    return caf::make_error(caf::sec::unexpected_message);
  });
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) {
    refused("down", {}, "no handler for the end of a monitored actor: " + text_of(down.reason));
  });
}

role_base::~role_base() = default;

caf::behavior role_base::make_behavior() {
  dir().started(path_, caf::actor_cast<caf::actor>(this), live_);
  live_->begin("(start)", probe_now(), false);
  caf::behavior handlers;
  std::string failure;
  try {
    handlers = make_handlers();
  } catch (...) {
    failure = in_words(std::current_exception());
  }
  publish(false);
  live_->end(probe_now(), false);
  if (!failure.empty()) {
    quit(to_caf(std::move(failure)));
    return {};
  }
  if (ready_after_start()) announce_ready();
  return handlers;
}

void role_base::announce_ready() {
  live_->set_phase("running");
  if (record_->traced()) record_->trace({.event = "started"});
  if (supervisor_) send(supervisor_, child_ready{id()});
}

// The mailbox

void role_base::enqueue(caf::mailbox_element_ptr ptr, caf::execution_unit* host) {
  if (full_for(*ptr)) {
    refused(message_type(*ptr), sender_path(*ptr), fmt::format("{} messages wait already", mailbox_limit_));
    if (!ptr->mid.is_request() || !ptr->sender) return;
    auto answer = to_caf(make_error(errc::limit, fmt::format("{} is overloaded", path_)));
    ptr->sender->enqueue(nullptr, ptr->mid.response_id(), caf::make_message(std::move(answer)), host);
    return;
  }
  live_->enqueued();
  caf::event_based_actor::enqueue(std::move(ptr), host);
}

bool role_base::full_for(const caf::mailbox_element& x) const {
  if (live_->mailbox() < mailbox_limit_ || x.mid.is_response() || x.is_high_priority()) return false;
  const auto& content = x.content();
  return !content.match_elements<caf::exit_msg>() && !content.match_elements<caf::down_msg>()
         && !content.match_elements<caf::timeout_msg>();
}

/// Counts every refused message, but logs only the first, the second, the fourth and so on, so that a flood
/// does not fill the log.
void role_base::refused(std::string_view type, std::string_view from, std::string_view why) {
  const auto count = live_->refuse();
  auto text = fmt::format("refused message {}{}{}: {}", type, from.empty() ? "" : " from ", from, why);
  if (record_->traced())
    record_->trace(
        {.event = "refused", .type = std::string(type), .text = std::string(why), .from = std::string(from)});
  if (power_of_two(count)) note_error(std::move(text));
}

caf::invoke_message_result role_base::consume(caf::mailbox_element& x) {
  if (std::as_const(x).content().match_elements<status_request>()) {
    answer_status(x);
    return caf::invoke_message_result::consumed;
  }
  const auto* type = message_type(x);
  const bool traced = record_->traced();
  if (traced) trace(x, "message", type, message_text(x), 0);
  // Only requests are answered. For plain messages CAF would send back, too, what a handler returns, and it
  // would arrive as a message that nobody expects.
  if (!x.mid.is_request() && !x.mid.is_response()) x.mid.mark_as_answered();
  const auto begun = probe_now();
  live_->begin(type, begun);
  auto outcome = caf::invoke_message_result::consumed;
  try {
    outcome = caf::event_based_actor::consume(x);
  } catch (...) {
    handler_failed(x, type, in_words(std::current_exception()));
  }
  const auto now = probe_now();
  if (now - published_ns_ > publish_interval_ns) publish(false);
  live_->end(now, true, outcome == caf::invoke_message_result::skipped);
  if (traced && now - begun > slow_ns) trace(x, "slow", type, {}, now - begun);
  return outcome;
}

void role_base::answer_status(caf::mailbox_element& x) {
  current_mailbox_element(&x);
  publish(true);
  live_->forgotten();
  auto promise = make_response_promise();
  if (!promise.pending()) return;
  actor_status out;
  live_->read(out, probe_now());
  record_->read(out);
  promise.deliver(std::move(out));
}

/// The error becomes the exit reason; whoever waits for an answer gets it too.
void role_base::handler_failed(caf::mailbox_element& x, const char* type, const std::string& why) {
  auto reason = to_caf(fmt::format("{} (in message {})", why, type));
  if (record_->traced()) trace(x, "failed", type, why, 0);
  current_mailbox_element(&x);
  if (x.mid.is_request() && !x.mid.is_answered()) make_response_promise().deliver(reason);
  quit(std::move(reason));
}

void role_base::publish(bool with_detail) {
  std::string state, detail;
  try {
    state = describe();
    if (with_detail) detail = describe_detail();
  } catch (...) {
    state = "status failed: " + in_words(std::current_exception());
  }
  published_ns_ = probe_now();
  if (with_detail)
    live_->publish(std::move(state), std::move(detail));
  else
    live_->publish_state(std::move(state));
}

// Traces

std::string role_base::sender_path(const caf::mailbox_element& x) const {
  return x.sender ? dir().path_of(x.sender->id()) : std::string{};
}

void role_base::trace(const caf::mailbox_element& x, std::string event, const char* type, std::string text,
                      std::int64_t ns) {
  record_->trace(
      {.event = std::move(event), .type = type, .text = std::move(text), .from = sender_path(x), .ns = ns});
}

// Errors and ends

void role_base::note_error(std::string text) {
  log::warning(env_->log_source, "{}: {}", path_, text);
  record_->note_error(std::move(text));
}

void role_base::on_stop(std::function<void(caf::error)> farewell) {
  set_exit_handler([this, farewell = std::move(farewell)](caf::scheduled_actor*, caf::exit_msg& exit) {
    if (exit_info_of(exit.reason).kind == exit_kind::normal) return;
    if (!is_for_good(exit.reason)) return quit(std::move(exit.reason));
    farewell(std::move(exit.reason));
  });
}

void role_base::fail_start(const swarm::error& why) {
  if (is_restarted()) return fail(why);
  end_process(1, why.message);
}

bool role_base::told_to_end() const {
  return live_->is_stopping();
}

void role_base::fail(const swarm::error& why) {
  quit(to_caf(why));
}

void role_base::fail(std::string why) {
  quit(to_caf(std::move(why)));
}

void role_base::end_role(int code, std::string line) {
  tell("/root", actors::end_role{path_, code, std::move(line)});
}

void role_base::end_process(int code, std::string line) {
  tell("/root", actors::end_process{code, std::move(line)});
}

void role_base::on_exit() {
  live_->set_phase("stopping");
  supervisor_ = nullptr;
}

bool role_base::cleanup(caf::error&& reason, caf::execution_unit* host) {
  if (!live_->ended()) {
    const auto how = exit_info_of(reason);
    if (how.kind == exit_kind::error) record_->note_error(how.text);
    if (record_->traced()) record_->trace({.event = "ended", .text = text_of(reason)});
    live_->set_ended();
    dir().ended(path_, id());
  }
  return caf::event_based_actor::cleanup(std::move(reason), host);
}

} // namespace swarm::actors
