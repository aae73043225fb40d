#pragma once

#include "actors/sl/messages.hpp"
#include "merge/store/model_store.hpp"
#include "transport/ml_channel/memory/memory_socket.hpp"
#include "transport/ml_channel/wire.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace swarm::actors {

/// The session of one training program: translates between its frames (operator protocol version 2) and what
/// the follower understands. It keeps the strict order of requests and responses: one open, then syncs, then
/// one close or kill; every answer echoes what the client checks. It knows at any time what the program waits
/// for and which merge it has, so that a follower can be restarted in the middle (`resume`). It uses no CAF:
/// frames go in, frames and events come out.
class program_session {
public:
  using event = std::variant<std::monostate, program_opened, program_synced, program_closing, program_loss,
                             program_gone>;
  /// The result of a follower's answer: a frame for the program; or the follower's next event, when the
  /// program has been asked the same already; or nothing, when the program does not wait for it (any more).
  using reply = std::variant<std::monostate, ml::outgoing, program_loss>;

  /// `merge_library` is for programs that ask for a custom merge method; may be empty. Without `memory` all models
  /// go through the FIFOs.
  program_session(std::shared_ptr<merge::model_store> store, std::string session_id,
                  std::filesystem::path merge_library = {},
                  std::shared_ptr<const ml::memory_socket> memory = nullptr);

  /// The follower's event for a frame from the program. After an error the program must be refused
  /// with its text.
  result<event> take(ml::msg_type type, bytes_view body);
  /// The program has closed its ends of the pipes.
  event closed(std::string reason);

  reply answer_open(const actors::answer_open& answer = {});
  /// Fails when the store cannot give the model.
  result<reply> ask_loss(const actors::ask_loss& ask);
  reply answer_sync(const actors::answer_sync& answer);
  reply answer_close(const actors::answer_close& answer = {});
  /// A notice between request and answer, for a program that takes them; the original's does not.
  reply tell(const std::string& text) const;

  /// For a follower that has just started: the state of this session. It says that there is none when no
  /// program has opened one, or when the program ended without closing it, as then nobody is left to serve.
  program_resumed resume() const;

  /// Whether the program waits for an answer from this node.
  bool is_owed() const {
    return phase_ == phase::opening || phase_ == phase::syncing || phase_ == phase::closing;
  }
  /// Whether no program has opened a session yet.
  bool is_idle() const { return phase_ == phase::idle; }
  /// Bytes of models that have gone through the program's memory, both ways.
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  std::string status() const;

private:
  /// `closed` and `killed` are ends that the program wished, `broken` is any other.
  enum class phase { idle, opening, training, syncing, asking_loss, closing, closed, killed, broken };
  using pending_request = std::variant<std::monostate, program_synced, program_closing>;
  struct loaded_merge {
    actors::ask_loss asked;
    rounds::loss_report loss;
  };

  result<event> take_frame(ml::msg_type type, bytes_view body);
  result<event> take_open(bytes_view body);
  result<event> take_sync(ml::msg_type type, bytes_view body);
  /// Stores the model that came with a request, or that the request says to be in the program's memory.
  result<std::shared_ptr<const merge::model_file>> store_model(const ml::sync_request& request);
  /// Puts a merge into the program's memory, if the request's model came that way; false when it must go through
  /// the FIFO.
  bool put_into_memory(ml::loss_request& request, const merge::model_file& model);
  result<event> take_loss(bytes_view body);
  result<event> take_kill(bytes_view body);
  /// What a program that follows rounds wants to know of the merge that it has.
  void tell_of_merge(ml::sync_response& response, const std::optional<rounds::mean_report>& means) const;
  bool is_over() const {
    return phase_ == phase::closed || phase_ == phase::killed || phase_ == phase::broken;
  }

  std::shared_ptr<merge::model_store> store_;
  std::string session_id_;
  std::filesystem::path merge_library_;
  std::shared_ptr<const ml::memory_socket> memory_socket_;
  phase phase_ = phase::idle;
  program_opened opened_;
  pending_request request_; ///< what the program waits for, and after a close what it has waited for
  std::int32_t seq_num_ = 0;
  std::int32_t loss_seq_num_ = 0;
  std::uint32_t interval_ = 0; ///< batches, of the last answer
  std::uint64_t syncs_ = 0;
  bool takes_notices_ = false;
  bool shares_memory_ = false;
  bool follows_rounds_ = false;
  std::string network_; ///< see answer_open
  std::shared_ptr<const ml::program_memory> memory_;
  std::int32_t region_ = 0;               ///< the program's number of it
  std::optional<std::int32_t> next_slot_; ///< for the next merge of the request under way
  std::uint64_t memory_bytes_ = 0;
  std::optional<actors::ask_loss> asked_; ///< the program evaluates this merge
  std::optional<loaded_merge> loaded_;    ///< it has this one
  std::optional<loaded_merge> before_;    ///< it had this one when it made its last request
  bool loaded_in_request_ = false;        ///< since its last request
  std::string last_words_;                ///< of a killed session
  bool failed_ = false;                   ///< the program has sent what cannot be served
};

} // namespace swarm::actors
