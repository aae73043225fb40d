#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace swarm::actors {

/// Which chunk of a model is asked of whom, without I/O, clock or threads. Nobody is believed: whoever lies, drips or is silent
/// costs time that others use.
///
/// In turn, one holder after the other is asked for all that is missing. Spread out, several are asked at once: the first
/// one of the list, which is taken to have all of the model, and others by what their maps say. The chunk that the fewest have
/// comes first, in an order that each node has for itself, so that nodes that begin together soon have something for each
/// other. The first one is asked only for what none of the others gives in time, as all would ask it.
class chunk_plan {
public:
  static constexpr std::size_t others_max = 8;      ///< asked at once, besides the first one
  static constexpr std::size_t runs_per_holder = 2; ///< under way, spread out
  static constexpr std::uint64_t run_max = 8;       ///< chunks in one request, spread out
  static constexpr unsigned strikes_max = 3;        ///< in a row, until a holder is dropped, spread out
  static constexpr duration strike_pause = std::chrono::milliseconds(250); ///< for each strike
  static constexpr duration map_pause_min = std::chrono::milliseconds(50);
  static constexpr duration map_pause_max = std::chrono::seconds(2);
  static constexpr unsigned maps_max = 128; ///< asked of one holder
  static constexpr unsigned barren_max = 6; ///< maps in a row without anything new
  /// A run is late when it takes twice as long as the first holder's do; within these bounds, the upper one for each chunk.
  static constexpr duration late_min = std::chrono::milliseconds(200);
  static constexpr duration late_max = std::chrono::seconds(16);

  struct ask {
    std::uint64_t id = 0;
    std::size_t holder = 0; ///< its place in the list
    std::uint64_t first = 0;
    std::uint64_t count = 0; ///< of chunks; 0: which chunks it has
  };
  enum class ending {
    done,
    not_there, ///< it answers that it does not have it, or does not give it
    failed,
    slow,
    wrong,
    needless, ///< it was broken off here
  };

  /// `here` says which chunks are here already; `seed` makes this node's order.
  chunk_plan(std::vector<bool> here, std::size_t holders, bool spread, std::uint64_t seed);

  /// The model was made in runs, and `which` has made this one and has it: nobody is taken to have all of the model, and all
  /// makers are asked, `makers_max` of them at once.
  void made_by(std::size_t which, std::uint64_t first, std::uint64_t count);
  static constexpr std::size_t makers_max = 64;
  /// Nobody is asked for these chunks before `release`: they are expected from elsewhere.
  void hold(const std::vector<std::uint64_t>& chunks);
  void release() { held_.assign(held_.size(), false); }
  /// A holder that is asked for nothing.
  void drop(std::size_t which);
  /// A chunk is here and right.
  void chunk_here(std::uint64_t index);
  /// The answer to a question which chunks a holder has.
  void map_here(std::uint64_t id, const std::vector<bool>& map, time_point now);
  /// How any other request has ended.
  void ended(std::uint64_t id, ending how, time_point now);
  /// What is to be asked now.
  std::vector<ask> take_asks(time_point now);
  /// Requests that bring nothing any more: to be broken off.
  std::vector<std::uint64_t> take_needless();

  bool is_complete() const { return missing_ == 0; }
  /// Nothing is under way, and nobody is left who could give what is missing.
  bool is_hopeless() const;
  bool is_dropped(std::size_t which) const { return holders_[which].state == stand::dropped; }

private:
  enum class stand : std::uint8_t { waiting, asked, dropped };
  struct holder {
    stand state = stand::waiting;
    bool has_all = false;                         ///< as is taken for granted
    std::vector<bool> map;                        ///< as it says
    std::uint64_t made_first = 0, made_count = 0; ///< the run that it has made
    unsigned strikes = 0;
    time_point again{}; ///< after a strike
    bool late = false;  ///< its last run was
    duration pace{};    ///< of a chunk; 0: unknown
    std::size_t runs = 0;
    bool map_asked = false;
    unsigned maps = 0;
    unsigned barren = 0;
    duration map_pause = map_pause_min;
    time_point map_again{};
  };
  struct request {
    ask what;
    time_point since;
    bool is_told = false; ///< that it is needless
  };

  bool has(const holder& of, std::uint64_t index) const { return of.has_all || of.map[index]; }
  bool misses(const holder& of) const;
  void activate();
  void ask_for_map(std::size_t which, time_point now);
  void ask_for_runs(std::size_t which, time_point now);
  void start(std::size_t which, std::uint64_t first, std::uint64_t count, time_point now);
  std::vector<bool> left_for(const holder& who, time_point now) const;
  std::vector<bool> doubled_by(std::size_t which, time_point now) const;
  ask first_of(const std::vector<bool>& candidates) const;
  std::uint64_t order_of(std::uint64_t index) const;
  duration late_after(std::uint64_t count) const;
  bool is_late(const request& what, time_point now) const;
  bool has_late_run(std::size_t which, time_point now) const;
  bool is_prompt(std::size_t which, time_point now) const;
  void strike(holder& who, time_point now);
  void forget_map(const holder& of);
  void barren_map(std::size_t which, time_point now);

  bool spread_;
  std::size_t places_; ///< holders that are asked at a time
  std::uint64_t seed_;
  std::vector<bool> here_, held_;
  std::uint64_t missing_;
  std::uint64_t run_; ///< chunks in one request
  std::vector<holder> holders_;
  std::vector<std::uint8_t> had_by_; ///< of each chunk: how many say that they have it
  std::vector<std::uint8_t> asked_;  ///< of each chunk: how many are asked for it
  std::map<std::uint64_t, request> open_;
  std::uint64_t next_id_ = 1;
  std::vector<ask> asks_;
};

} // namespace swarm::actors
