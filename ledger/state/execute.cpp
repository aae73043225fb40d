#include "ledger/state/execute.hpp"

#include "base/assert.hpp"
#include "ledger/state/gas.hpp"

#include <exception>
#include <limits>

namespace swarm::ledger {

namespace {

/// Carries an error of stored state through contract code up to `run`.
struct state_failure {
  error what;
};
/// Thrown when a contract does what its host does not allow; the call ends as a revert that says so.
struct host_refusal {
  std::string_view reason;
};

/// The ABI encoding of Error(string), as Solidity reverts.
bytes revert_reason(std::string_view text) {
  bytes out = {0x08, 0xc3, 0x79, 0xa0};
  append(out, u256(32).view());
  append(out, u256(text.size()).view());
  append(out, as_bytes(text));
  out.resize(4 + 64 + (text.size() + 31) / 32 * 32);
  return out;
}

/// The host of one call. It charges gas, collects events and keeps contracts from what they may not do.
class call_host final : public contract_host {
public:
  call_host(state_overlay& state, const contract_table& contracts, const address& self,
            std::uint64_t block_time, gas_meter& meter)
      : state_(state), contracts_(contracts), block_time_(block_time), meter_(meter), own_{self} {}

  std::vector<log_entry> take_logs() { return std::move(logs_); }

  hash32 load(const address& contract, const hash32& key) override {
    charge(gas::load);
    return unwrap(state_.load(contract, key));
  }

  void store(const address& contract, const hash32& key, const hash32& value) override {
    require_own(contract);
    charge(gas::load); // the look-up that shows which of the prices below applies
    auto old = unwrap(state_.load(contract, key));
    if (old == value) return charge(gas::store_same - gas::load);
    charge((old.is_zero() ? gas::store_new : gas::store_change) - gas::load);
    if (auto done = state_.store(contract, key, value); !done) throw state_failure{std::move(done).error()};
  }

  void emit(log_entry entry) override {
    require_own(entry.emitter);
    if (entry.topics.size() > 4) throw host_refusal{"event with more than four topics"};
    charge(gas::log + gas::log_topic * entry.topics.size() + gas::log_byte * entry.data.size());
    logs_.push_back(std::move(entry));
  }

  bool has_code(const address& who) override {
    charge(gas::load);
    return !unwrap(state_.code_of(who)).empty();
  }

  std::uint64_t block_time() const override { return block_time_; }

  void deploy(const address& who, std::uint8_t kind) override {
    charge(gas::deploy);
    if (contracts_.by_kind(kind) == nullptr) throw host_refusal{"deploys a contract of unknown kind"};
    if (!unwrap(state_.code_of(who)).empty()) throw host_refusal{"deploys where a contract is already"};
    auto nonce = unwrap(state_.nonce_of(who));
    if (auto done = state_.set_nonce(who, std::max<std::uint64_t>(nonce, 1)); !done) // EIP-161
      throw state_failure{std::move(done).error()};
    if (auto done = state_.set_code(who, contract_table::code_of_kind(kind)); !done)
      throw state_failure{std::move(done).error()};
    own_.push_back(who);
  }

  void charge(std::uint64_t amount) override {
    if (!meter_.charge(amount)) throw out_of_gas{};
  }

private:
  template <class T>
  static T unwrap(result<T> from) {
    if (!from) throw state_failure{std::move(from).error()};
    return std::move(*from);
  }
  void require_own(const address& who) const {
    if (std::find(own_.begin(), own_.end(), who) == own_.end())
      throw host_refusal{"writes or speaks for another account"};
  }

