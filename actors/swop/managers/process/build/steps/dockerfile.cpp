#include "actors/swop/managers/process/build/steps/lines.hpp"
#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "actors/swop/managers/process/build/steps/run_commands.hpp"
#include "actors/swop/managers/process/build/steps/words.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace swarm::build {

namespace {

namespace json = boost::json;

constexpr std::string_view engine = "needs a container engine; mgrtype PROCESS can not do it";

constexpr std::size_t variables_bytes_max = 64 * 1024;

/// The words of the form ["a", "b"], if it is that.
std::optional<std::vector<word>> json_words(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  boost::system::error_code problem;
  const auto value = json::parse(text, problem);
  if (problem || !value.is_array()) return std::nullopt;
  std::vector<word> out;
  for (const auto& each : value.get_array()) {
    if (!each.is_string()) return std::nullopt;
    out.push_back({std::string(each.get_string()), false});
  }
  return out;
}

class dockerfile_reader {
public:
  plan run(const std::vector<std::string>& items) {
    for (const auto& each : join_lines(items)) {
      line_ = &each;
      if (auto done = read(); !done) refuse(done.error().message);
    }
    if (!begun_ && out_.refusals.empty())
      out_.refusals.emplace_back("BuildSteps has no FROM; it begins with one, "
                                 "such as 'FROM python'");
    return std::move(out_);
  }

private:
  result<> read() {
    const auto end = std::min(line_->text.find_first_of(" \t"), line_->text.size());
    keyword_ = line_->text.substr(0, end);
    std::ranges::transform(keyword_, keyword_.begin(), [](unsigned char c) { return std::toupper(c); });
    auto rest = trimmed(std::string_view(line_->text).substr(end));
    if (keyword_ == "FROM") return from(rest);
    if (keyword_ == "ARG") return arg(rest);
    if (!begun_) return fail(errc::invalid, "the first instruction has to be FROM");
    if (keyword_ == "RUN") return run_shell(rest);
    if (keyword_ == "COPY" || keyword_ == "ADD") return copy(rest);
    if (keyword_ == "ENV") return env(rest);
    if (keyword_ == "WORKDIR") return workdir(rest);
    if (is_one_of(keyword_, {"USER", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK",
                             "STOPSIGNAL", "MAINTAINER", "VOLUME"})) {
      note("is left out, it makes no difference here");
      return {};
    }
    return fail(errc::unavailable, "{}", engine);
  }

  /// FROM's: which platform makes no difference here.
  static void drop_flags(std::vector<word>& words) {
    while (!words.empty() && words.front().text.starts_with("--"))
      words.erase(words.begin());
  }

  result<> from(std::string_view rest) {
    SWARM_TRY(auto words, split_words(rest, known_, false));
    drop_flags(words);
    const bool named = words.size() == 3 && lower(words[1].text) == "as";
    if (words.size() != 1 && !named) return fail(errc::invalid, "names one image");
    if (begun_) return fail(errc::unavailable, "a second FROM {}", engine);
    begun_ = true;
    std::string_view image = words[0].text;
    for (const std::string_view prefix : {"docker.io/", "library/"})
      if (image.starts_with(prefix)) image.remove_prefix(prefix.size());
    image = image.substr(0, image.find('@'));
    const auto name = image.substr(0, image.find(':'));
    if (name == "scratch") return {};
    if (name != "python")
      return fail(
          errc::unavailable,
          "the image {}; 'FROM python' stands for this host's Python, and what the image holds besides is "
          "installed by pip",
          engine);
    const auto tag = image.substr(std::min(image.size(), name.size() + 1));
    const auto version = tag.substr(0, tag.find_first_not_of("0123456789."));
    out_.python_version =
        version.substr(0, version.find('.', std::min(version.size(), version.find('.') + 1)));
    return {};
  }

  result<> arg(std::string_view rest) {
    SWARM_TRY(const auto words, split_words(rest, known_, false));
    for (const auto& each : words) {
      const auto equals = each.text.find('=');
      if (equals != std::string::npos)
        SWARM_CHECK(know(each.text.substr(0, equals), each.text.substr(equals + 1)));
    }
    return {};
  }

