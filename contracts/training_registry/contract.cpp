#include "contracts/training_registry/contract.hpp"

#include "contracts/contracts.hpp"
#include "contracts/organisations/members.hpp"
#include "contracts/organisations/records.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "contracts/training/contract.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training_registry/interface.hpp"
#include "contracts/training_registry/owned.hpp"

namespace swarm::contracts {

namespace {

// slot 0: number of trainings; slot 1: array of their names; slot 2: mapping organisation -> number of its trainings that
// are not retired; slot 3: mapping organisation -> array of these (owned.hpp)
class training_registry_call {
public:
  training_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), slots_(host, context.self), names_(names_of_trainings(slots_)) {}

  result<address> on(const create_training_args& args) {
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
    if (!is_training_name(args.name))
      return refuse("{} is no name for a training: 1 to {} characters of A-Z a-z 0-9 . _ -",
                    in_quotes(args.name), training_name_bytes_max);
    const auto where = training_address(args.name);
    if (host_.has_code(where)) return refuse("there is a training {} already", in_quotes(args.name));
    const auto count = names_.size();
    const auto owner = organisation_members(host_).organisation_of(context_.caller);
    if (owner == 0 && count >= trainings_max)
      return refuse("there are {} trainings, the most a chain can have", count);
    SWARM_CHECK(count_for(owner, where));
    host_.deploy(where, training_kind);
    init_training(slots(host_, where), args.name, owner);
    names_.add(args.name);
    host_.emit(abi::encode_event(context_.self, training_created{args.name, where, context_.caller}));
    return where;
  }

  result<address> on(const training_address_of_args& args) const {
    const auto where = training_address(args.name);
    return is_training_name(args.name) && host_.has_code(where) ? where : address{};
  }

  result<u256> on(const training_count_args&) const { return u256(names_.size()); }

  result<std::vector<std::string>> on(const training_names_args& args) const {
    return names_.part(args.first, args.count);
  }
  result<u256> on(const trainings_under_way_args& args) const {
    return u256(trainings_under_way(host_, args.organisation));
  }

private:
  /// One more training of this organisation. When it has as many as it may, one that is over makes room.
  result<> count_for(organisation_id owner, const address& training) const {
    if (owner == 0) return {};
    const auto own = trainings_of(slots_, owner);
    const auto record = organisation_records(host_).of(owner);
    if (const auto most = record.limits().trainings; own.size() >= most && !retire_one(own))
      return refuse("the organisation '{}' has {} trainings that are not over, the most that it may have: "
                    "complete or reset one",
                    record.name(), own.size());
    own.add(training);
    return {};
  }

  bool retire_one(const account_list& own) const {
    std::optional<std::uint64_t> found;
    for (std::uint64_t i = 0, all = own.size(); i < all; ++i) {
      const auto end = end_of_training(slots(host_, own.at(i)));
      if (end == training_end::ahead || (found && end == training_end::emptied)) continue;
      found = i;
      if (end == training_end::complete) break;
    }
    if (!found) return false;
    const auto retired = own.at(*found);
    retire_training(slots(host_, retired));
    own.remove(*found);
    host_.emit(abi::encode_event(context_.self, training_retired{retired}));
    return true;
  }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  slots slots_;
  name_list names_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_training_registry() {
  return std::make_shared<typed_contract<training_registry_call, training_registry_interface>>();
}

std::vector<std::pair<hash32, hash32>> training_registry_genesis(std::string_view name) {
  return record_stores([name](const slots& in) { names_of_trainings(in).add(name); });
}

} // namespace swarm::contracts
