#pragma once

#include "tests/simulator/simulation.hpp"

namespace swarm::simulator {

/// Keys and applications of all nodes of one network.
class network {
public:
  virtual ~network() = default;
  /// What every signature of the network is bound to.
  virtual consensus::signing_domain domain() const = 0;
  virtual std::vector<address> accounts() const = 0; ///< by node
  virtual consensus::signature_scheme scheme(std::size_t node) const = 0;
  virtual std::unique_ptr<application> make_app(std::size_t node) = 0;
  std::size_t size() const { return accounts().size(); }
};

std::unique_ptr<network> make_network(const simulation_options& options, const simulation_plan& plan);
/// Real keys, RocksDB in temporary directories, the project's contracts.
std::unique_ptr<network> make_chain_network(const simulation_plan& plan);

} // namespace swarm::simulator