  result<> env(std::string_view rest) {
    SWARM_TRY(const auto words, split_words(rest, known_, false));
    if (words.empty()) return fail(errc::invalid, "names no variable");
    if (words[0].text.find('=') == std::string::npos) { // ENV NAME the rest
      std::string value;
      for (std::size_t i = 1; i < words.size(); ++i)
        value += (i > 1 ? " " : "") + words[i].text;
      return set(words[0].text, value);
    }
    for (const auto& each : words) {
      const auto equals = each.text.find('=');
      if (equals == std::string::npos || equals == 0) return fail(errc::invalid, "has a word without NAME=");
      SWARM_CHECK(set(each.text.substr(0, equals), each.text.substr(equals + 1)));
    }
    return {};
  }

  result<> set(const std::string& name, const std::string& value) {
    if ((name + value).find('\0') != std::string::npos) return fail(errc::invalid, "has a zero byte in it");
    SWARM_CHECK(know(name, value));
    out_.environment[name] = value;
    return {};
  }

  /// Each command gets all variables, so they are bounded together.
  result<> know(const std::string& name, const std::string& value) {
    known_bytes_ += name.size() + value.size();
    if (known_bytes_ > variables_bytes_max)
      return fail(errc::limit, "all variables together are longer than {} bytes", variables_bytes_max);
    known_[name] = value;
    return {};
  }

  result<> workdir(std::string_view rest) {
    SWARM_TRY(const auto words, split_words(rest, known_, false));
    if (words.size() != 1) return fail(errc::invalid, "names one folder");
    out_.folder = image_path(out_.folder, words[0].text);
    add(make_folders_step{{out_.folder}});
    return {};
  }

  result<> copy(std::string_view rest) {
    while (rest.starts_with("--")) {
      if (rest.starts_with("--from")) return fail(errc::unavailable, "--from {}", engine);
      note("options are left out, they make no difference here");
      rest = trimmed(rest.substr(std::min(rest.find_first_of(" \t"), rest.size())));
    }
    auto words = json_words(rest);
    if (!words) {
      SWARM_TRY(words, split_words(rest, known_, false));
    }
    if (words->size() < 2) return fail(errc::invalid, "names files and a target");
    copy_files out;
    const auto target = std::move(words->back().text);
    words->pop_back();
    out.target = image_path(out_.folder, target);
    out.into_folder = target.ends_with('/') || target == "." || target.ends_with("/.") || words->size() > 1;
    for (const auto& each : *words) {
      if (each.text.find("://") != std::string::npos)
        return fail(errc::unavailable,
                    "addresses are not supported here; a MAKE_SWARM_USER_CONTENT task fetches "
                    "files into a build context");
      const auto name = lower(each.text);
      if (keyword_ == "ADD"
          && (name.ends_with(".tar") || name.find(".tar.") != std::string::npos || name.ends_with(".tgz")))
        return fail(errc::unavailable,
                    "ADD does not unpack archives here; use COPY, or the operation EXTRACT");
      if (("/" + each.text + "/").find("/../") != std::string::npos)
        return fail(errc::invalid, "'{}' leaves the build context", shown(each.text));
      out.sources.push_back(image_path("/", each.text).substr(1));
    }
    add(std::move(out));
    return {};
  }

  result<> run_shell(std::string_view rest) {
    if (rest.starts_with("--")) return fail(errc::unavailable, "options {}", engine);
    if (rest.find("<<") != std::string_view::npos)
      return fail(errc::invalid, "here-documents are not supported");
    auto words = json_words(rest);
    if (!words) {
      SWARM_TRY(words, split_words(rest, known_, true));
    }
    SWARM_TRY(auto outcome, read_run(*words, out_.folder, known_));
    for (const auto& each : outcome.notes)
      out_.notes.push_back(fmt::format("line {}: {}", line_->item, each));
    for (auto& each : outcome.actions)
      add(std::move(each));
    return {};
  }

  void add(action what) { out_.steps.push_back({line_->item, shown(line_->text), std::move(what)}); }
  void note(std::string_view why) {
    out_.notes.push_back(fmt::format("line {}: {}: {}", line_->item, keyword_, why));
  }
  void refuse(std::string_view why) {
    out_.refusals.push_back(fmt::format("line {}: {}: {}", line_->item, shown(line_->text), why));
  }

  plan out_;
  variables known_{{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  std::size_t known_bytes_ = 0;
  const logical_line* line_ = nullptr;
  std::string keyword_;
  bool begun_ = false;
};

} // namespace

plan read_dockerfile(const std::vector<std::string>& items) {
  return dockerfile_reader().run(items);
}

} // namespace swarm::build
