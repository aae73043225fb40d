#pragma once

#include "actors/sl/messages.hpp"
#include "merge/store/model_store.hpp"
#include "transport/ml_channel/wire.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace swarm::actors {

/// The session of one training program: translates between its frames (operator protocol version 2) and what
/// the follower understands. Holds to the strict order of requests and responses: one open, then syncs, then
/// one close or kill; every answer echoes what the client checks. Knows at any time what the program waits
/// for and which merge it has, so that a follower can be started anew in the middle (`resume`). No CAF:
/// frames in, frames and events out.
class program_session {
public:
  using event = std::variant<std::monostate, program_opened, program_synced, program_closing, program_loss,
                             program_gone>;
  /// What an answer of the follower leads to: a frame for the program; the follower's next event, when the
  /// program has been asked that already; or nothing, when the program does not wait for it (any more).
  using reply = std::variant<std::monostate, ml::outgoing, program_loss>;

  program_session(std::shared_ptr<merge::model_store> store, std::string session_id);

  /// The follower's event for a frame from the program. An error is for the program: refuse it
  /// with that text.
  result<event> take(ml::msg_type type, bytes_view body);
  /// The program's end is gone.
  event closed(std::string reason);

  reply answer_open();
  /// Fails when the model cannot be had from the store.
  result<reply> ask_loss(const actors::ask_loss& ask);
  reply answer_sync(const actors::answer_sync& answer);
  reply answer_close(const actors::answer_close& answer = {});
  /// A notice between request and answer, for a program that takes them; the original's does not.
  reply tell(const std::string& text) const;

  /// For a follower that has just started: where this session stands. Says that there is none when no program
  /// has opened one, or when it ended without a word: then nobody is left to serve.
  program_resumed resume() const;

  /// The program waits for an answer that is this node's to give.
  bool is_owed() const {
    return phase_ == phase::opening || phase_ == phase::syncing || phase_ == phase::closing;
  }
  /// No program has opened a session yet.
  bool is_idle() const { return phase_ == phase::idle; }
  std::string status() const;

private:
  /// `closed` and `killed` are ends that the program wished, `broken` is any other.
  enum class phase { idle, opening, training, syncing, asking_loss, closing, closed, killed, broken };
  using pending_request = std::variant<std::monostate, program_synced, program_closing>;
  struct loaded_merge {
    actors::ask_loss asked;
    rounds::loss_report loss;
  };

  result<event> take_open(bytes_view body);
  result<event> take_sync(ml::msg_type type, bytes_view body);
  result<event> take_loss(bytes_view body);
  result<event> take_kill(bytes_view body);
  bool is_over() const {
    return phase_ == phase::closed || phase_ == phase::killed || phase_ == phase::broken;
  }

  std::shared_ptr<merge::model_store> store_;
  std::string session_id_;
  phase phase_ = phase::idle;
  program_opened opened_;
  pending_request request_; ///< what the program waits for, and after a close what it has waited for
  std::int32_t seq_num_ = 0;
  std::int32_t loss_seq_num_ = 0;
  std::uint32_t interval_ = 0; ///< batches, of the last answer
  std::uint64_t syncs_ = 0;
  bool takes_notices_ = false;
  std::optional<actors::ask_loss> asked_; ///< the program evaluates this merge
  std::optional<loaded_merge> loaded_;    ///< it has this one
  std::optional<loaded_merge> before_;    ///< it had this one when it made its last request
  bool loaded_in_request_ = false;        ///< since its last request
  std::string last_words_;                ///< of a killed session
};

} // namespace swarm::actors
