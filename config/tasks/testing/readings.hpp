#pragma once

#include "base/testing/wording.hpp"
#include "config/tasks/reading.hpp"

#include <doctest/doctest.h>

namespace swarm::tasks::test {

/// What a reader of files says of texts.
template <class T>
class readings {
public:
  using function = reading<T>(std::string_view text, std::string_view name);
  /// `name`: how the files are called in messages.
  readings(function& read, std::string name) : read_(read), name_(std::move(name)) {}

  T accepted(const std::string& text) const {
    auto read = read_(text, name_);
    REQUIRE_MESSAGE(read.value, schema::told(read.errors, name_));
    return std::move(*read.value);
  }
  /// Why a text is refused, line by line.
  std::string refusal(const std::string& text) const {
    const auto read = read_(text, name_);
    if (read.value) return "accepted";
    const auto told = schema::told(read.errors, name_);
    CHECK(swarm::testing::wording(read.value.error()) == told);
    return told;
  }
  std::string warnings(const std::string& text) const {
    return schema::told(read_(text, name_).warnings, name_);
  }

private:
  function& read_;
  std::string name_;
};

} // namespace swarm::tasks::test
