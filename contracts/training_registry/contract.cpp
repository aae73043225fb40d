#include "contracts/training_registry/contract.hpp"

#include "contracts/contracts.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "contracts/training/contract.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training_registry/interface.hpp"

namespace swarm::contracts {

namespace {

// slot 0: number of trainings; slot 1: array of their names
constexpr hash32 count_slot = u256(0);
constexpr hash32 names_slot = u256(1);

void add_name(const slots& in, std::uint64_t index, std::string_view name) {
  in.store_text(slot_after(in.items(names_slot), index), name);
  in.store(count_slot, u256(index + 1));
}

class training_registry_call {
public:
  training_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), slots_(host, context.self) {}

  result<address> on(const create_training_args& args) {
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
    if (!is_training_name(args.name))
      return refuse("{} is no name for a training: 1 to {} characters of A-Z a-z 0-9 . _ -",
                    quoted(args.name), training_name_bytes_max);
    const auto where = training_address(args.name);
    if (host_.has_code(where)) return refuse("there is a training {} already", quoted(args.name));
    const auto count = size();
    if (count >= trainings_max) return refuse("there are {} trainings, the most a chain can have", count);
    host_.deploy(where, training_kind);
    init_training(slots(host_, where), args.name);
    add_name(slots_, count, args.name);
    host_.emit(abi::encode_event(context_.self, training_created{args.name, where, context_.caller}));
    return where;
  }

  result<address> on(const training_address_of_args& args) const {
    const auto where = training_address(args.name);
    return is_training_name(args.name) && host_.has_code(where) ? where : address{};
  }

  result<u256> on(const training_count_args&) const { return u256(size()); }

  result<std::vector<std::string>> on(const training_names_args& args) const {
    const auto part = page_of(args.first, args.count, size(), page_entries_max);
    const auto names = slots_.items(names_slot);
    std::vector<std::string> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(slots_.load_text(slot_after(names, i)));
    return out;
  }

private:
  std::uint64_t size() const { return u256(slots_.load(count_slot)).to_u64(); }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  slots slots_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_training_registry() {
  return std::make_shared<typed_contract<training_registry_call, training_registry_interface>>();
}

std::vector<std::pair<hash32, hash32>> training_registry_genesis(std::string_view name) {
  return record_stores([name](const slots& in) { add_name(in, 0, name); });
}

} // namespace swarm::contracts
