#pragma once

#include "actors/sl/files/gate/refusals.hpp"

namespace swarm::gate {

/// Who may read which model of this node, without I/O, clock or threads. A model that this node brought to
/// the round is for the leader of that round while it is merged, and for those who contributed while the merge is
/// checked, as much of it as is dealt to them; where each of them checks all of the merge, also before; a merged or proposed one for the peers of its
/// training and for SWCIs, and so is the progress of a merge. Who asks says its account, which counts when it is registered with the certificate
/// of the connection. The chain decides, and what was read of it is believed for one block, and for
/// `reading_age_max`.
class model_gate {
public:
  static constexpr duration reading_age_max = std::chrono::seconds(1);
  /// The longest wait for the chain: to answer, and to come to the block that the asker has seen.
  static constexpr duration answer_max = std::chrono::seconds(3);
  static constexpr duration look_again = std::chrono::milliseconds(50); ///< and twice as long each time
  static constexpr std::size_t readings_max = 64;                       ///< under way
  static constexpr std::size_t waiting_max = 1024;
  static constexpr std::size_t waiting_per_certificate_max = 256; ///< many SLs may share one
  static constexpr std::size_t merges_max = 64;
  static constexpr std::size_t nodes_max = 4096; ///< in the cache

  /// How long the SN's chain must be shorter than it was to be taken for another chain.
  static constexpr duration chain_lost = std::chrono::seconds(30);

  struct merge {
    hash32 digest;
    std::string training;
    bool operator==(const merge&) const = default;
  };

  /// `merges` are those of the node's last life.
  explicit model_gate(const address& self, std::vector<merge> merges = {})
      : self_(self), merges_(std::move(merges)) {}

  void step(const event::asked& news, time_point now);
  void step(const event::chain_read& news, time_point now);
  void step(const event::training_followed& news, time_point now);
  void step(const event::merge_seen& news, time_point now);
  void step(const event::tick&, time_point now);
  /// What is to be done, in this order.
  std::vector<gate_action> take_actions() { return std::exchange(actions_, {}); }
  /// When the next tick is due; none while nobody waits.
  std::optional<time_point> wake_at() const;

  /// Those that are known, the newest last.
  const std::vector<merge>& merges() const { return merges_; }
  const refusals& refused() const { return refused_; }
  std::size_t waiting() const { return waiting_.size(); }

private:
  template <class T>
  struct cached {
    T what;
    std::uint64_t block_num = 0;
    time_point at;
  };
  struct open_question {
    event::asked from;
    std::string training;
    time_point due;
    duration pause = look_again;
    std::optional<time_point> again; ///< none: the chain is being read for it

    void put_off(time_point now) {
      again = now + pause;
      pause *= 2;
    }
  };
  struct open_reading {
    std::string training;
    address account;
    time_point since;
  };
  struct judgement {
    action::verdict verdict = action::verdict::refused;
    std::string why;
    std::optional<hash32> layout{};
    std::optional<std::vector<std::uint64_t>> chunks{}; ///< as of `action::answer`
  };

  void act(gate_action what) { actions_.push_back(std::move(what)); }
  void answer(const event::asked& to, const judgement& how, time_point now);
  bool settle(open_question& question, time_point now);
  void look(open_question& question, time_point now);
  bool is_fresh(std::uint64_t block_num, time_point at, time_point now) const;
  bool has_room_for(const hash32& certificate) const;
  void take_reading(const std::string& training, const address& account, const chain_reading& reading,
                    time_point now);
  void learn(const std::string& training, const hash32& digest);
  const merge* find_merge(const hash32& digest) const;
  judgement judge_progress(const training_reading& training, const contracts::node_view& node) const;
  judgement judge(const open_question& question, const training_reading& training,
                  const contracts::node_view& node) const;
  judgement judge_merge(const event::asked& from, const training_reading& training,
                        const contracts::node_view& node) const;
  std::optional<judgement> judge_input(const event::asked& from, const training_reading& training) const;
  judgement judge_own(const event::asked& from, const training_reading& training) const;

  address self_;
  std::string followed_;
  std::vector<merge> merges_;
  std::uint64_t block_num_ = 0;            ///< the newest that is known
  std::optional<time_point> behind_since_; ///< since when what is read is older than that
  std::map<std::string, cached<training_reading>> trainings_;
  std::map<address, cached<contracts::node_view>> nodes_;
  std::map<std::uint64_t, open_question> waiting_; ///< by the id of what was asked
  std::map<std::uint64_t, open_reading> reading_;  ///< by the id of the reading
  std::uint64_t next_reading_ = 1;
  refusals refused_;
  std::vector<gate_action> actions_;
};

} // namespace swarm::gate