  state_overlay& state_;
  const contract_table& contracts_;
  std::uint64_t block_time_;
  gas_meter& meter_;
  std::vector<address> own_; ///< whose slots may be written
  std::vector<log_entry> logs_;
};

/// Runs the contract and undoes what a failed one did. Exceptions do not pass beyond this function.
result<execution> run(state_overlay& state, const call_context& context, std::uint64_t block_time,
                      const native_contract& contract, bytes_view input, gas_meter& meter,
                      const contract_table& contracts) {
  auto before = state.take_snapshot();
  execution out;
  try {
    call_host host(state, contracts, context.self, block_time, meter);
    auto outcome = contract.call(host, context, input);
    out.call.status = outcome.ok ? call_status::ok : call_status::reverted;
    out.call.output = std::move(outcome.output);
    if (outcome.ok) out.logs = host.take_logs();
  } catch (const out_of_gas&) {
    out.call.status = call_status::out_of_gas;
  } catch (const host_refusal& refusal) {
    out.call.status = call_status::reverted;
    out.call.output = revert_reason(refusal.reason);
  } catch (const state_failure& failure) {
    return tl::unexpected(failure.what);
  } catch (const std::exception& oops) {
    return fail(errc::internal, "contract {}: failed to execute: {}", to_hex(context.self.view()),
                oops.what());
  }
  if (out.call.status != call_status::ok) state.revert(before);
  return out;
}

/// Dispatches a checked call by the code of the account it goes to.
result<execution> dispatch(state_overlay& state, const call_context& context, std::uint64_t block_time,
                           bytes_view input, std::uint64_t intrinsic, std::uint64_t gas_limit,
                           const contract_table& contracts) {
  gas_meter meter(gas_limit);
  SWARM_ASSERT(meter.charge(intrinsic));
  SWARM_TRY(auto code, state.code_of(context.self));
  execution out;
  if (const auto* contract = contracts.by_code(code); contract != nullptr) {
    SWARM_TRY(out, run(state, context, block_time, *contract, input, meter, contracts));
  } else if (!code.empty()) {
    return fail(errc::internal, "contract {}: its kind {} is unknown to this version; a newer swarmd made it",
                to_hex(context.self.view()), to_hex(code));
  }
  out.call.gas_used = meter.used();
  return out;
}

/// Asks a rule of the chain; `question` is given its host. What the rule writes is the block's own work and costs no
/// gas.
template <class Question>
auto ask_rule(state_overlay& state, std::uint64_t block_time, const contract_table& contracts,
              Question question) -> decltype(question(std::declval<contract_host&>())) {
  gas_meter unmetered(std::numeric_limits<std::uint64_t>::max());
  call_host host(state, contracts, system_account(), block_time, unmetered);
  try {
    return question(host);
  } catch (const state_failure& failure) {
    return tl::unexpected(failure.what);
  }
}

/// Whose account the transaction is on, when there is a rule and room for its own bytes.
result<space_account> open_space(state_overlay& state, const block_context& context, const transaction& txn,
                                 const contract_table& contracts) {
  if (contracts.space() == nullptr) return space_account{};
  const auto& fields = txn.fields();
  const space_question asked{txn.sender(), *fields.to, fields.data, context.proposer};
  return ask_rule(state, context.block_time, contracts, [&](contract_host& host) -> result<space_account> {
    SWARM_TRY(auto account, contracts.space()->account_of(host, asked));
    SWARM_CHECK(contracts.space()->check_room(host, account, txn.raw().size()));
    return account;
  });
}

/// The bytes that are kept of a transaction: itself, its logs, and why it was reverted.
std::uint64_t space_of(const transaction& txn, const execution& done) {
  std::uint64_t out = txn.raw().size();
  for (const auto& log : done.logs)
    out += sizeof(address) + log.topics.size() * sizeof(hash32) + log.data.size();
  if (done.call.status != call_status::ok) out += std::min(done.call.output.size(), revert_output_max);
  return out;
}

} // namespace

std::uint64_t intrinsic_gas(const txn_fields& fields) {
  auto zeros = static_cast<std::uint64_t>(std::count(fields.data.begin(), fields.data.end(), 0));
  auto total = gas::txn + gas::data_zero_byte * zeros + gas::data_byte * (fields.data.size() - zeros);
  for (const auto& entry : fields.access_list)
    total += gas::access_account + gas::access_slot * entry.slots.size();
  return total;
}

result<> check_executable(const txn_fields& fields, std::uint64_t gas_available) {
  if (!fields.to)
    return fail(execution_errc::contract_creation,
                "contract creation is not possible on this chain: its contracts come with swarmd");
  if (!fields.value.is_zero())
    return fail(execution_errc::insufficient_funds,
                "insufficient funds: this chain has no coin, every balance is zero; send value 0");
  if (fields.gas_limit > gas_available)
    return fail(execution_errc::gas_above_block, "exceeds block gas limit: gas limit {}, the block has {}",
                fields.gas_limit, gas_available);
  if (auto least = intrinsic_gas(fields); fields.gas_limit < least)
    return fail(execution_errc::gas_below_intrinsic,
                "intrinsic gas too low: gas limit {}, needed at least {}", fields.gas_limit, least);
  return {};
}

contract_table::contract_table(const native_contract_set& contracts)
    : space_(contracts.space), turns_(contracts.turns) {
  for (const auto& [kind, code] : contracts.kinds) {
    SWARM_ASSERT(by_kind_[kind] == nullptr && code != nullptr);
    by_kind_[kind] = code;
  }
}

const native_contract* contract_table::by_code(bytes_view code) const {
  return code.size() == 2 && code[0] == 0xfe ? by_kind(code[1]) : nullptr;
}

result<execution> execute_transaction(state_overlay& state, const block_context& context,
                                      const transaction& txn, std::uint64_t gas_available,
                                      const contract_table& contracts) {
  const auto& fields = txn.fields();
  SWARM_CHECK(check_executable(fields, gas_available));
  SWARM_TRY(auto nonce, state.nonce_of(txn.sender()));
  if (fields.nonce < nonce)
    return fail(execution_errc::nonce_too_low, "nonce too low: account {} is at {}, transaction has {}",
                to_hex(txn.sender().view()), nonce, fields.nonce);
  if (fields.nonce > nonce)
    return fail(execution_errc::nonce_too_high, "nonce too high: account {} is at {}, transaction has {}",
                to_hex(txn.sender().view()), nonce, fields.nonce);
  SWARM_TRY(const auto space, open_space(state, context, txn, contracts));
  auto start = state.take_snapshot();
  SWARM_CHECK(state.set_nonce(txn.sender(), nonce + 1));
  call_context call{.caller = txn.sender(),
                    .self = *fields.to,
                    .chain_id = context.chain_id,
                    .block_num = context.block_num,
                    .read_only = false,
                    .genesis_hash = context.genesis_hash,
                    .rules = context.rules};
  auto done = dispatch(state, call, context.block_time, fields.data, intrinsic_gas(fields), fields.gas_limit,
                       contracts);
  if (done && space.organisation != 0) {
    auto charged = ask_rule(state, context.block_time, contracts, [&](contract_host& host) {
      return contracts.space()->charge(host, space, space_of(txn, *done));
    });
    if (!charged) {
      state.revert(start);
      done = tl::unexpected(std::move(charged).error());
    }
  }
  if (!done && done.error().is(errc::internal)) state.revert(start);
  state.forget_snapshots();
  return done;
}

result<space_account> check_space(state_overlay& state, const block_context& context, const transaction& txn,
                                  const contract_table& contracts) {
  return open_space(state, context, txn, contracts);
}

result<std::vector<address>> resting_validators(state_overlay& state, std::span<const address> validators,
                                                std::uint64_t time, const contract_table& contracts) {
  if (contracts.turns() == nullptr) return std::vector<address>{};
  return ask_rule(state, time, contracts, [&](contract_host& host) -> result<std::vector<address>> {
    return contracts.turns()->resting(host, validators, time);
  });
}

result<> note_missed_turns(state_overlay& state, const block_context& context, std::span<const address> who,
                           std::span<const address> validators, const contract_table& contracts) {
  if (contracts.turns() == nullptr) return {};
  return ask_rule(state, context.block_time, contracts, [&](contract_host& host) -> result<> {
    contracts.turns()->miss(host, who, validators);
    return {};
  });
}

result<execution> execute_call(state_overlay& state, const block_context& context,
                               const call_request& request, std::uint64_t gas_max,
                               const contract_table& contracts) {
  txn_fields fields;
  fields.to = request.to;
  fields.value = request.value;
  fields.gas_limit = request.gas_limit.value_or(gas_max);
  fields.data = request.input;
  SWARM_CHECK(check_executable(fields, gas_max));
  call_context call{.caller = request.from,
                    .self = *request.to,
                    .chain_id = context.chain_id,
                    .block_num = context.block_num,
                    .read_only = true,
                    .genesis_hash = context.genesis_hash,
                    .rules = context.rules};
  return dispatch(state, call, context.block_time, request.input, intrinsic_gas(fields), fields.gas_limit,
                  contracts);
}

result<execution> execute_view(state_overlay& state, const chain_identity& of, const block_header& on,
                               const call_request& request, const contract_table& contracts) {
  SWARM_TRY(const auto rules, state.load(validators_account(), u256(rules_slot)));
  const block_context context{.chain_id = of.chain_id,
                              .block_num = on.block_num + 1,
                              .genesis_hash = of.genesis_hash,
                              .rules = rules_in(rules).at(on.block_num + 1),
                              .block_time = on.timestamp};
  const auto start = state.take_snapshot();
  auto done = execute_call(state, context, request, on.gas_limit, contracts);
  state.revert(start);
  return done;
}

} // namespace swarm::ledger
