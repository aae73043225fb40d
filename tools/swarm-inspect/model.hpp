#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

/// Kept merges, taken out of the data directory of an SL, whether that runs or not.
namespace swarm::inspect {

struct model_request {
  std::filesystem::path data_dir; ///< of the process
  std::string contract;
  std::uint64_t round_num = 0;
  std::optional<std::uint64_t>
      generation; ///< none: the present one or, where no SN can be asked, the newest that is kept
  std::filesystem::path output;
  bool force = false; ///< replaces a file
};

/// What the chain has of the round: {"generation", "round", "digest"}, of round 0 when there is no such merge; an error
/// when it cannot be asked.
using chain_question = std::function<result<boost::json::value>(const boost::json::object& params)>;

struct written_model {
  std::filesystem::path file;
  std::uint64_t generation = 0;
  std::string digest;
  std::uint64_t size = 0;
  std::string
      not_compared; ///< why its digest was not compared with the chain's; empty: it was, and they are equal
};

/// Writes the model of a merged round, whole or not at all, once its digest is found to be the one that the chain has or,
/// where that cannot be asked, the one that the node had noted of the chain.
result<written_model> write_model(const model_request& request, const chain_question& ask);

boost::json::object to_json(const written_model& written);
/// The same for a person.
std::string model_view(const model_request& request, const written_model& written);

} // namespace swarm::inspect
