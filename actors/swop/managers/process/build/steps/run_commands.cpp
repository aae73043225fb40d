#include "actors/swop/managers/process/build/steps/run_commands.hpp"

#include "actors/swop/managers/process/build/steps/lines.hpp"
#include "actors/swop/managers/process/build/steps/pip_words.hpp"

#include <algorithm>
#include <array>

namespace swarm::build {

namespace {

using command = std::vector<std::string>;

/// "pip", "pip3", "pip3.11"; the same for "python".
bool is_program(std::string_view text, std::string_view name) {
  text = text.substr(text.rfind('/') + 1);
  if (!text.starts_with(name)) return false;
  return std::ranges::all_of(text.substr(name.size()),
                             [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

std::string joined(const command& words, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < std::min(count, words.size()); ++i)
    out += (i ? " " : "") + words[i];
  return out;
}

/// Nothing that follows depends on these here.
bool makes_no_difference(const command& words) {
  const auto& name = words.front();
  if (is_one_of(name, {"true", ":", "set", "echo", "rm", "chmod", "chown", "ls", "pwd", "cat", "ldconfig"}))
    return true;
  if (!is_one_of(name, {"apt-get", "apt"}) || words.size() < 2) return false;
  const auto verb =
      std::ranges::find_if(words.begin() + 1, words.end(), [](const auto& w) { return !w.starts_with('-'); });
  if (verb == words.end()) return false;
  if (is_one_of(*verb, {"update", "upgrade", "clean", "autoclean", "autoremove"})) return true;
  // Packages that are what this Python is.
  return *verb == "install" && std::all_of(verb + 1, words.end(), [](const std::string& w) {
    return w.starts_with('-')
           || is_one_of(w, {"python3", "python3-pip", "python3-venv", "python3-setuptools", "python3-wheel",
                            "python-is-python3", "ca-certificates"});
  });
}

class run_reader {
public:
  run_reader(std::string_view folder, const variables& known) : folder_(folder), known_(known) {}

  result<run_outcome> run(const std::vector<word>& words) {
    command one;
    for (const auto& each : words) {
      if (!each.is_operator) {
        one.push_back(each.text);
        continue;
      }
      if (each.text != "&&" && each.text != ";")
        return fail(errc::invalid, "'{}' between commands is not supported, '&&' is", each.text);
      SWARM_CHECK(read(std::move(one)));
      one.clear();
    }
    SWARM_CHECK(read(std::move(one)));
    return std::move(out_);
  }

private:
  result<> read(command words) {
    auto environment = known_;
    if (!words.empty() && words.front() == "export") words.erase(words.begin());
    const bool exported = !words.empty() && take_assignments(words, environment) && words.empty();
    if (exported) known_ = environment;
    if (words.empty()) return {};
    if (words.front() == "sudo") words.erase(words.begin());
    if (words.empty()) return {};
    if (is_program(words.front(), "python") && words.size() > 2 && words[1] == "-m")
      words.erase(words.begin(), words.begin() + 2);
    if (is_program(words.front(), "pip")) return pip(words, std::move(environment));
    if (words.front() == "cd" && words.size() == 2) {
      folder_ = image_path(folder_, words[1]);
      return {};
    }
    if (words.front() == "mkdir") return mkdir(words);
    if (makes_no_difference(words)
        || (is_program(words.front(), "python") && words.size() == 2
            && is_one_of(words[1], {"--version", "-V"}))) {
      out_.notes.push_back(
          fmt::format("'{}' is left out, it makes no difference here", shown(joined(words, 3))));
      return {};
    }
    return fail(errc::unavailable, "'{}' needs a container engine; mgrtype PROCESS can not do it",
                shown(joined(words, 3)));
  }

  /// Takes "NAME=value" words off the front. True if there were some.
  static bool take_assignments(command& words, variables& to) {
    bool found = false;
    while (!words.empty()) {
      const auto& each = words.front();
      const auto equals = each.find('=');
      const bool is_name =
          equals != std::string::npos && equals > 0
          && std::all_of(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(equals),
                         [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
      if (!is_name) break;
      to[each.substr(0, equals)] = each.substr(equals + 1);
      words.erase(words.begin());
      found = true;
    }
    return found;
  }

  result<> pip(const command& words, variables environment) {
    const auto verb = std::ranges::find_if(words.begin() + 1, words.end(),
                                           [](const auto& w) { return !w.starts_with('-'); });
    if (verb == words.end() || is_one_of(*verb, {"list", "freeze", "check", "show", "cache", "config"})) {
      out_.notes.push_back(
          fmt::format("'{}' is left out, it makes no difference here", shown(joined(words, 3))));
      return {};
    }
    if (*verb != "install")
      return fail(errc::unavailable, "'pip {}' is not supported here, 'pip install' is", shown(*verb));
    command rest(words.begin() + 1, verb);
    rest.insert(rest.end(), verb + 1, words.end());
    SWARM_TRY(auto read, read_pip_words(rest, folder_));
    out_.actions.emplace_back(pip_install{std::move(read), folder_, std::move(environment)});
    return {};
  }

  result<> mkdir(const command& words) {
    make_folders_step made;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "-m")
        ++i;
      else if (!words[i].starts_with('-'))
        made.paths.push_back(image_path(folder_, words[i]));
    }
    out_.actions.emplace_back(std::move(made));
    return {};
  }

  std::string folder_;
  variables known_;
  run_outcome out_;
};

} // namespace

result<run_outcome> read_run(const std::vector<word>& words, std::string_view folder,
                             const variables& known) {
  return run_reader(folder, known).run(words);
}

} // namespace swarm::build
