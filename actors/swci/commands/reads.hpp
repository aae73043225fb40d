#pragma once

#include "actors/swci/commands/world.hpp"
#include "contracts/abi/client.hpp"
#include "contracts/organisations/interface.hpp"
#include "contracts/registry/client.hpp"

#include <map>

/// What several commands read from contracts.
namespace swarm::swci {

/// Calls one view of a contract.
template <class View>
result<contracts::abi::answer_of<View>> read(network& sns, const address& contract, const View& question) {
  SWARM_TRY(const auto responses, sns.ask({session::eth_call(contract, contracts::encode(question))}));
  SWARM_TRY(const auto output, session::output_of(responses.front()));
  if (output.empty())
    return fail(errc::not_found, "{} is no contract of this network", to_hex(contract.view()));
  return contracts::decode_answer<View>(output);
}

/// All entries of a list that is read in pages of `page` at most; `question(first)` reads those from `first` on.
template <class Question>
auto read_pages(network& sns, const address& contract, std::size_t page, Question question)
    -> result<contracts::abi::answer_of<std::invoke_result_t<Question, std::size_t>>> {
  contracts::abi::answer_of<std::invoke_result_t<Question, std::size_t>> out;
  while (true) {
    SWARM_TRY(auto more, read(sns, contract, question(out.size())));
    const bool last = more.size() < page;
    out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    if (last) return out;
  }
}

/// Where a training contract lives, if it is there.
result<address> find_training(network& sns, const std::string& name);

/// The id of an organisation, if there is one of this name.
result<contracts::organisation_id> find_organisation(network& sns, const std::string& name);

/// Fails when the chain has an older version of the rules than `what` came with.
result<> require_rules(network& sns, std::uint64_t version, std::string_view what);

/// The network of the command's context, or why there is none.
result<network*> network_of(command_world& world);

/// When these blocks were made; block 0 has no moment, it stands for "never".
using moments = std::map<std::uint64_t, moment>;
result<moments> moments_of(network& sns, const std::vector<std::uint64_t>& block_nums);

/// Who made a contract of a registry, and when. None: it is there from genesis.
struct creation {
  address by;
  std::uint64_t block_num = 0;
};
result<std::optional<creation>> creation_of(network& sns, const address& registry, const hash32& event,
                                            const address& contract);

/// Nodes that have given no sign of life for too long.
result<std::vector<address>> silent_nodes(network& sns);

/// "0x..." or empty for the zero address.
std::string uid_of(const address& account);
/// Fails with errc::invalid when it is not 0x and 40 hexadecimal digits.
result<address> account_of(std::string_view uid);

} // namespace swarm::swci
