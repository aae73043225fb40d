#pragma once

#include "actors/sl/channel/program_session.hpp"
#include "transport/ml_channel/fifo_channel.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>

namespace swarm::actors {

/// The items for /sl/channel. From the FIFOs: a program has opened both, a frame came, the program is gone or
/// was refused. From the follower: answers and questions (messages.hpp).
namespace link_item {
struct opened {};
struct frame {
  ml::msg_type type = ml::msg_type::status;
  ml::body_buffer body;
};
struct closed {
  std::string reason;
};
} // namespace link_item
using any_link_item =
    std::variant<link_item::opened, link_item::frame, link_item::closed, answer_open, ask_loss, answer_sync,
                 answer_close, tell_program, refuse_program, program_wanted>;

/// The FIFOs to the training programs and what is under way on them. It belongs to the process, not to an
/// actor: the programs never connect again, so they must not notice when /sl/channel or /sl/follower ends and
/// is started again. Items wait here until a channel has done what they ask for; none is lost with an actor.
///
/// A program has one request under way. One that sends many frames without waiting for answers is refused.
class program_link {
public:
  static constexpr std::size_t frames_max = 16; ///< waiting

  /// With `shares_memory`, programs may pass models through their memory.
  program_link(ml::fifo_options fifos, std::shared_ptr<merge::model_store> store, std::string log_source,
               std::filesystem::path merge_library = {}, bool shares_memory = true);

  /// Puts an item into the link; may be called from any thread. The caller must wake the channel with
  /// `link_news`; the FIFOs do so by themselves.
  void put(any_link_item item);

  // For /sl/channel
  struct work_done {
    bool more = false;                    ///< items wait
    bool program_left = false;            ///< the program has ended, or was refused
    std::optional<program_resumed> state; ///< for the follower that asked where the session stands
    program_session::event event;         ///< for the follower
  };
  /// Makes the FIFOs unless they are open already. `wake` is called from another thread when something has
  /// come from them.
  result<> open(const std::function<void()>& wake);
  /// Does what the first item asks for. The item stays in the link until that is done, so if the channel ends
  /// meanwhile, the next one does it. Two channels at once, one of them about to end, take turns.
  work_done work();
  /// If a program waits for an answer, tells it that there will be none and returns true.
  bool take_leave(const std::string& text);
  /// Closes the FIFOs. It must not be called for an end that a restart follows.
  void close();

  std::string status() const;
  std::string detail_json() const;

private:
  struct worker;

  void put_frame(ml::header header, ml::body_buffer body);
  void make_memory_socket();
  void next_program();
  void refuse(const std::string& text);

  ml::fifo_options fifos_;
  std::shared_ptr<merge::model_store> store_;
  std::string log_source_;
  std::filesystem::path merge_library_;
  bool shares_memory_;

  mutable std::mutex inbox_mutex_;
  std::deque<any_link_item> inbox_;
  std::size_t frames_ = 0;
  bool overrun_ = false;

  mutable std::mutex work_mutex_; ///< guards all below
  std::optional<program_session> session_;
  program_resumed former_;                          ///< where the last session stood when its program went
  std::shared_ptr<const ml::memory_socket> memory_; ///< none: all models go through the FIFOs
  std::unique_ptr<ml::fifo_channel> fifo_;
};

} // namespace swarm::actors
