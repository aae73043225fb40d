#include "actors/sn/chain/reentries.hpp"

#include "actors/sn/chain/registered_name.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

std::optional<std::string> reentries::take(const ledger::chain_view& chain, const address& who,
                                           std::uint64_t block_num) {
  auto& entry = known_[who];
  const bool fresh = entry.logged_at == 0 || block_num > entry.logged_at + quiet_blocks;
  entry.block_num = block_num;
  if (!fresh) return std::nullopt;
  entry.logged_at = block_num;
  entry.text = fmt::format("{} {}", to_hex(who.view()), registered_name_of(chain, who).who());
  return fmt::format(
      "the validator {} votes again from block {} on by its operator's word: the record of its votes "
      "was lost",
      entry.text, block_num);
}

std::string reentries::status_line(std::uint64_t head_num) const {
  std::string out;
  for (const auto& [who, entry] : known_)
    if (head_num < entry.block_num + quiet_blocks)
      out +=
          fmt::format("; {} votes again since block {} by its operator's word", entry.text, entry.block_num);
  return out;
}

json::array reentries::to_json() const {
  json::array out;
  for (const auto& [who, entry] : known_)
    out.push_back(
        json::object{{"account", to_hex(who.view())}, {"who", entry.text}, {"block_num", entry.block_num}});
  return out;
}

} // namespace swarm::actors
