// Puts registered nodes onto the chain of a lone SN while that SN does not run.
//
//   make_nodes DATA_DIR COUNT
//
// DATA_DIR is that of a stopped sentinel, the only validator of its chain. One in eight of the nodes is an SN of the
// sentinel's organisation; the others are SLs of other organisations, as many as the limit of nodes asks for. None of
// them runs. Prints a JSON object: how many nodes the registry has now, organisations, and the number of the last block.

#include "contracts/organisations/client.hpp"
#include "tools/bench/chain/offline_chain.hpp"

#include <cstdio>

namespace {

using namespace swarm;

constexpr std::uint64_t nodes_per_block = 50;
constexpr std::uint64_t sl_per_organisation = 200;
constexpr std::uint64_t nodes_per_sn = 8;
constexpr std::uint32_t own_nodes = 100'000;

const auto registry = contracts::organisation_registry_address();

/// Votes alone: organisations without an SN or SWCI have no vote.
void allow_own_nodes(bench::offline_chain& chain) {
  const auto id = chain.self().organisation;
  auto limits = chain.ask(registry, contracts::organisation_args{id}).limits;
  limits.nodes = own_nodes;
  chain.add_block({chain.call(registry, contracts::encode(contracts::set_limits_args{id, limits}))});
}

contracts::organisation_id admit_organisation(bench::offline_chain& chain, std::uint64_t number) {
  const auto name = "bench-" + std::to_string(number);
  const hash32 anchor = u256(1'000'000 + number);
  chain.add_block(
      {chain.call(registry, contracts::encode(contracts::admit_organisation_args{name, {anchor}}))});
  return chain.ask(registry, contracts::organisation_named_args{name});
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) bench::die("usage: make_nodes DATA_DIR COUNT");
  const auto count = std::strtoull(argv[2], nullptr, 10);
  bench::offline_chain chain(argv[1]);
  allow_own_nodes(chain);
  contracts::organisation_id others = 0;
  std::uint64_t sls = 0;
  for (std::uint64_t made = 0; made < count;) {
    std::vector<bench::new_node> all;
    for (; made < count && all.size() < nodes_per_block; ++made) {
      bench::new_node one;
      one.name = "node-" + std::to_string(made);
      one.endpoint = "127.0.0.1:9"; // nobody listens there
      if (made % nodes_per_sn == 0) {
        one.type = contracts::node_type::sn;
        one.organisation = chain.self().organisation;
      } else {
        if (sls % sl_per_organisation == 0) others = admit_organisation(chain, sls / sl_per_organisation);
        ++sls;
        one.organisation = others;
      }
      all.push_back(std::move(one));
    }
    chain.admit(all);
  }
  const auto nodes = chain.ask(contracts::node_registry_address(), contracts::node_count_args{});
  const auto organisations = chain.ask(registry, contracts::organisation_count_args{});
  const boost::json::object out{
      {"nodes", nodes.to_u64()}, {"organisations", organisations.to_u64()}, {"block_num", chain.block_num()}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}
