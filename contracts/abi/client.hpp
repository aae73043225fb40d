#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"

/// What a program outside the chain needs to talk to any contract. The functions are compiled once for
/// each contract, in its `client.cpp` (client_side.hpp), so that whoever includes this header compiles
/// no ABI coding.
namespace swarm::contracts {

/// The gas limit to send a call of these contracts with: more than any of them takes.
inline constexpr std::uint64_t call_gas = 10'000'000;

/// The data of a transaction or an eth_call: `encode(check_in_args{.generation = 1, .round_num = 5})`.
template <class Call>
bytes encode(const Call& call);

/// What an eth_call answered: `decode_answer<head_args>(output)` is a result<head_view>. Only the one
/// canonical ABI encoding is accepted.
template <class Call>
result<abi::answer_of<Call>> decode_answer(bytes_view output);

/// The number in an answer of type uint256 that is a count.
result<std::uint64_t> count_of(const result<u256>& answer);

/// The event of a log entry of a contract: `decode_event<training_interface>(topics, data)`. An unknown
/// topic is errc::not_found, so that readers can skip events of newer contracts; anything malformed is
/// an `abi::rule`.
template <class Interface>
result<typename Interface::event> decode_event(const std::vector<hash32>& topics, bytes_view data);

/// topic0 of an event: `event_topic<merge_committed>()`.
template <class Event>
hash32 event_topic();

/// What a revert says, for people: the text of Error(string), a Panic's number, or the raw bytes (shortened).
std::string revert_text(bytes_view output);

} // namespace swarm::contracts
