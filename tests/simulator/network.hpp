#pragma once

#include "tests/simulator/simulation.hpp"
#include "tests/simulator/work_book.hpp"

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
  /// Transactions that somebody made by hand; only of real chains.
  virtual work_book* book() { return nullptr; }
};

std::unique_ptr<network> make_network(const simulation_options& options, const simulation_plan& plan);
/// Real keys, RocksDB in temporary directories, the project's contracts.
std::unique_ptr<network> make_chain_network(const simulation_options& options, const simulation_plan& plan);

/// The key of a node, client or whoever; of a node of a real chain the kind is "node".
ledger::private_key key_from(std::string_view kind, std::uint64_t number);
/// What the CA of an organisation makes of a statement. It stands for a certificate and its proof.
bytes proof_of(std::uint16_t organisation, const hash32& statement);

} // namespace swarm::simulator
