#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/task/interface.hpp"
#include "contracts/taskrunner/interface.hpp"
#include "contracts/training/interface.hpp"

#include <boost/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What was read from the chain, as plain structs, and the topics of the feed that they make (ui/src/feed.ts).
namespace swarm::ui {

/// Since when those nodes give no sign of life who give none, in milliseconds since 1970.
using silence = std::map<address, std::uint64_t>;
/// When blocks were made, in milliseconds since 1970, as far as it is known.
using block_times = std::map<std::uint64_t, std::uint64_t>;

struct standing {
  bool is_connected = false;
  std::string trouble;
  std::uint64_t since_ms = 0;
  std::uint64_t read_ms = 0; ///< 0: never
  std::string sn;
};
struct network_picture {
  standing stands;
  std::uint64_t block_num = 0;
  hash32 block_hash;
  std::uint64_t block_ms = 0;
  std::uint64_t transactions = 0;
  std::uint64_t chain_id = 0;
  hash32 genesis; ///< zero: not known yet
  std::string sn_version;
  contracts::rules_view rules;
  std::vector<address> validators;
  std::vector<contracts::node_view> nodes;
  std::map<address, std::string> api_endpoints;
  std::vector<contracts::organisation_view> organisations;
  std::vector<contracts::chain_use_view> uses;
  std::vector<contracts::motion_view> motions;
};
boost::json::object network_json(const network_picture& from, const silence& silent, std::uint64_t now_ms);

/// How fast a training goes on lately.
struct pace {
  std::optional<std::uint64_t> round_ms; ///< of one round
  std::optional<double> epochs_per_ms;   ///< of the peer that is least far
};
struct training_picture {
  std::string name;
  address at;
  contracts::head_view head;
  std::vector<contracts::peer_view> peers;
  std::vector<contracts::check_in_view> check_ins; ///< of the current round
  contracts::merge_view proposal;
  contracts::checks_view checks;
  contracts::shards_view shards;
  contracts::merge_view merged; ///< the last one; of round 0 while there is none
  contracts::owner_view owner;
  std::vector<contracts::owner_view> invited;
  std::vector<contracts::owner_view> reset_votes;
  contracts::reset_view last_reset; ///< of block 0: none that is known
  pace goes;
  std::uint64_t changed_ms = 0;
};
/// `TrainingSummary`, and all of `Training`.
boost::json::object training_summary_json(const training_picture& from, const silence& silent);
boost::json::object training_json(const training_picture& from, const silence& silent);

boost::json::object task_json(const contracts::task_view& from);

struct swop_picture {
  contracts::swop_view swop;
  std::vector<contracts::pair_view> pairs;
};
struct taskrunner_picture {
  std::string name;
  address at;
  contracts::taskrunner_head_view head;
  contracts::owner_view owner;
  std::vector<swop_picture> swops;
};
boost::json::object taskrunner_json(const taskrunner_picture& from, const silence& silent,
                                    const block_times& when);

} // namespace swarm::ui
