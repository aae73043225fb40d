#include "contracts/taskrunner_registry/contract.hpp"

#include "contracts/contracts.hpp"
#include "contracts/organisations/members.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/name_list.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "contracts/taskrunner/contract.hpp"
#include "contracts/taskrunner/interface.hpp"
#include "contracts/taskrunner_registry/interface.hpp"

namespace swarm::contracts {

namespace {

// slot 0: number of taskrunners; slot 1: array of their names; slot 2: mapping organisation, or account where there are
// none -> number that it created; slot 3: mapping address of a taskrunner -> organisation of its creator
constexpr hash32 count_slot = u256(0);
constexpr hash32 names_slot = u256(1);
constexpr hash32 creators_slot = u256(2);
constexpr hash32 owners_slot = u256(3);

name_list names_in(const slots& in) {
  return {in, count_slot, names_slot};
}

class taskrunner_registry_call {
public:
  taskrunner_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), slots_(host, context.self), names_(names_in(slots_)) {}

  result<address> on(const create_taskrunner_args& args) {
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
    if (!is_taskrunner_name(args.name))
      return refuse("{} is no name for a taskrunner: 1 to {} characters of A-Z a-z 0-9 . _ -",
                    in_quotes(args.name), taskrunner_name_bytes_max);
    const auto where = taskrunner_address(args.name);
    if (host_.has_code(where)) return refuse("there is a taskrunner {} already", in_quotes(args.name));
    const auto count = names_.size();
    const auto owner = organisation_members(host_).organisation_of(context_.caller);
    if (owner == 0 && count >= taskrunners_max)
      return refuse("there are {} taskrunners, the most a chain can have", count);
    const auto own_slot = slots_.mapped(creator_key(owner, context_.caller), creators_slot);
    const auto own = u256(slots_.load(own_slot)).to_u64();
    if (own >= creator_taskrunners_max)
      return refuse("{} has created {} taskrunners, the most that it may have",
                    creator_name(host_, owner, context_.caller), own);
    host_.deploy(where, taskrunner_kind);
    init_taskrunner(slots(host_, where), args.name, context_.block_num);
    names_.add(args.name);
    if (owner != 0) slots_.store(slots_.mapped(key_of(where), owners_slot), u256(owner));
    slots_.store(own_slot, u256(own + 1));
    host_.emit(abi::encode_event(context_.self, taskrunner_created{args.name, where, context_.caller}));
    return where;
  }

  result<address> on(const taskrunner_address_of_args& args) const {
    const auto where = taskrunner_address(args.name);
    return is_taskrunner_name(args.name) && host_.has_code(where) ? where : address{};
  }

  result<owner_view> on(const taskrunner_owner_args& args) const {
    const auto slot = slots_.mapped(key_of(taskrunner_address(args.name)), owners_slot);
    return owner_of(host_, static_cast<organisation_id>(u256(slots_.load(slot)).to_u64()));
  }

  result<u256> on(const taskrunner_count_args&) const { return u256(names_.size()); }

  result<std::vector<std::string>> on(const taskrunner_names_args& args) const {
    return names_.part(args.first, args.count);
  }

private:
  ledger::contract_host& host_;
  const ledger::call_context& context_;
  slots slots_;
  name_list names_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_taskrunner_registry() {
  return std::make_shared<typed_contract<taskrunner_registry_call, taskrunner_registry_interface>>();
}

std::vector<std::pair<hash32, hash32>> taskrunner_registry_genesis(std::string_view name) {
  return record_stores([name](const slots& in) { names_in(in).add(name); });
}

} // namespace swarm::contracts
