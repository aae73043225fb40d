#include "config/sources/yaml_tree.hpp"

#include "base/file.hpp"
#include "config/values.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace swarm::config {

namespace {

/// Thrown through yaml-cpp's parser, which can be stopped in no other way, and caught in parse_yaml.
struct refused {
  YAML::Mark mark;
  std::string message;
};

/// What a node and all below it come to.
struct extent {
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t depth = 1;
};

extent extent_of(const yaml_node& node) {
  extent out{.bytes = node.text.size()};
  std::size_t below = 0;
  const auto add = [&](const yaml_node& child) {
    const auto more = extent_of(child);
    out.nodes += more.nodes;
    out.bytes += more.bytes;
    below = std::max(below, more.depth);
  };
  for (const auto& item : node.items)
    add(item);
  for (const auto& entry : node.entries) {
    out.bytes += entry.key.size();
    add(entry.value);
  }
  out.depth += below;
  return out;
}

/// Collects parser events. A mapping under construction alternates between a pending key and its value.
class tree_builder : public YAML::EventHandler {
public:
  explicit tree_builder(yaml_aliases aliases) : aliases_(aliases) {}

  yaml_node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    place(make(yaml_kind::null, mark, "?"), mark, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (aliases_ == yaml_aliases::refused)
      throw refused{mark, "aliases (*name) are not supported; write the value out"};
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) throw refused{mark, "this alias stands inside of what it stands for"};
    const auto more = extent_of(found->second);
    if (open_.size() + more.depth > yaml_depth_max)
      throw refused{mark, fmt::format("nested deeper than {} levels", yaml_depth_max)};
    count(mark, more.nodes, more.bytes);
    place(found->second, mark, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_anchor(mark, anchor);
    // "?" marks a plain scalar; a quoted one ("!") is always text.
    const bool null = tag != "!" && (value == "~" || value == "null" || value == "Null" || value == "NULL");
    auto node = make(null ? yaml_kind::null : yaml_kind::scalar, mark, tag);
    node.text = value;
    place(std::move(node), mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_anchor(mark, anchor);
    open(make(yaml_kind::sequence, mark, tag), mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_anchor(mark, anchor);
    open(make(yaml_kind::mapping, mark, tag), mark, anchor);
  }
  void OnMapEnd() override { close(); }

private:
  struct level {
    yaml_node node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::optional<yaml_node::entry> pending;
  };

  static yaml_node make(yaml_kind kind, const YAML::Mark& mark, const std::string& tag) {
    yaml_node out;
    out.kind = kind;
    out.tag = tag;
    out.line = static_cast<std::size_t>(mark.line) + 1;
    out.column = static_cast<std::size_t>(mark.column) + 1;
    return out;
  }
  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0 && aliases_ == yaml_aliases::refused)
      throw refused{mark, "anchors (&name) are not supported; write the value out where it is used"};
  }
  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (aliases_ == yaml_aliases::replaced && (nodes_ > yaml_nodes_max || bytes_ > yaml_expanded_bytes_max))
      throw refused{
          mark, fmt::format("the document comes to more than {} values or {} bytes with its aliases (*name)",
                            yaml_nodes_max, yaml_expanded_bytes_max)};
  }
  void open(yaml_node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (expects_key()) throw refused{mark, "a mapping's key must be a single word"};
    if (open_.size() >= yaml_depth_max)
      throw refused{mark, fmt::format("nested deeper than {} levels", yaml_depth_max)};
    open_.push_back({std::move(node), mark, anchor, std::nullopt});
  }
  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    place(std::move(done.node), done.mark, done.anchor);
  }
  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == yaml_kind::mapping && !open_.back().pending;
  }
  void place(yaml_node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(mark, 1, node.text.size());
    if (anchor != 0) anchored_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& [parent, parent_mark, parent_anchor, pending] = open_.back();
    if (parent.kind == yaml_kind::sequence) {
      parent.items.push_back(std::move(node));
    } else if (!pending) {
      if (node.kind == yaml_kind::sequence || node.kind == yaml_kind::mapping)
        throw refused{mark, "a mapping's key must be a single word"};
      pending = yaml_node::entry{std::move(node.text), node.line, node.column, {}};
    } else {
      pending->value = std::move(node);
      parent.entries.push_back(std::move(*pending));
      pending.reset();
    }
  }

  yaml_aliases aliases_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  yaml_node root_;
  std::vector<level> open_;
  std::map<YAML::anchor_t, yaml_node> anchored_; ///< by number; the parser resolves names
};

yaml_problem at(const YAML::Mark& mark, std::string text) {
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1,
          std::move(text)};
}

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.rbegin(), entries.rend(), [&](const entry& e) { return e.key == key; });
  return found == entries.rend() ? nullptr : &found->value;
}

std::string_view yaml_node::kind_name() const {
  switch (kind) {
  case yaml_kind::null:
    return "nothing";
  case yaml_kind::scalar:
    return "a single value";
  case yaml_kind::sequence:
    return "a list";
  case yaml_kind::mapping:
    return "a mapping";
  }
  return "";
}

tl::expected<yaml_node, yaml_problem> read_yaml(std::string_view text, yaml_aliases aliases) {
  const auto wrong = [](yaml_problem problem) { return tl::unexpected(std::move(problem)); };
  if (text.size() > yaml_bytes_max)
    return wrong({.text = fmt::format("{} bytes; at most {} are read", text.size(), yaml_bytes_max)});
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    return wrong({.text = fmt::format("not a text file (byte {} is zero)", zero)});
  std::istringstream in{std::string(text)};
  tree_builder builder(aliases);
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    tree_builder more(aliases);
    if (parser.HandleNextDocument(more))
      return wrong({.text = "more than one document; remove the second '---'"});
  } catch (const refused& problem) {
    return wrong(at(problem.mark, problem.message));
  } catch (const YAML::Exception& problem) {
    return wrong(at(problem.mark, fmt::format("not YAML: {}", printable(problem.msg))));
  }
  return builder.take();
}

result<yaml_node> parse_yaml(std::string_view text, std::string_view name) {
  auto tree = read_yaml(text, yaml_aliases::refused);
  if (tree) return std::move(*tree);
  const auto& problem = tree.error();
  const auto place =
      problem.line == 0 ? std::string(name) : fmt::format("{}:{}:{}", name, problem.line, problem.column);
  return fail(config_errc::profile_file, "{}: {}", place, problem.text);
}

result<std::string> read_yaml_file(const std::filesystem::path& file) {
  auto wrong = [&](std::string_view why) {
    return fail(config_errc::profile_file, "{}: cannot be read: {}", printable(file.native()), why);
  };
  auto text = read_file(file, yaml_bytes_max, open_as::stream); // a profile may come from a pipe
  if (text) return text;
  const auto& problem = text.error();
  if (problem.is(file_errc::wrong_kind)) return wrong("it is a folder");
  if (problem.is(file_errc::not_found)) return wrong("No such file or directory");
  if (problem.is(file_errc::denied)) return wrong("Permission denied");
  if (problem.is(file_errc::too_large))
    return wrong(fmt::format("it has more than {} bytes", yaml_bytes_max));
  return wrong("an error while reading");
}

} // namespace swarm::config
