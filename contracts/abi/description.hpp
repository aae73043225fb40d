#pragma once

#include "base/bytes.hpp"
#include "contracts/abi/members.hpp"

#include <variant>

/// How a contract is described, once, for its ABI, its clients and its dispatch. Every function is a struct
/// of its arguments and every event a struct of its parameters, in the order of the `.sol` file; a struct
/// without `function` and `event` is a tuple:
///
///     struct head_view { std::uint64_t round_num = 0; ... };
///     struct head_args {
///       static constexpr abi::view<head_view> function{"head"};
///     };
///     struct vote_close_args {
///       static constexpr abi::call<> function{"voteClose"};
///       std::uint64_t generation = 0;
///       std::uint64_t round_num = 0;
///     };
///     struct round_reopened {
///       static constexpr abi::event event{"RoundReopened", {1}};
///       std::uint64_t round_num = 0;
///       std::uint64_t generation = 0;
///     };
///     struct training_interface {
///       static constexpr std::string_view name = "Training";
///       using functions = type_list<head_args, vote_close_args>;
///       using event = std::variant<round_reopened>;
///     };
///
/// An enumeration is a uint8 and has a function for its largest value: `constexpr colour last_value(colour) {
/// return ...; }`.
namespace swarm::contracts::abi {

/// A function that changes state; Solidity calls it nonpayable. `Answer` is the type of what it returns. One that came
/// with a later version of the chain's rules names it: `function{"reset", 3}`. Before, the contract has no such function.
template <class Answer = void>
struct call {
  using answer = Answer;
  static constexpr bool is_view = false;
  std::string_view name;
  std::uint64_t since_rules = 1;
};

/// A function that only answers. A later version of the rules is asked for where a transaction calls it, as that is part
/// of a block; whoever only looks is answered under all.
template <class Answer>
struct view {
  using answer = Answer;
  static constexpr bool is_view = true;
  std::string_view name;
  std::uint64_t since_rules = 1;
};

struct event {
  std::string_view name;
  /// Which parameters are topics (`indexed`), counted from 1; zero for none.
  std::array<std::size_t, 3> topics{};

  /// Whether the parameter at `index`, counted from 0, is a topic.
  constexpr bool is_topic(std::size_t index) const {
    for (const auto topic : topics)
      if (topic == index + 1) return true;
    return false;
  }
};

/// What the function with the arguments `Call` returns; void for nothing.
template <class Call>
using answer_of = typename decltype(Call::function)::answer;

template <class T>
constexpr std::string_view name_of() {
  if constexpr (requires { T::function; })
    return T::function.name;
  else
    return T::event.name;
}

} // namespace swarm::contracts::abi
