#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

/// The members of a plain struct in the order in which they are declared, so that a struct need not list
/// them a second time. A plain struct is an aggregate without base classes, references and C arrays, with at
/// most 19 members.
namespace swarm::contracts {

namespace detail {

/// Stands for a value of any type but that of the struct it initialises. It is never evaluated.
template <class Struct>
struct any_member {
  template <class T>
  requires(!std::is_same_v<T, Struct>) operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes_members(std::index_sequence<I...>) {
  return requires {
    T{(static_cast<void>(I), any_member<T>{})...};
  };
}

template <class T, std::size_t Count = 0>
constexpr std::size_t count_members() {
  if constexpr (takes_members<T>(std::make_index_sequence<Count + 1>{}))
    return count_members<T, Count + 1>();
  else
    return Count;
}

} // namespace detail

template <class T>
inline constexpr std::size_t member_count = detail::count_members<std::remove_cv_t<T>>();

template <class T>
concept plain_struct = std::is_class_v<T> && std::is_aggregate_v<T>;

/// Calls `use` with all members of `value`.
template <class T, class Use>
constexpr decltype(auto) with_members(T& value, Use&& use) {
  constexpr auto count = member_count<T>;
  static_assert(count <= 20, "with_members has to learn structs of more members");
  if constexpr (count == 0) {
    return use();
  } else if constexpr (count == 1) {
    auto& [a] = value;
    return use(a);
  } else if constexpr (count == 2) {
    auto& [a, b] = value;
    return use(a, b);
  } else if constexpr (count == 3) {
    auto& [a, b, c] = value;
    return use(a, b, c);
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = value;
    return use(a, b, c, d);
  } else if constexpr (count == 5) {
    auto& [a, b, c, d, e] = value;
    return use(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto& [a, b, c, d, e, f] = value;
    return use(a, b, c, d, e, f);
  } else if constexpr (count == 7) {
    auto& [a, b, c, d, e, f, g] = value;
    return use(a, b, c, d, e, f, g);
  } else if constexpr (count == 8) {
    auto& [a, b, c, d, e, f, g, h] = value;
    return use(a, b, c, d, e, f, g, h);
  } else if constexpr (count == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = value;
    return use(a, b, c, d, e, f, g, h, i);
  } else if constexpr (count == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = value;
    return use(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (count == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (count == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (count == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (count == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (count == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (count == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  } else if constexpr (count == 17) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
  } else if constexpr (count == 18) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
  } else if constexpr (count == 19) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
  } else if constexpr (count == 20) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = value;
    return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
  }
}

/// Calls `visit(index, member)` for one member after the other; `index` is a std::integral_constant.
template <class T, class Visit>
constexpr void each_member(T& value, const Visit& visit) {
  with_members(value, [&visit](auto&... member) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (visit(std::integral_constant<std::size_t, I>{}, member), ...);
    }
    (std::make_index_sequence<sizeof...(member)>{});
  });
}

/// A list of types as a value.
template <class... T>
struct type_list {};

namespace detail {

struct list_types {
  template <class... T>
  constexpr type_list<std::remove_const_t<T>...> operator()(T&...) const {
    return {};
  }
};

} // namespace detail

/// type_list of the types of T's members.
template <class T>
using member_types = decltype(with_members(std::declval<T&>(), detail::list_types{}));

} // namespace swarm::contracts
