#include "config/sources/yaml_tree.hpp"

#include "base/file.hpp"
#include "config/values.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace swarm::config {

namespace {

/// Thrown through yaml-cpp's parser, which can be stopped in no other way, and caught in parse_yaml.
struct refused {
  YAML::Mark mark;
  std::string message;
};

/// Collects parser events. A mapping under construction alternates between a pending key and its value.
class tree_builder : public YAML::EventHandler {
public:
  yaml_node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    place(make(yaml_kind::null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw refused{mark, "aliases (*name) are not supported; write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    // "?" marks a plain scalar; a quoted one ("!") is always text.
    const bool null = tag != "!" && (value == "~" || value == "null" || value == "Null" || value == "NULL");
    auto node = make(null ? yaml_kind::null : yaml_kind::scalar, mark);
    node.text = value;
    place(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(make(yaml_kind::sequence, mark), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(make(yaml_kind::mapping, mark), mark);
  }
  void OnMapEnd() override { close(); }

private:
  struct level {
    yaml_node node;
    std::optional<yaml_node::entry> pending;
  };

  static yaml_node make(yaml_kind kind, const YAML::Mark& mark) {
    yaml_node out;
    out.kind = kind;
    out.line = static_cast<std::size_t>(mark.line) + 1;
    out.column = static_cast<std::size_t>(mark.column) + 1;
    return out;
  }
  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0)
      throw refused{mark, "anchors (&name) are not supported; write the value out where it is used"};
  }
  void open(yaml_node node, const YAML::Mark& mark) {
    if (expects_key()) throw refused{mark, "a mapping's key must be a single word"};
    if (open_.size() >= yaml_depth_max)
      throw refused{mark, fmt::format("nested deeper than {} levels", yaml_depth_max)};
    open_.push_back({std::move(node), std::nullopt});
  }
  void close() {
    auto done = std::move(open_.back().node);
    open_.pop_back();
    place(std::move(done));
  }
  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == yaml_kind::mapping && !open_.back().pending;
  }
  void place(yaml_node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& [parent, pending] = open_.back();
    if (parent.kind == yaml_kind::sequence) {
      parent.items.push_back(std::move(node));
    } else if (!pending) {
      pending = yaml_node::entry{std::move(node.text), node.line, node.column, {}};
    } else {
      pending->value = std::move(node);
      parent.entries.push_back(std::move(*pending));
      pending.reset();
    }
  }

  yaml_node root_;
  std::vector<level> open_;
};

tl::unexpected<error> fail_at(std::string_view name, const YAML::Mark& mark, std::string_view message) {
  return fail(config_errc::profile_file, "{}:{}:{}: {}", name, mark.line + 1, mark.column + 1, message);
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

result<yaml_node> parse_yaml(std::string_view text, std::string_view name) {
  if (text.size() > yaml_bytes_max)
    return fail(config_errc::profile_file, "{}: {} bytes; at most {} are read", name, text.size(),
                yaml_bytes_max);
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    return fail(config_errc::profile_file, "{}: not a text file (byte {} is zero)", name, zero);
  std::istringstream in{std::string(text)};
  tree_builder builder;
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    tree_builder more;
    if (parser.HandleNextDocument(more))
      return fail(config_errc::profile_file, "{}: more than one document; remove the second '---'", name);
  } catch (const refused& problem) {
    return fail_at(name, problem.mark, problem.message);
  } catch (const YAML::Exception& problem) {
    return fail_at(name, problem.mark, fmt::format("not YAML: {}", printable(problem.msg)));
  }
  return builder.take();
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
