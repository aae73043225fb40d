#pragma once

#include "base/result.hpp"
#include "config/schema/finding.hpp"
#include "config/schema/value.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace swarm::schema {

/// What to do about one broken rule, in words that no general rule has.
struct remedy {
  std::string_view path; ///< with "[]" for any index: "Body.BuildSteps[]"
  std::string_view keyword;
  std::string_view text; ///< "end the line with '\' and go on in the next item"
};

/// A spelling in which people know a key, besides the right one in any case.
struct spelling {
  std::string_view wrong;
  std::string_view right;
};

/// A JSON Schema of draft 2020-12, of the keywords that this project's schemas use. Of these the verdict is that of any
/// other validator; a schema with another keyword is not taken, so that none is passed over in silence.
class json_schema {
public:
  /// Fails with errc::invalid on what is no JSON, an unknown keyword or a reference that leads nowhere.
  static result<json_schema> make(std::string_view text);
  json_schema(json_schema&&) noexcept;
  json_schema& operator=(json_schema&&) noexcept;
  ~json_schema();

  void set_remedies(std::vector<remedy> remedies);
  void set_spellings(std::vector<spelling> spellings);

  /// The rules that the value breaks, at most findings_max of them, in the order of the document.
  findings check(const value& root) const;

  /// Makes right, with a warning each, what is known to stand in people's files: keys in another case or spelling, and
  /// the content of a sole key (`- slnodedef:`) that stands beside it instead of below.
  findings tolerate(value& root) const;

private:
  struct impl;
  explicit json_schema(std::unique_ptr<impl> from);
  std::unique_ptr<impl> impl_;
};

} // namespace swarm::schema
