// Transactions of three organisations, with the rule on space around them: evidence of double votes, registrations, votes,
// any other bytes. Whatever comes, nobody puts more on the chain than a day has room for, a seat is lost only by a proof,
// and `chainUses` shows what was counted.
#include "base/assert.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/chain_space.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/registry/validators.hpp"
#include "ledger/formats/double_vote.hpp"
#include "ledger/space_rule.hpp"

#include <map>

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr organisation_id organisations = 3;
constexpr std::uint64_t a_day = 4000; ///< bytes

class memory final : public ledger::contract_host {
public:
  hash32 load(const address& contract, const hash32& key) override {
    charge(200);
    const auto found = slots.find({contract, key});
    return found == slots.end() ? hash32{} : found->second;
  }
  void store(const address& contract, const hash32& key, const hash32& value) override {
    charge(2000);
    slots[{contract, key}] = value;
  }
  void emit(ledger::log_entry entry) override {
    charge(375 + entry.data.size() * 8);
    logged += entry.data.size();
  }
  bool has_code(const address&) override { return false; }
  std::uint64_t block_time() const override { return time; }
  void deploy(const address&, std::uint8_t) override { charge(32000); }
  void charge(std::uint64_t gas) override {
    if (gas > left) throw ledger::out_of_gas{};
    left -= gas;
  }

  std::map<std::pair<address, hash32>, hash32> slots;
  std::uint64_t time = 1'800'000'000;
  std::uint64_t left = 0;
  std::uint64_t logged = 0;
};

/// Number 2 is the account of the private key 1, with which seeds of the corpus are signed.
address account(std::uint8_t number) {
  if (number == 2) return *fixed_from_hex<20>("0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  address out;
  out[19] = number;
  return out;
}

class network {
public:
  network() {
    std::vector<ledger::founder> founders;
    for (std::uint8_t id = 1; id <= organisations; ++id)
      founders.push_back({std::string(1, static_cast<char>('a' + id)), {hash32(u256(id))}, {account(id)}});
    for (const auto& each : contracts_.genesis) {
      for (const auto& [key, value] : each.storage)
        host_.slots[{each.where, key}] = value;
      if (!each.founders_storage) continue;
      for (const auto& [key, value] : each.founders_storage(founders))
        host_.slots[{each.where, key}] = value;
    }
    host_.left = budget;
    std::vector<seat_candidate> seats;
    for (std::uint8_t id = 1; id <= organisations; ++id) {
      organisation_records(host_).of(id).set_limits({.chain_bytes_per_day = a_day});
      seats.push_back({account(id), id});
    }
    validator_records(host_).set_members(seats, 0);
    for (std::uint8_t id = 1; id <= organisations; ++id)
      send(id, node_registry_address(),
           encode(
               register_node_args{.type = node_type::sn, .organisation = id, .identity = hash32(u256(id))}));
  }

  void pass(std::uint64_t seconds) { host_.time += seconds; }

  void send(std::uint8_t who, const address& to, bytes_view input) {
    const auto seats = validator_records(host_).validators();
    const auto before = host_.slots;
    host_.left = budget;
    host_.logged = 0;
    ++block_num_;
    const auto on = contracts_.space->account_of(host_, {account(who), to, input, account(1)});
    if (!on) return;
    run(who, to, input);
    if (!contracts_.space->charge(host_, *on, input.size() + host_.logged)) host_.slots = before;
    host_.left = budget;
    if (validator_records(host_).validators() != seats) check_change(to, input, seats);
    check_use();
  }

private:
  static constexpr std::uint64_t budget = 20'000'000;

  void run(std::uint8_t who, const address& to, bytes_view input) {
    const auto before = host_.slots;
    const auto kind = to == node_registry_address() ? node_registry_kind : organisation_registry_kind;
    for (const auto& each : contracts_.kinds) {
      if (each.kind != kind) continue;
      try {
        const ledger::call_context call{.caller = account(who), .self = to, .block_num = block_num_};
        if (each.code->call(host_, call, input).ok) return;
      } catch (const ledger::out_of_gas&) { // the call has no effect, but its bytes are there
        host_.left = budget;
      }
      host_.slots = before;
    }
  }

  /// One transaction that takes a seat is a proof, or comes from the seat's own organisation.
  void check_change(const address& to, bytes_view input, const std::vector<address>& seats) {
    SWARM_ASSERT(to == node_registry_address());
    const bool is_evidence =
        input.size() > 4 && std::equal(input.begin(), input.begin() + 4, evidence_.begin());
    if (!is_evidence) return;
    const auto now = validator_records(host_).validators();
    SWARM_ASSERT(now.size() < seats.size());
    // ABI: an offset, a length, the bytes.
    const auto proof =
        ledger::decode_double_vote(input.subspan(4 + 64, input[4 + 63] + 256u * input[4 + 62]));
    SWARM_ASSERT(proof && ledger::check_double_vote(*proof, 0, {}));
  }

  void check_use() {
    const auto& registry =
        *std::find_if(contracts_.kinds.begin(), contracts_.kinds.end(), [](const auto& each) {
           return each.kind == organisation_registry_kind;
         })->code;
    const ledger::call_context call{.self = organisation_registry_address(), .read_only = true};
    const auto shown = registry.call(host_, call, encode(chain_uses_args{u256(0), u256(64)}));
    SWARM_ASSERT(shown.ok);
    const auto uses = decode_answer<chain_uses_args>(shown.output);
    SWARM_ASSERT(uses.has_value());
    for (const auto& each : *uses) {
      const day_limits limits(each.limit);
      SWARM_ASSERT(each.bytes <= limits.all && each.newcomers <= limits.newcomers);
      SWARM_ASSERT(each.newcomers <= each.bytes);
    }
  }

  ledger::native_contract_set contracts_ = make_contracts();
  memory host_;
  std::uint64_t block_num_ = 0;
  bytes evidence_ = encode(report_double_vote_args{});
};

} // namespace

/// Each step: what, who, a length, and so many bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const network begun;
  auto on = begun;
  bytes_view rest{data, size};
  for (int steps = 0; rest.size() >= 4 && steps < 64; ++steps) {
    const auto what = rest[0];
    const auto who = rest[1];
    const auto length = std::min<std::size_t>(rest.size() - 4, rest[2] * 256u + rest[3]);
    const auto input = rest.subspan(4, length);
    rest = rest.subspan(4 + length);
    switch (what % 4) {
    case 0:
      on.send(who, node_registry_address(), input);
      break;
    case 1:
      on.send(who, organisation_registry_address(), input);
      break;
    case 2:
      on.send(who, node_registry_address(), encode(report_double_vote_args{to_bytes(input)}));
      break;
    default:
      on.pass(std::uint64_t{1} << who % 18);
    }
  }
  return 0;
}
