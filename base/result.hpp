#pragma once

#include <fmt/format.h>
#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace swarm {

/// A failure as a value. `category` names the layer's enumeration, `code` the rule that was broken;
/// `message` says what was wrong, where, and what to do about it, in one line, ready for a person.
struct [[nodiscard]] error {
  std::string_view category;
  int code = 0;
  std::string message;

  /// True when this error carries `value` of the layer enumeration `Enum`.
  template <class Enum>
  bool is(Enum value) const {
    return category == error_category(value) && code == static_cast<int>(value);
  }
};

/// Codes for failures that belong to no single layer. Layers add enumerations of their own with an
/// `error_category(Enum)` function beside them.
enum class errc {
  invalid = 1,
  not_found,
  conflict,
  unavailable,
  denied,
  limit,
  corrupt,
  io,
  timeout,
  cancelled,
  internal
};

constexpr std::string_view error_category(errc) {
  return "base";
}

/// The one result type of the project: a value or an `error`.
template <class T = void>
using result = tl::expected<T, error>;

/// The text of an error, unchanged. A build with SWARM_SCRAMBLE_TEXTS takes out its letters and digits, which
/// proves that whoever reacts to an error reads its code.
inline std::string error_text(std::string text) {
#ifdef SWARM_SCRAMBLE_TEXTS
  for (auto& each : text)
    if ((each >= '0' && each <= '9') || (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z'))
      each = '?';
#endif
  return text;
}

/// An error whose text is ready.
template <class Enum>
error make_error(Enum code, std::string text) {
  return {error_category(code), static_cast<int>(code), error_text(std::move(text))};
}

/// Makes the failing result: `return fail(errc::io, "{}: cannot open: {}", path, reason);`
template <class Enum, class... Args>
tl::unexpected<error> fail(Enum code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<error>(make_error(code, fmt::format(text, std::forward<Args>(args)...)));
}

/// Passes an error on, with the caller's context in front: "context: message".
inline tl::unexpected<error> fail_with(error inner, std::string_view context) {
  inner.message = error_text(fmt::format("{}: {}", context, inner.message));
  return tl::unexpected<error>(std::move(inner));
}

} // namespace swarm

#define SWARM_CONCAT_(a, b) a##b
#define SWARM_CONCAT(a, b) SWARM_CONCAT_(a, b)

/// `SWARM_TRY(auto x, f());` unwraps or returns the error; `SWARM_CHECK(f());` for results without a value.
#define SWARM_TRY(decl, expr)                                                                                \
  auto&& SWARM_CONCAT(try_, __LINE__) = (expr);                                                              \
  if (!SWARM_CONCAT(try_, __LINE__)) return tl::unexpected(std::move(SWARM_CONCAT(try_, __LINE__)).error()); \
  decl = std::move(*SWARM_CONCAT(try_, __LINE__))
#define SWARM_CHECK(expr)                                                                                    \
  do {                                                                                                       \
    if (auto check_result_ = (expr); !check_result_)                                                         \
      return tl::unexpected(std::move(check_result_).error());                                               \
  } while (false)
