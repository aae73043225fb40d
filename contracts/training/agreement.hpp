#pragma once

#include "contracts/training/rounds.hpp"

#include <set>

namespace swarm::contracts {

/// What peers may want differently: minPeers and mergeMethod, or the layout of their models.
enum class question : std::uint8_t { parameters, layout };

/// Those who want the same.
struct following {
  std::string asks; ///< empty: what is in force
  std::set<organisation_id> organisations;
  std::uint32_t peers = 0;
};

/// Parameters as one text, the way an odd peer asks for them.
std::string parameters_text(std::uint32_t min_peers, std::string_view merge_method);
std::string layout_text(const hash32& layout);

/// Decides which parameters and which layout are in force: those that most organisations want. Each organisation
/// counts once, as all its peers have to want the same. At a tie what is in force stays, unless it waits for more peers
/// than want it and the other does not. Who wants what fewer organisations want is refused; at a tie it is odd.
///
/// Something new in a training that has closed a round starts it over: what was merged is of those who were outvoted.
class agreement {
public:
  agreement(training_state& state, class rounds& rounds, const ledger::call_context& context)
      : state_(state), rounds_(rounds), context_(context) {}

  /// Fails when `caller` may not even ask for `asks`: its organisation has none, another of its peers wants something
  /// else, or more organisations want what is in force. The caller's own voice is not among those counted.
  bool may_ask(question about, const std::string& asks, organisation_id organisation) const;

  /// The peer becomes odd.
  void make_odd(std::uint16_t index, peer_slot& peer, leave_reason why, const std::string& asks);
  /// It is not odd any more, and in no state until that is changed.
  void end_odd(std::uint16_t index, peer_slot& peer);

  /// Puts in force what most want and refuses who is outvoted. Called when a voice has come, changed or gone.
  void weigh();

private:
  struct voice {
    std::uint16_t index = 0;
    peer_slot peer;
    check_in_slot check_in;
    std::string asks;
  };

  std::vector<voice> voices(question about) const;
  static std::vector<following> count(const std::vector<voice>& voices);
  std::size_t strength_in_force(const following& in_force) const;
  bool outranks(question about, const following& one, const following& in_force) const;
  std::string in_force(question about) const;
  std::uint32_t min_peers_of(question about, const std::string& asks) const;
  bool weigh(question about);
  void adopt(question about, const following& winner, bool outvoted);
  void put_in_force(question about, const std::string& asks);
  void start_over(question about, const following& winner);
  void step_aside(question about, voice& one, const std::string& wants, const std::string& winner,
                  bool outvoted);
  void join(voice& one);

  training_state& state_;
  class rounds& rounds_;
  const ledger::call_context& context_;
};

} // namespace swarm::contracts
