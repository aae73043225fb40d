#pragma once

#include "base/assert.hpp"
#include "contracts/abi/error.hpp"
#include "contracts/abi/function.hpp"
#include "ledger/native_contract.hpp"

#include <map>

namespace swarm::contracts {

/// Revert data for `text`, cut to `revert_text_bytes_max` at a character boundary.
ledger::call_outcome reverted(std::string_view text);
inline constexpr std::size_t revert_text_bytes_max = 400;

/// Text from a caller, shortened and quoted, for use in a revert.
std::string in_quotes(std::string_view text);

/// Fails when `text` is longer than `bytes_max` or holds control characters (ASCII or C1), which could forge
/// log lines. `what` names it in the message.
result<> check_text(std::string_view what, std::string_view text, std::size_t bytes_max);

/// The same for texts whose length people count in characters (code points).
result<> check_characters(std::string_view what, std::string_view text, std::size_t characters_max);

/// Refuses a call. Callers see the text as the reason of the revert.
template <class... Args>
tl::unexpected<error> refuse(fmt::format_string<Args...> text, Args&&... args) {
  return fail(errc::denied, text, std::forward<Args>(args)...);
}

namespace detail {

/// The text of a revert for call data that a function cannot decode.
std::string undecodable(const std::string& signature, const error& reason);
/// The same for values that came with a later version of the chain's rules than the one in force.
std::string needs_rules(const std::string& signature, std::uint64_t version);
std::string no_such_function(std::string_view contract, bytes_view input);

} // namespace detail

/// The native contract that `Interface` describes. `Call` is one call: its functions are the overloads of
/// `Call::on(const Args&)`, each of which returns a result of the function's answer. A failed result becomes
/// Error(string) with the error's message. Call data must be in canonical encoding. Functions of a version of the rules
/// that is not in force are not there; arguments whose values came with one (`Args::since_rules()`) are undecodable before.
template <class Call, class Interface>
class typed_contract final : public ledger::native_contract {
public:
  typed_contract() { add(typename Interface::functions{}); }

  ledger::call_outcome call(ledger::contract_host& host, const ledger::call_context& context,
                            bytes_view input) const override {
    abi::selector id{};
    if (input.size() < id.size()) return reverted(detail::no_such_function(Interface::name, input));
    std::copy_n(input.begin(), id.size(), id.begin());
    const auto found = handlers_.find(id);
    if (found == handlers_.end() || !found->second.is_there(context))
      return reverted(detail::no_such_function(Interface::name, input));
    return found->second.run(host, context, input.subspan(id.size()));
  }

private:
  struct handler {
    ledger::call_outcome (*run)(ledger::contract_host&, const ledger::call_context&, bytes_view);
    std::uint64_t since_rules;
    bool is_view;

    bool is_there(const ledger::call_context& context) const {
      return context.has_rules(since_rules) || (is_view && context.read_only);
    }
  };

  template <class... Args>
  void add(type_list<Args...>) {
    (handlers_.emplace(abi::selector_of<Args>(),
                       handler{&run<Args>, Args::function.since_rules, decltype(Args::function)::is_view}),
     ...);
    SWARM_ASSERT(handlers_.size() == sizeof...(Args));
  }

  template <class Args>
  static ledger::call_outcome run(ledger::contract_host& host, const ledger::call_context& context,
                                  bytes_view data) {
    const auto args = abi::decode_members<Args>(data);
    if (!args) return reverted(detail::undecodable(abi::signature<Args>(), args.error()));
    if constexpr (requires { args->since_rules(); })
      if (!context.has_rules(args->since_rules()))
        return reverted(detail::needs_rules(abi::signature<Args>(), args->since_rules()));
    Call call(host, context);
    using answer = abi::answer_of<Args>;
    const result<answer> done = call.on(*args);
    if (!done) return reverted(done.error().message);
    if constexpr (std::is_void_v<answer>)
      return {};
    else
      return {true, abi::encode_answer(*done)};
  }

  std::map<abi::selector, handler> handlers_;
};

} // namespace swarm::contracts
