#include "contracts/organisations/chain_space.hpp"

#include "contracts/registry/client.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/registry/validators.hpp"
#include "contracts/runtime/typed_contract.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <set>

namespace swarm::contracts {

namespace {

using ledger::contract_host;
using ledger::space_account;
using ledger::space_errc;

constexpr std::uint64_t tenth = 10;

/// "2026-11-29 00:00 UTC", when the day after `day` begins.
std::string end_of(std::uint32_t day) {
  using namespace std::chrono;
  const year_month_day date{sys_days{days{static_cast<int>(day) + 1}}};
  return fmt::format("{:04}-{:02}-{:02} 00:00 UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string_view what_is_full(purse which) {
  switch (which) {
  case purse::common:
    return "nine tenths of it; the last one is kept for calls of the registries by its SNs and SWCIs";
  case purse::kept:
    return "all of it";
  default:
    return "the tenth of it that registrations may take which nobody has vouched for";
  }
}

tl::unexpected<error> full(contract_host& host, const space_account& account, std::uint32_t day) {
  const auto of = organisation_records(host).of(account.organisation);
  return fail(space_errc::day_full,
              "the organisation {} may put {} bytes on the chain a day and has used up {}: there is room "
              "again from {} "
              "on, or organisations vote for another limit",
              in_quotes(of.name()), of.limits().chain_bytes_per_day, what_is_full(purse{account.purse}),
              end_of(day));
}

bool fits(std::uint64_t used, std::uint64_t more, std::uint64_t limit) {
  return used <= limit && more <= limit - used;
}

/// Whether the call may take what is kept: without it an organisation falls out of the network.
bool is_kept(const space_account& account, const ledger::space_question& asked, node_type role) {
  return account.organisation != 0 && (role == node_type::sn || role == node_type::swci)
         && (asked.to == node_registry_address() || asked.to == organisation_registry_address());
}

class chain_space_rule final : public ledger::space_rule {
public:
  result<space_account> account_of(contract_host& host, const ledger::space_question& asked) const override {
    if (organisation_records(host).last_id() == 0) return space_account{};
    const node_records nodes(host);
    if (const auto status = nodes.of(asked.sender).status(); is_member(host, status)) {
      space_account out{status.organisation, 0, {}};
      if (is_kept(out, asked, status.type)) out.purse = static_cast<std::uint8_t>(purse::kept);
      return out;
    }
    const auto claim = decode_registration(asked.to, asked.input);
    if (!claim)
      return fail(
          space_errc::no_member,
          "{} is no member of this network: it may register, and send nothing else before it is admitted",
          to_hex(asked.sender.view()));
    if (!organisation_records(host).exists(claim->organisation))
      return fail(space_errc::no_member, "{} registers for the organisation {}, which does not exist",
                  to_hex(asked.sender.view()), claim->organisation);
    if (nodes.founder_of(asked.sender) == claim->organisation)
      return space_account{claim->organisation, 0, static_cast<std::uint8_t>(purse::kept)};
    return space_account{claim->organisation, organisation_of_proposer(nodes, asked.proposer),
                         static_cast<std::uint8_t>(purse::newcomers)};
  }

  result<> check_room(contract_host& host, const space_account& account, std::uint64_t bytes) const override {
    if (account.organisation == 0) return {};
    const organisation_records organisations(host);
    const chain_days days(host);
    const auto used = days.of(account.organisation);
    const day_limits limits(organisations.of(account.organisation).limits().chain_bytes_per_day);
    const auto which = purse{account.purse};
    if (!fits(used.bytes, bytes, which == purse::kept ? limits.all : limits.common))
      return full(host, account, used.day);
    if (which != purse::newcomers) return {};
    if (!fits(used.newcomers, bytes, limits.newcomers)) return full(host, account, used.day);
    if (account.proposer == anybody) return {};
    const auto lanes = std::clamp<std::uint64_t>(organisations_of_validators(host).size(), 1, lanes_max);
    const auto claims = days.claims(account.organisation, account.proposer);
    if (!fits(claims.bytes, bytes, limits.newcomers / lanes)) return full(host, account, used.day);
    return {};
  }

  result<> charge(contract_host& host, const space_account& account, std::uint64_t bytes) const override {
    if (account.organisation == 0) return {};
    SWARM_CHECK(check_room(host, account, bytes));
    const bool newcomers = purse{account.purse} == purse::newcomers;
    const chain_days days(host);
    days.add(account.organisation, bytes, newcomers);
    if (newcomers) days.add_claims(account.organisation, account.proposer, bytes);
    return {};
  }

private:
  /// Stands for the proposer's organisation when the block has no proposer yet.
  static constexpr organisation_id anybody = std::numeric_limits<organisation_id>::max();

  static organisation_id organisation_of_proposer(const node_records& nodes, const address& proposer) {
    if (proposer.is_zero()) return anybody;
    const auto status = nodes.of(proposer).status();
    return status.active ? status.organisation : nodes.founder_of(proposer);
  }
  static std::set<organisation_id> organisations_of_validators(contract_host& host) {
    const node_records nodes(host);
    std::set<organisation_id> out;
    for (const auto& one : validator_records(host).validators())
      out.insert(organisation_of_proposer(nodes, one));
    return out;
  }
};

} // namespace

day_limits::day_limits(std::uint64_t bytes_per_day)
    : common(bytes_per_day - bytes_per_day / tenth), all(std::max(bytes_per_day, common + kept_bytes_min)),
      newcomers(bytes_per_day / tenth) {}

hash32 chain_days::place(organisation_id id) {
  return u256((std::uint64_t{1} << 16) + id);
}

hash32 chain_days::claims_place(organisation_id id, organisation_id proposer) {
  return u256((std::uint64_t{1} << 32) + (std::uint64_t{id} << 16) + proposer);
}

day_slot chain_days::now(const hash32& where) const {
  const auto found = slots_.get<day_slot>(where);
  const auto day = static_cast<std::uint32_t>(slots_.host().block_time() / day_seconds);
  return day > found.day ? day_slot{day, 0, 0} : found;
}

void chain_days::add(organisation_id id, std::uint64_t bytes, bool is_newcomers) const {
  auto today = of(id);
  today.bytes += bytes;
  if (is_newcomers) today.newcomers += bytes;
  slots_.put(place(id), today);
}

void chain_days::add_claims(organisation_id id, organisation_id proposer, std::uint64_t bytes) const {
  auto today = claims(id, proposer);
  today.bytes += bytes;
  slots_.put(claims_place(id, proposer), today);
}

chain_use_view use_of(const chain_days& days, const organisation_records& organisations, organisation_id id) {
  const auto last = days.stored(id);
  return {id, last.day * day_seconds, last.bytes, last.newcomers,
          organisations.of(id).limits().chain_bytes_per_day};
}

std::shared_ptr<const ledger::space_rule> make_chain_space_rule() {
  return std::make_shared<chain_space_rule>();
}

} // namespace swarm::contracts
