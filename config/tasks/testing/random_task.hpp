#pragma once

#include "config/tasks/task.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

namespace swarm::tasks::test {

/// Tasks that fit the schema, with texts that are hard for YAML; the same for the same seed.
class task_generator {
public:
  explicit task_generator(std::uint32_t seed) : random_(seed) {}

  task_definition make() {
    task_definition out{text(1, 160), text(1, 160), text(1, 160), text(1, 160), {}};
    switch (below(5)) {
    case 0:
      out.body = make_run();
      break;
    case 1:
      out.body = make_content();
      break;
    case 2:
      out.body = make_build();
      break;
    case 3:
      out.body =
          run_node{"sn-" + std::to_string(below(100)), chance() ? node_state::running : node_state::stopped};
      break;
    default:
      out.body = make_pull();
    }
    return out;
  }

private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool chance() { return below(2) == 0; }

  /// Of at least `least` and at most `most` characters.
  std::string text(std::size_t least, std::size_t most) {
    constexpr std::string_view characters[]{"a",           "B",
                                            "7",           "0",
                                            " ",           "\t",
                                            "\n",          "\\",
                                            "\"",          "'",
                                            "#",           ":",
                                            "-",           "?",
                                            "~",           "[",
                                            "]",           "{",
                                            "}",           ",",
                                            "&",           "*",
                                            "!",           "|",
                                            ">",           "%",
                                            "@",           "`",
                                            "/",           ".",
                                            "_",           "=",
                                            "<",           "$",
                                            "+",           "\xc3\xbc",
                                            "\xc2\x85",    "\xf0\x9f\x98\x80",
                                            "\xe2\x80\xa8"};
    constexpr std::string_view words[]{"null", "True", "no",  "0755", "2.10", ".inf",
                                       "1:30", "---",  "...", "<<",   "~"};
    if (below(8) == 0)
      if (const auto word = words[below(std::size(words))]; word.size() >= least) return std::string(word);
    std::string out;
    for (auto count = least + below(chance() ? most - least + 1 : 4); count > 0; --count)
      out += characters[below(std::size(characters))];
    return out;
  }

  std::optional<std::string> maybe(std::size_t least) {
    return chance() ? std::optional(text(least, 160)) : std::nullopt;
  }

  std::string name() {
    auto out = text(1, 160);
    std::replace(out.begin(), out.end(), '=', '-');
    return out == "<<" ? "x" : out;
  }

  run_swarm make_run() {
    run_swarm out{text(1, 160), text(1, 160), text(2, 160), {}, maybe(2), {}};
    for (auto count = below(5); count > 0; --count)
      out.variables.push_back(
          {name(), chance() ? std::optional(text(0, chance() ? 2000 : 10)) : std::nullopt});
    for (auto count = below(11); count > 0; --count)
      out.shared_content.push_back(
          {text(2, 160), text(2, 160), chance() ? mount_type::bind : mount_type::volume});
    return out;
  }

  make_swarm_user_content make_content() {
    make_swarm_user_content out{chance() ? content_type::build : content_type::swarm, {}};
    for (auto count = 1 + below(20); count > 0; --count)
      out.operations.push_back(
          {chance() ? operation_kind::download : operation_kind::extract, text(1, 160), maybe(1),
           chance() ? std::optional(std::string(64, "0123456789abcdef"[below(16)])) : std::nullopt});
    return out;
  }

  make_user_container make_build() {
    make_user_container out{maybe(3), static_cast<build_type>(below(3)), {}};
    for (auto count = 1 + below(80); count > 0; --count)
      out.steps.push_back(text(0, 160));
    return out;
  }

  pull_image make_pull() {
    pull_image out{text(1, 160), text(1, 160), text(1, 160), {}};
    if (chance()) out.auth = text(1, 160);
    if (chance()) out.auth = registry_login{text(1, 160), chance() ? "HUB_PASSWORD" : "P"};
    return out;
  }

  std::mt19937 random_;
};

inline task_definition random_task(std::uint32_t seed) {
  return task_generator(seed).make();
}

} // namespace swarm::tasks::test
