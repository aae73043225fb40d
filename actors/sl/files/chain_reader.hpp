#pragma once

#include "actors/sl/files/gate/events.hpp"
#include "actors/sn_client/messages.hpp"

#include <map>

namespace swarm::actors {

/// How the file server reads the chain for its gate through `/sl/sn`, in one batch, and understands the
/// answers.
class chain_reader {
public:
  /// `base` is added to the ids of questions, so that an answer to the reader before this one is not taken
  /// for one to this one.
  explicit chain_reader(std::uint64_t base) : base_(base) {}

  /// The question for `/sl/sn`; `asker` is the sibling that gets the answer.
  session::event::ask ask(const gate::action::read_chain& what, std::string asker);
  /// What became of a question. None: nobody waits for it, or `again` is to be asked, as the training has
  /// more peers than were asked for.
  std::optional<gate::event::chain_read> take(const session::action::answered& from,
                                              std::optional<session::event::ask>& again);

private:
  session::event::ask question_for(const gate::action::read_chain& what, std::string asker) const;

  std::uint64_t base_;
  std::size_t pages_ = 1; ///< of peers
  std::map<std::uint64_t, gate::action::read_chain> open_;
};

} // namespace swarm::actors
