#include "actors/supervision/exit_reason.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

namespace swarm::actors::detail {
/// A `swarm::error` on its way through CAF, which wants to print and compare what it carries.
struct carried_error {
  swarm::error inner;
};
} // namespace swarm::actors::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::carried_error)

namespace swarm::actors {

namespace {

constexpr auto category = caf::atom("swarm");

const swarm::error* carried(const caf::error& reason) {
  if (!reason || reason.category() != category) return nullptr;
  const auto& context = reason.context();
  if (!context.match_elements<detail::carried_error>()) return nullptr;
  return &context.get_as<detail::carried_error>(0).inner;
}

bool is(const caf::error& reason, caf::sec code) {
  return reason == caf::make_error(code);
}

} // namespace

caf::error to_caf(const swarm::error& from) {
  return {1, category, caf::make_message(detail::carried_error{from})};
}

caf::error to_caf(std::string text) {
  return to_caf(make_error(errc::internal, std::move(text)));
}

std::string text_of(const caf::error& reason) {
  if (!reason) return "normal end";
  if (const auto* inner = carried(reason)) return inner->message;
  if (is(reason, caf::sec::request_timeout)) return "no answer in time";
  if (is(reason, caf::sec::request_receiver_down)) return "the actor asked has ended";
  if (is(reason, caf::sec::invalid_argument)) return "nobody there to ask";
  if (is(reason, caf::sec::unexpected_message)) return "message not understood";
  if (is(reason, caf::sec::unexpected_response)) return "answer not understood";
  if (reason == caf::exit_reason::normal) return "normal end";
  if (reason == caf::exit_reason::user_shutdown) return "told to shut down";
  if (reason == caf::exit_reason::kill) return "killed";
  return caf::actor_system_config::render(reason);
}

swarm::error from_caf(const caf::error& reason) {
  if (const auto* inner = carried(reason)) return *inner;
  auto code = errc::internal;
  if (is(reason, caf::sec::request_timeout)) code = errc::timeout;
  if (is(reason, caf::sec::request_receiver_down) || is(reason, caf::sec::invalid_argument))
    code = errc::unavailable;
  return {error_category(code), static_cast<int>(code), text_of(reason)};
}

exit_info exit_info_of(const caf::error& reason) {
  if (!reason || reason == caf::exit_reason::normal) return {exit_kind::normal, {}};
  if (reason == caf::exit_reason::user_shutdown) return {exit_kind::shutdown, {}};
  if (reason == caf::exit_reason::kill) return {exit_kind::killed, {}};
  return {exit_kind::error, text_of(reason)};
}

} // namespace swarm::actors
