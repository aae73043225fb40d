#pragma once

#include "actors/sl/kept/kept_merges.hpp"
#include "merge/store/model_store.hpp"
#include "transport/io_runtime.hpp"

#include <memory>
#include <string>

namespace swarm::actors {

/// Keeps the last merges of each training in an SL's store and writes down which they are. One thread at a time may use
/// it; the record is written behind its back, on a thread of `io`.
class merge_shelf {
public:
  struct options {
    std::size_t count = 0; ///< merges of each training
    std::filesystem::path data_dir;
    std::string log_source;
  };
  merge_shelf(options from, std::shared_ptr<merge::model_store> store,
              std::shared_ptr<transport::io_runtime> io);

  /// A training is under way already: nothing goes until `retain` tells what that needs.
  void begin_midway();
  /// This node takes part in this training now: its last merge does not go, whatever room is needed.
  void follow(const std::string& training);
  /// The contract has this merge, whether its model is here or not.
  void see(kept_merge merge);
  /// Removes all models but `needed` and the kept ones. The kept ones go when a new model has no room else.
  void retain(std::set<hash32> needed);
  /// Says so when some have gone, once in a training.
  void look();

  /// Some have gone since it was told which training is under way.
  bool lacks_room() const { return told_; }
  const kept_merges& merges() const { return merges_; }
  /// How many of them are in the store.
  std::size_t stored() const;

private:
  struct record;
  void save();
  void update_spare();

  options options_;
  std::shared_ptr<merge::model_store> store_;
  std::shared_ptr<transport::io_runtime> io_;
  kept_merges merges_;
  std::set<hash32> needed_;
  bool knows_needs_ = true;
  std::string followed_;
  std::shared_ptr<record> record_;
  bool told_ = false; ///< that there is no room for all of them
};

} // namespace swarm::actors
