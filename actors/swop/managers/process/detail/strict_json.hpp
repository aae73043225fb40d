#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::managers::detail {

/// Reads an object key by key and remembers the first thing that is wrong: a key that is missing, of another type,
/// or that nobody asked for. So a reader can ask for all of them and look once at the end.
class object_reader {
public:
  /// `where` begins messages: "spec.json: limits".
  object_reader(const boost::json::value& from, std::string where);

  std::string text(std::string_view key);
  std::uint64_t number(std::string_view key, std::uint64_t max = UINT64_MAX);
  bool boolean(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  std::optional<std::string> optional_text(std::string_view key);
  std::optional<std::uint64_t> optional_number(std::string_view key, std::uint64_t max = UINT64_MAX);
  /// The value itself, for those that are objects or lists; nullptr when there is none.
  const boost::json::value* take(std::string_view key, bool required = true);

  const std::string& where() const { return where_; }
  void complain(std::string_view key, std::string_view what);
  /// Fails with errc::invalid if anything was wrong.
  result<> finish();

private:
  const boost::json::object* from_ = nullptr;
  std::string where_;
  std::vector<std::string_view> asked_;
  std::string problem_;
};

/// Parses a text that must be one JSON value and no more. Fails with errc::invalid.
result<boost::json::value> parse_json(std::string_view text, std::string_view where);

} // namespace swarm::managers::detail
