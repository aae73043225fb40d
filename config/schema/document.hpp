#pragma once

#include "config/schema/finding.hpp"
#include "config/schema/value.hpp"

#include <tl/expected.hpp>

namespace swarm::schema {

/// A YAML document as typed values. What YAML lets pass and people do not mean is tolerated with a warning: a key that is
/// given twice (the last one counts), words and numbers that mean something else in YAML 1.1 (`yes`, 0755, 1.10), a
/// placeholder such as <CURRENT-PATH> that nobody replaced.
struct document {
  value root;
  findings warnings;
};

/// Reads text of at most config::yaml_bytes_max bytes in UTF-8. Aliases and merge keys (`<<`) are replaced, within bounds.
/// Refused are tags other than YAML's own for these types, control characters, and what config::read_yaml refuses.
/// Paths in what is told begin with `path`.
tl::expected<document, finding> read_document(std::string_view text, std::string_view path = "");

} // namespace swarm::schema
