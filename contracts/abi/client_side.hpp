#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/abi/function.hpp"

/// Compiles the functions of client.hpp for every function and event of a contract where this line stands:
///
///     template struct abi::client_side<training_interface>;
///
/// The tables name every function, so the compiler puts all of them into the object file.
namespace swarm::contracts {

template <class Call>
bytes encode(const Call& call) {
  return abi::encode_call(call);
}

template <class Call>
result<abi::answer_of<Call>> decode_answer(bytes_view output) {
  return abi::decode_answer<abi::answer_of<Call>>(output);
}

template <class Interface>
result<typename Interface::event> decode_event(const std::vector<hash32>& topics, bytes_view data) {
  return abi::decode_any_event<typename Interface::event>(topics, data);
}

template <class Event>
hash32 event_topic() {
  return abi::topic_of<Event>();
}

namespace abi {

/// Null when the function returns nothing.
template <class Call>
constexpr auto answer_decoder() {
  if constexpr (std::is_void_v<answer_of<Call>>)
    return nullptr;
  else
    return &contracts::decode_answer<Call>;
}

template <class Functions, class Event>
struct client_tables;
template <class... Call, class... Event>
struct client_tables<type_list<Call...>, std::variant<Event...>> {
  static constexpr std::tuple calls{&contracts::encode<Call>...};
  static constexpr std::tuple answers{answer_decoder<Call>()...};
  static constexpr std::tuple topics{&contracts::event_topic<Event>...};
};

template <class Interface>
struct client_side {
  using tables = client_tables<typename Interface::functions, typename Interface::event>;
  static constexpr auto calls = tables::calls;
  static constexpr auto answers = tables::answers;
  static constexpr auto topics = tables::topics;
  static constexpr auto events = &contracts::decode_event<Interface>;
};

} // namespace abi
} // namespace swarm::contracts
