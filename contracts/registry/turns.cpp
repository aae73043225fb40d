#include "contracts/registry/turns.hpp"

#include "contracts/organisations/interface.hpp"
#include "contracts/runtime/slots.hpp"
#include "ledger/formats/seal.hpp"

#include <map>
#include <set>

namespace swarm::contracts {

namespace {

struct mark {
  std::uint64_t missed_at = 0;
  std::uint64_t until = 0;
  std::uint8_t times = 0; ///< in a row
};
struct latest {
  std::uint64_t until = 0;
};

hash32 slot_of_organisation(organisation_id id) {
  hash32 out = u256(id);
  out[0] = 1;
  return out;
}
hash32 slot_of_account(const address& account) {
  auto out = key_of(account);
  out[0] = 1;
  return out;
}
hash32 slot_of_latest() {
  hash32 out;
  out[0] = 2;
  return out;
}

/// How many of them a quorum can do without.
std::size_t spare_of(std::span<const address> validators) {
  return validators.size() - ledger::seal_quorum(validators.size());
}

/// Whose mark counts for which validators.
using holders = std::map<hash32, std::vector<address>>;

holders holders_of(ledger::contract_host& host, std::span<const address> validators) {
  const node_records records(host);
  std::map<organisation_id, std::vector<address>> seats;
  for (const auto& each : validators)
    seats[organisation_of_validator(records, each)].push_back(each);
  const auto spare = spare_of(validators);
  holders out;
  for (auto& [organisation, theirs] : seats) {
    if (organisation != 0 && theirs.size() <= spare)
      out[slot_of_organisation(organisation)] = std::move(theirs);
    else
      for (const auto& each : theirs)
        out[slot_of_account(each)] = {each};
  }
  return out;
}

class missed_turns final : public ledger::turn_rule {
public:
  std::vector<address> resting(ledger::contract_host& host, std::span<const address> validators,
                               std::uint64_t time) const override {
    const slots own(host, ledger::system_account());
    if (own.get<latest>(slot_of_latest()).until <= time) return {};
    std::vector<std::pair<mark, std::vector<address>>> marked;
    for (auto& [slot, theirs] : holders_of(host, validators))
      if (const auto found = own.get<mark>(slot); found.until > time) marked.emplace_back(found, theirs);
    const auto worse = [](const auto& a, const auto& b) {
      return std::pair(a.first.times, a.first.missed_at) > std::pair(b.first.times, b.first.missed_at);
    };
    std::stable_sort(marked.begin(), marked.end(), worse);
    const auto spare = spare_of(validators);
    std::vector<address> out;
    for (const auto& [found, theirs] : marked)
      if (out.size() + theirs.size() <= spare) out.insert(out.end(), theirs.begin(), theirs.end());
    std::sort(out.begin(), out.end());
    return out;
  }

  void miss(ledger::contract_host& host, std::span<const address> who,
            std::span<const address> validators) const override {
    const slots own(host, ledger::system_account());
    const std::set<address> missed(who.begin(), who.end());
    auto last = own.get<latest>(slot_of_latest());
    for (const auto& [slot, theirs] : holders_of(host, validators)) {
      if (std::none_of(theirs.begin(), theirs.end(), [&](const auto& each) { return missed.contains(each); }))
        continue;
      const auto next = after(own.get<mark>(slot), host.block_time());
      own.put(slot, next);
      last.until = std::max(last.until, next.until);
    }
    own.put(slot_of_latest(), last);
  }

private:
  static mark after(const mark& before, std::uint64_t now) {
    const bool again = before.times > 0 && now < before.until + day_seconds;
    const auto times = again ? std::min<int>(before.times + 1, rest_doublings_max + 1) : 1;
    return {now, now + (rest_seconds << (times - 1)), static_cast<std::uint8_t>(times)};
  }
};

} // namespace

organisation_id organisation_of_validator(const node_records& records, const address& account) {
  const auto status = records.of(account).status();
  // Before it registers, a validator of the genesis block sits for its founder.
  return status.type == node_type{} ? records.founder_of(account) : status.organisation;
}

std::shared_ptr<const ledger::turn_rule> make_turn_rule() {
  return std::make_shared<missed_turns>();
}

} // namespace swarm::contracts
