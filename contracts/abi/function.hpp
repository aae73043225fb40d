#pragma once

#include "base/hash.hpp"
#include "contracts/abi/codec.hpp"
#include "ledger/native_contract.hpp"

#include <type_traits>
#include <utility>
#include <variant>

/// Functions, answers, events and reverts of the Solidity ABI, from the C++ types of their arguments. A
/// struct of arguments has a `layout` with `name`, `members`, `view` and `using answer = T` (void for none);
/// an event's has `name`, `members` and `indexed`, an array that tells which members are topics.
namespace swarm::contracts::abi {

using selector = std::array<std::uint8_t, 4>;

/// "checkIn(uint64,uint64,...)", as it is hashed.
template <class T>
const std::string& signature() {
  static const std::string text = fmt::format("{}({})", layout<T>::name, parts_of<T>::type_names());
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
  // Offsets count from behind the selector, so the body is made on its own.
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

/// An answer of type uint256 that counts something.
inline result<std::uint64_t> decode_count(bytes_view data) {
  auto count = decode_answer<u256>(data);
  if (!count) return tl::unexpected(count.error());
  if (!count->fits_u64()) return fail(rule::out_of_range, "a count of more than 64 bits");
  return count->to_u64();
}

template <class Event>
const hash32& topic_of() {
  static const hash32 out = keccak256(signature<Event>());
  return out;
}

namespace detail {

template <class Event, std::size_t I>
using event_member =
    std::remove_cvref_t<decltype(std::declval<Event>().*std::get<I>(layout<Event>::members))>;

/// Calls `visit(index_constant)` for the members whose `indexed` is `Indexed`, in order.
template <class Event, bool Indexed, class Visit>
void each_member(Visit visit) {
  constexpr auto count = std::tuple_size_v<std::remove_cvref_t<decltype(layout<Event>::members)>>;
  static_assert(layout<Event>::indexed.size() == count);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto one = [&](auto index) {
      if constexpr (layout<Event>::indexed[index()] == Indexed) visit(index);
    };
    (one(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<count>{});
}

template <class Event>
constexpr std::size_t data_words() {
  constexpr auto count = layout<Event>::indexed.size();
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return (std::size_t{0} + ... + (layout<Event>::indexed[I] ? 0 : head_words<event_member<Event, I>>()));
  }
  (std::make_index_sequence<count>{});
}

} // namespace detail

/// Indexed values become topics as they are, which is right for value types only (strings would be hashed).
template <class Event>
ledger::log_entry encode_event(const address& emitter, const Event& event) {
  ledger::log_entry out{emitter, {topic_of<Event>()}, {}};
  detail::each_member<Event, true>([&](auto index) {
    using type = detail::event_member<Event, index()>;
    static_assert(!codec<type>::dynamic && codec<type>::words == 1);
    codec<type>::put(out.topics.emplace_back().data(), event.*std::get<index()>(layout<Event>::members));
  });
  body_writer body(out.data, detail::data_words<Event>());
  detail::each_member<Event, false>(
      [&](auto index) { body.add(event.*std::get<index()>(layout<Event>::members)); });
  return out;
}

template <class Event>
result<Event> decode_event(const std::vector<hash32>& topics, bytes_view data) {
  constexpr auto expected = 1
                            + static_cast<std::size_t>(std::count(layout<Event>::indexed.begin(),
                                                                  layout<Event>::indexed.end(), true));
  if (topics.size() != expected || topics[0] != topic_of<Event>())
    return fail(rule::wrong_event, "{} has {} topics, got {}", signature<Event>(), expected, topics.size());
  bytes words;
  for (std::size_t i = 1; i < topics.size(); ++i)
    append(words, topics[i].view());
  reader topic_in(words), data_in(data);
  body_reader topic_body(topic_in, 0, expected - 1), data_body(data_in, 0, detail::data_words<Event>());
  Event out{};
  detail::each_member<Event, true>(
      [&](auto index) { topic_body.add(out.*std::get<index()>(layout<Event>::members)); });
  if (!topic_body.ok()) return fail_with(topic_in.failure(), "topics of " + signature<Event>());
  detail::each_member<Event, false>(
      [&](auto index) { data_body.add(out.*std::get<index()>(layout<Event>::members)); });
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
