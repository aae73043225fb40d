#pragma once

#include "tests/simulator/forger.hpp"
#include "tests/simulator/world.hpp"

namespace swarm::simulator {

/// All liars of a network, which share what they know. A liar runs the ordinary machine; the adversary holds
/// back its messages, sends more in its name, and tells different nodes different things. It signs only for
/// its own nodes.
class adversary {
public:
  adversary(world& in, std::vector<std::size_t> liars);

  bool is_liar(std::size_t node) const;
  /// A message that `node` received.
  void overhear(std::size_t node, bytes_view raw);
  /// Whether a message of `from` goes out to `to`.
  bool lets_pass(std::size_t from, std::size_t to, bytes_view raw);
  /// What `from` sends when it is asked for `blocks`, the first of which is `first`; none when it
  /// does not answer.
  std::optional<std::vector<sealed_ptr>> answer(std::size_t from, std::uint64_t first,
                                                std::vector<sealed_ptr> blocks);
  /// Does some mischief; called every now and then.
  void act();
  /// Chooses how each liar behaves for a while.
  void change_mood();
  /// All keep to the rules of consensus for a while, to use their turns for something else.
  void behave();

private:
  enum class mood : std::uint8_t { obedient, mute, picky, hostile };
  /// What the liars have heard of one height.
  struct lore {
    std::uint64_t block_num = 0;
    std::uint64_t round_max = 0;
    std::map<std::uint64_t, std::vector<consensus::proposal_message>> proposals; ///< by round
    std::map<std::pair<std::uint64_t, hash32>, std::map<address, consensus::signed_prepare>> prepares;
    std::map<std::uint64_t, std::map<address, consensus::round_change_message>> round_changes;
  };

  void attack(std::size_t liar);
  void two_proposals(std::size_t liar);
  void forged_proposal(std::size_t liar);
  void bent_proposal(std::size_t liar);
  void votes_for_everything(std::size_t liar);
  void lying_round_change(std::size_t liar);
  void forged_round_change(std::size_t liar);
  void replay_something(std::size_t liar);
  void flood(std::size_t liar);
  void junk(std::size_t liar);
  void false_head(std::size_t liar);

  std::optional<std::uint64_t> own_round(std::size_t liar);
  std::vector<consensus::signed_round_change> unprepared_votes(std::uint64_t round_num);
  forger pen(std::size_t liar) const;
  /// A block of the liar's own, with seals that look like a quorum's.
  sealed_ptr forged_block(std::size_t liar, std::uint64_t block_num);
  void send_to_some(std::size_t liar, bytes raw, double share);
  void send_to_side(std::size_t liar, const bytes& raw, const std::vector<bool>& side, bool which);
  std::vector<bool> split();
  std::size_t quorum(std::size_t liar);

  world& world_;
  std::vector<std::size_t> liars_;
  std::vector<mood> moods_; ///< by node
  lore lore_;
  std::deque<bytes> heard_; ///< for replays
};

} // namespace swarm::simulator
