#pragma once

#include "base/hash.hpp"
#include "contracts/abi/codec.hpp"
#include "contracts/abi/description.hpp"
#include "ledger/native_contract.hpp"

/// Functions, answers and events of the Solidity ABI, from their descriptions (description.hpp).
namespace swarm::contracts::abi {

using selector = std::array<std::uint8_t, 4>;

/// "checkIn(uint64,uint64,...)", as it is hashed.
template <class T>
const std::string& signature() {
  static const std::string text = fmt::format("{}({})", name_of<T>(), parts_of<T>::type_names());
  return text;
}

template <class Args>
const selector& selector_of() {
  static const selector out = [] {
    const auto hash = keccak256(signature<Args>());
    return selector{hash[0], hash[1], hash[2], hash[3]};
  }();
  return out;
}

template <class Args>
bytes encode_call(const Args& args) {
  const auto& id = selector_of<Args>();
  bytes out(id.begin(), id.end());
  // Offsets count from the end of the selector, so the body is made separately.
  bytes body;
  append_members(body, args);
  append(out, body);
  return out;
}

/// Reads the members of T, which have to fill `data` exactly.
template <class T>
result<T> decode_members(bytes_view data) {
  reader in(data);
  T out{};
  body_reader body(in, 0, parts_of<T>::words);
  if (!read_members(body, out) || !in.finish()) return tl::unexpected(in.failure());
  return out;
}

/// The one value a function returns.
template <class T>
bytes encode_answer(const T& value) {
  bytes out;
  body_writer body(out, head_words<T>());
  body.add(value);
  return out;
}
template <class T>
result<T> decode_answer(bytes_view data) {
  reader in(data);
  T out{};
  body_reader body(in, 0, head_words<T>());
  if (!body.ok() || !body.add(out) || !in.finish()) return tl::unexpected(in.failure());
  return out;
}

template <class Event>
const hash32& topic_of() {
  static const hash32 out = keccak256(signature<Event>());
  return out;
}

/// Calls `visit(member)` for the members of `event` that are topics or, with `Topics` false, for the others.
template <bool Topics, class Event, class Visit>
void each_parameter(Event& event, const Visit& visit) {
  each_member(event, [&visit](auto index, auto& member) {
    if constexpr (std::remove_const_t<Event>::event.is_topic(index()) == Topics) visit(member);
  });
}

template <class Event>
constexpr std::size_t topic_count() {
  constexpr auto& topics = Event::event.topics;
  static_assert(*std::max_element(topics.begin(), topics.end()) <= member_count<Event>,
                "a topic without a member");
  return topics.size() - static_cast<std::size_t>(std::count(topics.begin(), topics.end(), 0u));
}

/// Words in the head of the data, which is the tuple of the parameters that are no topics.
template <class Event>
constexpr std::size_t data_words() {
  return []<class... Type>(type_list<Type...>) {
    std::size_t index = 0, words = 0;
    ((words += Event::event.is_topic(index++) ? 0 : head_words<Type>()), ...);
    return words;
  }(member_types<Event>{});
}

/// Indexed values become topics unchanged, which is right only for value types (strings would have
/// to be hashed).
template <class Event>
ledger::log_entry encode_event(const address& emitter, const Event& event) {
  ledger::log_entry out{emitter, {topic_of<Event>()}, {}};
  each_parameter<true>(event, [&out]<class Type>(const Type& member) {
    static_assert(!codec<Type>::dynamic && codec<Type>::words == 1);
    codec<Type>::put(out.topics.emplace_back().data(), member);
  });
  body_writer body(out.data, data_words<Event>());
  each_parameter<false>(event, [&body](const auto& member) { body.add(member); });
  return out;
}

template <class Event>
result<Event> decode_event(const std::vector<hash32>& topics, bytes_view data) {
  constexpr auto expected = 1 + topic_count<Event>();
  if (topics.size() != expected || topics[0] != topic_of<Event>())
    return fail(rule::wrong_event, "{} has {} topics, got {}", signature<Event>(), expected, topics.size());
  bytes words;
  for (std::size_t i = 1; i < topics.size(); ++i)
    append(words, topics[i].view());
  reader topic_in(words), data_in(data);
  body_reader topic_body(topic_in, 0, expected - 1), data_body(data_in, 0, data_words<Event>());
  Event out{};
  each_parameter<true>(out, [&topic_body](auto& member) { topic_body.add(member); });
  if (!topic_body.ok()) return fail_with(topic_in.failure(), "topics of " + signature<Event>());
  each_parameter<false>(out, [&data_body](auto& member) { data_body.add(member); });
  if (!data_body.ok() || !data_in.finish())
    return fail_with(data_in.failure(), "data of " + signature<Event>());
  return out;
}

/// The alternative of `Variant` that the topics name; errc::not_found when none does.
template <class Variant>
result<Variant> decode_any_event(const std::vector<hash32>& topics, bytes_view data) {
  result<Variant> out = fail(errc::not_found, "no known event has this topic");
  if (topics.empty()) return out;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto attempt = [&]<class Event>(std::type_identity<Event>) {
      if (topics[0] != topic_of<Event>()) return false;
      auto event = decode_event<Event>(topics, data);
      if (event)
        out = Variant{std::move(*event)};
      else
        out = tl::unexpected(event.error());
      return true;
    };
    (attempt(std::type_identity<std::variant_alternative_t<I, Variant>>{}) || ...);
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>{});
  return out;
}

} // namespace swarm::contracts::abi
