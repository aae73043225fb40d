#include "actors/sl/channel/channel.hpp"

#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace {

/// A program that does not read what it is told is not waited for longer.
constexpr auto farewell_max = std::chrono::milliseconds(500);

/// What lives as long as the actor: the protocol state of one program at a time, and the pipes.
struct bridge {
  bridge(channel_options opts) : options(std::move(opts)) { next_program(); }

  void next_program() {
    std::array<std::uint8_t, 16> id{};
    fill_random(id);
    protocol.emplace(options, to_hex(id, false));
  }
  std::string status() const { return protocol->status(); }
  std::string detail_json() const {
    if (!fifo) return {};
    const auto now = fifo->status();
    return boost::json::serialize(boost::json::object{{"pipes", ml::name_of(now.state)},
                                                      {"bytes_in", now.bytes_in},
                                                      {"bytes_out", now.bytes_out},
                                                      {"messages_in", now.messages_in},
                                                      {"messages_out", now.messages_out}});
  }

  channel_options options;
  std::optional<channel_state> protocol;
  std::unique_ptr<ml::fifo_channel> fifo;
  std::optional<caf::error> stop_reason; ///< told to stop, the program still hears of it
};

using self_pointer = role_actor<bridge>*;

void forward(self_pointer self, channel_state::event event) {
  std::visit(
      [self](auto&& news) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(news)>, std::monostate>)
          self->tell(sibling(*self, "follower"), std::move(news));
      },
      std::move(event));
}

void refuse(self_pointer self, const std::string& text) {
  log::warning(self->state().options.log_source, "refusing the program: {}", text);
  self->state().fifo->refuse(text);
}

void send(self_pointer self, result<ml::outgoing> message) {
  if (!message) return refuse(self, message.error().message);
  if (auto sent = self->state().fifo->send(std::move(*message)); !sent)
    self->note_error(sent.error().message);
}

/// Frames come on the channel's own thread and leave it as messages to whoever is the channel actor then.
ml::fifo_handlers handlers_for(self_pointer self) {
  auto env = self->shared_env();
  auto path = self->path();
  return {
      .on_open = [env, path] { env->dir.send(path, channel_opened{}); },
      .on_message =
          [env, path](ml::header header, ml::body_buffer body) {
            env->dir.send(path, channel_frame{static_cast<std::uint32_t>(header.type),
                                              std::make_shared<const ml::body_buffer>(std::move(body))});
          },
      .on_closed = [env,
                    path](std::string reason) { env->dir.send(path, channel_closed{std::move(reason)}); },
  };
}

/// A program that waits for an answer hears that there will be none.
void stop(self_pointer self, caf::error reason) {
  auto& s = self->state();
  if (s.stop_reason) return;
  if (!s.fifo || !s.protocol->is_owed()) return self->quit(std::move(reason));
  s.stop_reason = std::move(reason);
  self->delayed_send(self, farewell_max, tick{});
  refuse(self, "this SL was told to stop; start it again, then the program");
}

caf::behavior channel_behavior(self_pointer self) {
  auto& state = self->state();
  auto fifo = ml::fifo_channel::create(state.options.fifos, handlers_for(self));
  if (!fifo) {
    self->end_process(1, fifo.error().message);
    return {[](const channel_opened&) {}};
  }
  state.fifo = std::move(*fifo);
  log::info(state.options.log_source, "Opening pipes to communicate with user container ... ({}, {})",
            state.options.fifos.request_path, state.options.fifos.response_path);
  self->set_exit_handler([self](caf::exit_msg& exit) { stop(self, std::move(exit.reason)); });
  return {
      [=](const channel_opened&) {
        log::info(self->state().options.log_source, "a program has opened the pipes");
      },
      [=](const channel_frame& frame) {
        auto& s = self->state();
        const bool opens = frame.type == static_cast<std::uint32_t>(ml::msg_type::open_session_request);
        if (opens && !s.protocol->is_idle()) { // a program came before the end of the one before it was seen
          forward(self, s.protocol->closed("another program has opened the pipes"));
          s.next_program();
        }
        const auto& body = *static_cast<const ml::body_buffer*>(frame.body.get());
        auto event = s.protocol->take(static_cast<ml::msg_type>(frame.type), body.view());
        if (!event) return refuse(self, event.error().message);
        forward(self, std::move(*event));
      },
      [=](const channel_closed& closed) {
        auto& s = self->state();
        if (s.stop_reason) return self->quit(*s.stop_reason);
        log::info(s.options.log_source, "the pipes are closed: {}", closed.reason);
        forward(self, s.protocol->closed(closed.reason));
        s.next_program();
        s.fifo->rearm();
      },
      [=](const answer_open&) { send(self, self->state().protocol->answer_open()); },
      [=](const ask_loss& ask) { send(self, self->state().protocol->ask_loss(ask.digest)); },
      [=](const answer_sync& answer) { send(self, self->state().protocol->answer_sync(answer)); },
      [=](const answer_close&) { send(self, self->state().protocol->answer_close()); },
      [=](const refuse_program& refusal) { refuse(self, refusal.text); },
      [=](tick) {
        if (const auto& reason = self->state().stop_reason) self->quit(*reason);
      },
  };
}

} // namespace

start_function channel_actor(channel_options options) {
  return role<bridge>(channel_behavior, std::move(options));
}

} // namespace swarm::actors
