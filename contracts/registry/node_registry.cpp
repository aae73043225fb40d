#include "contracts/registry/node_registry.hpp"

#include "contracts/registry/interface.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/runtime/page.hpp"

namespace swarm::contracts {

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

result<> check_details(const register_node_args& args) {
  if (args.type == node_type{})
    return refuse("nodeType 0 is unknown, expected 1 (SN), 2 (SL), 3 (SWOP) or 4 (SWCI)");
  if (args.type == node_type::sn && !args.parent.is_zero())
    return refuse("an SN has no parent, got {}", to_hex(args.parent.view()));
  SWARM_CHECK(check_text("name", args.name, node_name_bytes_max));
  SWARM_CHECK(check_text("endpoint", args.endpoint, node_endpoint_bytes_max));
  if (!is_printable_ascii(args.endpoint))
    return refuse("endpoint {} has characters other than printable ASCII", quoted(args.endpoint));
  return {};
}

class node_registry_call {
public:
  node_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), records_(host) {}

  result<> on(const register_node_args& args) {
    SWARM_CHECK(check_details(args));
    const auto& account = context_.caller;
    auto record = records_.of(account);
    auto status = record.status();
    if (status.type == node_type{}) {
      const auto count = records_.count();
      if (count >= nodes_max) return refuse("the network is full: {} nodes are registered", count);
      status.index = static_cast<std::uint16_t>(count);
      records_.add_account(account, count);
    } else if (status.type != args.type) {
      return refuse("{} is registered as {} and cannot become {}", to_hex(account.view()),
                    to_string(status.type), to_string(args.type));
    }
    status.type = args.type;
    status.active = true;
    status.since_block = context_.block_num;
    status.parent = args.parent;
    record.set_status(status);
    record.set_details(args.cert_fingerprint, args.name, args.endpoint);
    host_.emit(abi::encode_event(context_.self, node_registered{account, args.type, args.cert_fingerprint,
                                                                args.parent, args.name, args.endpoint}));
    return {};
  }

  result<> on(const leave_node_args&) {
    const auto& account = context_.caller;
    auto record = records_.of(account);
    auto status = record.status();
    if (status.type == node_type{}) return refuse("{} is not registered", to_hex(account.view()));
    if (!status.active)
      return refuse("{} left already, in block {}", to_hex(account.view()), status.since_block);
    status.active = false;
    status.since_block = context_.block_num;
    record.set_status(status);
    host_.emit(abi::encode_event(context_.self, node_left{account, status.type}));
    return {};
  }

  result<node_view> on(const node_args& args) const { return view_of(args.account); }

  result<u256> on(const node_count_args&) const { return u256(records_.count()); }

  result<std::vector<node_view>> on(const nodes_args& args) const {
    const auto part = page_of(args.first, args.count, records_.count(), page_entries_max);
    std::vector<node_view> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(view_of(records_.account_at(i)));
    return out;
  }

private:
  node_view view_of(const address& account) const {
    const auto record = records_.of(account);
    const auto status = record.status();
    if (status.type == node_type{}) return {};
    return {account,       status.type,   status.active,    status.since_block, record.cert_fingerprint(),
            status.parent, record.name(), record.endpoint()};
  }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  node_records records_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_node_registry() {
  return std::make_shared<typed_contract<node_registry_call, node_registry_functions>>("NodeRegistry");
}

} // namespace swarm::contracts
