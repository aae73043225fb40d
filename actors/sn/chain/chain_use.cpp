#include "actors/sn/chain/chain_use.hpp"

#include "contracts/organisations/client.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

namespace {

/// One page of a list of the OrganisationRegistry.
template <class Args>
result<contracts::abi::answer_of<Args>> read_page(const ledger::chain_view& at, std::size_t first) {
  const auto input = contracts::encode(Args{u256(first), u256(contracts::organisations_page_max)});
  SWARM_TRY(const auto answer, at.call({.to = contracts::organisation_registry_address(), .input = input}));
  return contracts::decode_answer<Args>(answer.output);
}

} // namespace

json::array chain_use_json(const ledger::chain_view& at, std::uint64_t now) {
  json::array out;
  if (at.genesis().founders.empty()) return out;
  for (std::size_t first = 0;; first += contracts::organisations_page_max) {
    const auto who = read_page<contracts::organisations_args>(at, first);
    const auto uses = read_page<contracts::chain_uses_args>(at, first);
    if (!who || !uses || who->size() != uses->size()) return out;
    for (std::size_t i = 0; i < uses->size(); ++i) {
      const auto& use = (*uses)[i];
      if (use.bytes == 0 || now >= use.day_begins + contracts::day_seconds) continue;
      out.push_back(json::object{{"organisation", (*who)[i].name},
                                 {"bytes_today", use.bytes},
                                 {"registrations_bytes", use.newcomers},
                                 {"bytes_per_day", use.limit}});
    }
    if (uses->size() < contracts::organisations_page_max) return out;
  }
}

} // namespace swarm::actors
