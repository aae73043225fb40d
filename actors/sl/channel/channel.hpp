#pragma once

#include "actors/sl/messages.hpp"
#include "actors/supervision/role_actor.hpp"
#include "merge/store/model_store.hpp"
#include "transport/ml_channel/fifo_channel.hpp"

#include <memory>
#include <string>
#include <variant>

namespace swarm::actors {

struct channel_options {
  ml::fifo_options fifos;
  std::shared_ptr<merge::model_store> store;
  std::string log_source = "swarm.SL";
};

/// Translates between the program's frames (operator protocol version 2) and what the follower understands.
/// Holds to the strict request and response order: one open, then syncs, then one close or kill; every answer
/// echoes what the client checks. No CAF: frames in, frames and events out.
class channel_state {
public:
  using event = std::variant<std::monostate, program_opened, program_synced, program_closing, program_loss,
                             program_gone>;

  channel_state(channel_options options, std::string session_id);

  /// The follower's event for a frame from the program. An error is for the program: refuse it
  /// with that text.
  result<event> take(ml::msg_type type, bytes_view body);
  /// The program's end is gone.
  event closed(std::string reason);

  result<ml::outgoing> answer_open();
  result<ml::outgoing> ask_loss(const hash32& digest);
  result<ml::outgoing> answer_sync(const swarm::actors::answer_sync& answer);
  result<ml::outgoing> answer_close();

  /// The program waits for an answer that is this node's to give.
  bool is_owed() const {
    return phase_ == phase::opening || phase_ == phase::syncing || phase_ == phase::closing;
  }
  /// No program has opened a session yet.
  bool is_idle() const { return phase_ == phase::idle; }
  std::string status() const;

private:
  enum class phase { idle, opening, training, syncing, asking_loss, closing, over };

  result<event> take_open(bytes_view body);
  result<event> take_sync(ml::msg_type type, bytes_view body);
  result<event> take_loss(bytes_view body);
  result<event> take_kill(bytes_view body);

  channel_options options_;
  std::string session_id_;
  phase phase_ = phase::idle;
  bool close_pending_ = false; ///< the request under way is a close, not a sync
  std::int32_t seq_num_ = 0;
  std::int32_t loss_seq_num_ = 0;
  std::uint32_t weightage_ = 1;
  std::uint64_t syncs_ = 0;
};

/// Start function of /sl/channel. Detached: it writes the program's weights to the store.
start_function channel_actor(channel_options options);

} // namespace swarm::actors
