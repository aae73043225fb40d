#include "actors/supervision/exit_reason.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

namespace swarm::actors::detail {
/// A `swarm::error` as it travels through CAF, which must be able to print and compare it.
struct carried_error {
  swarm::error inner;
  unsigned failures = 1; ///< see exit_info
};
} // namespace swarm::actors::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::carried_error)

namespace swarm::actors {

namespace {

constexpr auto category = caf::atom("swarm");

constexpr std::uint8_t carries_error = 1, restart_ordered = 2; // codes of this category

const detail::carried_error* carried(const caf::error& reason) {
  if (!reason || reason.category() != category) return nullptr;
  const auto& context = reason.context();
  if (!context.match_elements<detail::carried_error>()) return nullptr;
  return &context.get_as<detail::carried_error>(0);
}

caf::error carrying(swarm::error inner, unsigned failures) {
  return {carries_error, category, caf::make_message(detail::carried_error{std::move(inner), failures})};
}

swarm::error internal_error(std::string text) {
  return make_error(errc::internal, std::move(text));
}

bool is_restart_order(const caf::error& reason) {
  return reason && reason.category() == category && reason.code() == restart_ordered;
}

bool is(const caf::error& reason, caf::sec code) {
  return reason == caf::make_error(code);
}

} // namespace

caf::error to_caf(const swarm::error& from) {
  return carrying(from, 1);
}

caf::error to_caf(std::string text) {
  return carrying(internal_error(std::move(text)), 1);
}

std::string text_of(const caf::error& reason) {
  if (!reason) return "normal end";
  if (const auto* it = carried(reason)) return it->inner.message;
  if (is_restart_order(reason)) return "told to start again";
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
  if (const auto* it = carried(reason)) return it->inner;
  auto code = errc::internal;
  if (is(reason, caf::sec::request_timeout)) code = errc::timeout;
  if (is(reason, caf::sec::request_receiver_down) || is(reason, caf::sec::invalid_argument))
    code = errc::unavailable;
  return make_error(code, text_of(reason));
}

caf::error to_reason(const exit_info& how) {
  switch (how.kind) {
  case exit_kind::normal:
    return {};
  case exit_kind::shutdown:
    return caf::make_error(caf::exit_reason::user_shutdown);
  case exit_kind::restarting:
    return {restart_ordered, category};
  case exit_kind::killed:
    return caf::make_error(caf::exit_reason::kill);
  case exit_kind::error:
    break;
  }
  return carrying(internal_error(how.text), how.failures);
}

bool is_for_good(const caf::error& reason) {
  return reason == caf::exit_reason::user_shutdown;
}

exit_info exit_info_of(const caf::error& reason) {
  if (!reason || reason == caf::exit_reason::normal) return {exit_kind::normal, {}};
  if (reason == caf::exit_reason::user_shutdown) return {exit_kind::shutdown, {}};
  if (reason == caf::exit_reason::kill) return {exit_kind::killed, {}};
  if (is_restart_order(reason)) return {exit_kind::restarting, {}};
  const auto* it = carried(reason);
  return {exit_kind::error, text_of(reason), it ? it->failures : 1};
}

} // namespace swarm::actors
