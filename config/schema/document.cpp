#include "config/schema/document.hpp"

#include "config/sources/yaml_tree.hpp"
#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace swarm::schema {

namespace {

using config::yaml_kind;
using config::yaml_node;

constexpr std::string_view tag_prefix = "tag:yaml.org,2002:";

/// Thrown within this file alone: what is wrong is deep in the tree, and nothing after it is read.
struct refused {
  finding what;
};

[[noreturn]] void refuse(std::size_t line, std::string path, std::string text) {
  throw refused{{line, std::move(path), "yaml", std::move(text)}};
}

/// Where the first byte stands that is no part of UTF-8 (RFC 3629).
std::optional<std::size_t> first_not_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned from = 0x80, unsigned to = 0xbf) {
    return i < text.size() && byte(i) >= from && byte(i) <= to;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = byte(i);
    std::size_t length = 0;
    if (lead < 0x80) {
      length = 1;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
      length = follows(i + 1) ? 2 : 0;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      const bool second = follows(i + 1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf);
      length = second && follows(i + 2) ? 3 : 0;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      const bool second = follows(i + 1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
      length = second && follows(i + 2) && follows(i + 3) ? 4 : 0;
    }
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

/// "<CURRENT-PATH>": what examples have where a person is to put something of his own.
std::string_view placeholder_in(std::string_view text) {
  const auto begin = text.find('<');
  if (begin == std::string_view::npos) return {};
  const auto end = text.find('>', begin);
  if (end == std::string_view::npos || end - begin < 3) return {};
  const auto word = text.substr(begin + 1, end - begin - 1);
  const bool fits = std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return fits && word[0] >= 'A' && word[0] <= 'Z' ? text.substr(begin, end - begin + 1) : std::string_view();
}

/// Whether a tab stands where a line is indented.
bool is_indented_by_tab(std::string_view text, std::size_t line) {
  for (; line > 1; --line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const auto blanks = text.substr(0, text.find_first_not_of(" \t"));
  return blanks.find('\t') != std::string_view::npos;
}

bool is_yes_or_no(std::string_view text) {
  constexpr std::string_view letters = "tTrRuUeEfFaAlLsS"; // of true and false
  return text.find_first_not_of(letters) != std::string_view::npos;
}

/// Turns nodes into values; holds what every step needs to say where it is.
class reader {
public:
  value read(const yaml_node& node, const std::string& path) {
    value out;
    switch (node.kind) {
    case yaml_kind::null:
    case yaml_kind::scalar:
      out = read_scalar(node, path);
      break;
    case yaml_kind::sequence:
      check_tag(node, "seq", path);
      out.type = value_type::list;
      for (const auto& item : node.items)
        out.items.push_back(read(item, path_of(path, out.items.size())));
      break;
    case yaml_kind::mapping:
      check_tag(node, "map", path);
      out.type = value_type::mapping;
      read_members(node, path, out);
      break;
    }
    out.line = node.line;
    out.column = node.column;
    return out;
  }

  findings take_warnings() { return std::move(warnings_); }

private:
  void warn(std::size_t line, const std::string& path, std::string text) {
    if (warnings_.size() < findings_max) warnings_.push_back({line, path, "", std::move(text)});
  }

  static void check_tag(const yaml_node& node, std::string_view own, const std::string& path) {
    if (node.tag.empty() || node.tag == "?" || node.tag == "!"
        || node.tag == fmt::format("{}{}", tag_prefix, own))
      return;
    refuse(node.line, path,
           fmt::format("the tag '{}' is not known here; remove it", config::printable(node.tag)));
  }

  static void check_text(const yaml_node& node, std::string_view text, const std::string& path) {
    const auto bad = std::find_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    });
    if (bad != text.end())
      refuse(node.line, path,
             fmt::format("there is a control character (code {}); only tabs and line ends may be in a text",
                         static_cast<int>(*bad)));
  }

  value read_scalar(const yaml_node& node, const std::string& path) {
    check_text(node, node.text, path);
    if (const auto hole = placeholder_in(node.text); !hole.empty())
      warn(node.line, path, fmt::format("'{}' looks like a placeholder; put in what it stands for", hole));
    if (node.tag == "!" || node.tag == fmt::format("{}str", tag_prefix)) return make_text(node.text);
    auto out = plain_scalar(node.text);
    if (node.tag == "?" || node.tag.empty()) {
      warn_of_meaning(node, out, path);
      return out;
    }
    if (!fits_tag(out, node.tag)) check_tag(node, "", path);
    return out;
  }

  static bool fits_tag(const value& read, std::string_view tag) {
    if (!tag.starts_with(tag_prefix)) return false;
    tag.remove_prefix(tag_prefix.size());
    switch (read.type) {
    case value_type::null:
      return tag == "null";
    case value_type::boolean:
      return tag == "bool";
    case value_type::integer:
      return tag == "int";
    default:
      return tag == "float" && read.is(value_type::number);
    }
  }

  void warn_of_meaning(const yaml_node& node, const value& read, const std::string& path) {
    const bool number = read.is(value_type::integer) || read.is(value_type::number);
    const bool yes_or_no = read.is(value_type::boolean) && is_yes_or_no(node.text);
    if (yes_or_no || (number && read.text != node.text))
      warn(node.line, path,
           fmt::format("{0} without quotes means {1} in YAML; write '{0}' in quotes if the text is meant",
                       node.text, read.text));
  }

  /// Where each key of a mapping stands in its members.
  using key_index = std::map<std::string, std::size_t, std::less<>>;

  void read_members(const yaml_node& node, const std::string& path, value& out) {
    const yaml_node* merged = nullptr;
    key_index known;
    for (const auto& entry : node.entries) {
      check_text(node, entry.key, path);
      if (entry.key == "<<") {
        merged = &entry.value;
        continue;
      }
      auto content = read(entry.value, path_of(path, entry.key));
      const auto [at, is_new] = known.emplace(entry.key, out.members.size());
      if (is_new) {
        out.members.push_back({entry.key, entry.line, std::move(content), entry.column});
        continue;
      }
      auto& first = out.members[at->second];
      warn(entry.line, path_of(path, entry.key),
           fmt::format("given again (first in line {}); the last one counts", first.line));
      first = {entry.key, entry.line, std::move(content), entry.column};
    }
    if (merged) merge(*merged, path, out, known);
  }

  /// `<<: *defaults`, or a list of such: members that the mapping does not have itself.
  void merge(const yaml_node& from, const std::string& path, value& out, key_index& known) {
    if (from.kind == yaml_kind::sequence) {
      for (const auto& each : from.items)
        merge_one(each, path, out, known);
      return;
    }
    merge_one(from, path, out, known);
  }

  void merge_one(const yaml_node& from, const std::string& path, value& out, key_index& known) {
    if (from.kind != yaml_kind::mapping)
      refuse(from.line, path, "'<<' takes in mappings only; write '<<: *NAME' of a mapping");
    for (auto& member : read(from, path).members)
      if (known.emplace(member.key, out.members.size()).second) out.members.push_back(std::move(member));
  }

  findings warnings_;
};

} // namespace

tl::expected<document, finding> read_document(std::string_view text, std::string_view path) {
  if (const auto bad = first_not_utf8(text)) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*bad), '\n');
    return tl::unexpected(finding{static_cast<std::size_t>(line), std::string(path), "yaml",
                                  fmt::format("byte {} is not UTF-8; save the file as UTF-8", *bad)});
  }
  auto tree = config::read_yaml(text, config::yaml_aliases::replaced);
  if (!tree) {
    finding out{tree.error().line, std::string(path), "yaml", std::move(tree.error().text),
                tree.error().column};
    if (is_indented_by_tab(text, out.line)) out.text += "; indent with blanks, a tab does not do";
    return tl::unexpected(std::move(out));
  }
  try {
    reader reading;
    document out;
    out.root = reading.read(*tree, std::string(path));
    out.warnings = reading.take_warnings();
    return out;
  } catch (const refused& problem) {
    return tl::unexpected(problem.what);
  }
}

} // namespace swarm::schema
