#include "actors/swop/managers/process/build/steps/pip_words.hpp"

#include "actors/swop/managers/process/build/steps/lines.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace swarm::build {

namespace {

using kind = pip_option_kind;

constexpr std::array options = std::to_array<std::pair<std::string_view, kind>>({
    {"-U", kind::flag},
    {"--upgrade", kind::flag},
    {"--pre", kind::flag},
    {"--no-deps", kind::flag},
    {"--no-cache-dir", kind::flag},
    {"--no-index", kind::flag},
    {"--force-reinstall", kind::flag},
    {"-I", kind::flag},
    {"--ignore-installed", kind::flag},
    {"--no-build-isolation", kind::flag},
    {"--prefer-binary", kind::flag},
    {"--compile", kind::flag},
    {"--no-compile", kind::flag},
    {"--use-pep517", kind::flag},
    {"--require-hashes", kind::flag},
    {"--no-color", kind::flag},
    {"-q", kind::flag},
    {"-qq", kind::flag},
    {"-qqq", kind::flag},
    {"--quiet", kind::flag},
    {"-v", kind::flag},
    {"-vv", kind::flag},
    {"-vvv", kind::flag},
    {"--verbose", kind::flag},
    {"-i", kind::value},
    {"--index-url", kind::value},
    {"--extra-index-url", kind::value},
    {"--trusted-host", kind::value},
    {"--timeout", kind::value},
    {"--default-timeout", kind::value},
    {"--retries", kind::value},
    {"--no-binary", kind::value},
    {"--only-binary", kind::value},
    {"--upgrade-strategy", kind::value},
    {"--use-feature", kind::value},
    {"--use-deprecated", kind::value},
    {"--config-settings", kind::value},
    {"-r", kind::path},
    {"--requirement", kind::path},
    {"-c", kind::path},
    {"--constraint", kind::path},
    {"-e", kind::path},
    {"--editable", kind::path},
    {"-f", kind::path},
    {"--find-links", kind::path},
    {"--cert", kind::path},
    // What makes no difference in an environment of its own.
    {"--user", kind::dropped_flag},
    {"--break-system-packages", kind::dropped_flag},
    {"--disable-pip-version-check", kind::dropped_flag},
    {"--no-input", kind::dropped_flag},
    {"--no-warn-script-location", kind::dropped_flag},
    {"-y", kind::dropped_flag},
    {"--yes", kind::dropped_flag},
    {"--progress-bar", kind::dropped_value},
    {"--root-user-action", kind::dropped_value},
    {"--cache-dir", kind::dropped_value},
});

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

tl::unexpected<error> host_file() {
  return fail(errc::denied,
              "addresses of files of the host are not allowed; COPY the file from the build context");
}

result<pip_word> file_or_address(std::string_view text, std::string_view folder) {
  if (has(lower(text), "file:")) return host_file();
  if (has(text, "://")) return pip_word{{}, std::string(text)};
  const auto extras = text.find('[');
  return pip_word{image_path(folder, text.substr(0, extras)),
                  extras == std::string_view::npos ? std::string() : std::string(text.substr(extras))};
}

class reader {
public:
  reader(const std::vector<std::string>& words, std::string_view folder) : words_(words), folder_(folder) {}

  result<std::vector<pip_word>> run() {
    while (at_ < words_.size())
      SWARM_CHECK(read(words_[at_++]));
    if (!asks_) return fail(errc::invalid, "pip is not told what to install");
    return std::move(out_);
  }

private:
  result<> read(const std::string& word) {
    if (!word.starts_with('-')) {
      asks_ = true;
      if (has(lower(word), "file:")) return host_file();
      if (!names_file(word)) return put({{}, word});
      SWARM_TRY(auto made, file_or_address(word, folder_));
      return put(std::move(made));
    }
    return read_option(word);
  }

  result<> read_option(std::string_view word) {
    auto name = word.substr(0, word.starts_with("--") ? word.find('=') : word.size());
    auto what = pip_option(name);
    std::string value;
    bool has_value = name.size() < word.size();
    if (has_value) value = word.substr(name.size() + 1);
    if (what == kind::unknown && !word.starts_with("--") && pip_option(word.substr(0, 2)) == kind::path) {
      name = word.substr(0, 2); // "-rrequirements.txt"
      value = word.substr(2);
      what = kind::path;
      has_value = true;
    }
    if (what == kind::unknown)
      return fail(errc::invalid, "the option {} of pip is not supported here", shown(name));
    if (what == kind::dropped_flag) return {};
    if (what == kind::flag) return put({{}, std::string(name)});
    if (!has_value) {
      if (at_ == words_.size())
        return fail(errc::invalid, "the option {} of pip lacks its value", shown(name));
      value = words_[at_++];
    }
    if (what == kind::dropped_value) return {};
    SWARM_CHECK(put({{}, std::string(name)}));
    if (what == kind::value) return put({{}, std::move(value)});
    asks_ = asks_ || name == "-r" || name == "--requirement" || name == "-e" || name == "--editable";
    SWARM_TRY(auto made, file_or_address(value, folder_));
    return put(std::move(made));
  }

  result<> put(pip_word word) {
    out_.push_back(std::move(word));
    return {};
  }

  const std::vector<std::string>& words_;
  std::string_view folder_;
  std::size_t at_ = 0;
  bool asks_ = false;
  std::vector<pip_word> out_;
};

} // namespace

pip_option_kind pip_option(std::string_view name) {
  const auto* found = std::ranges::find(options, name, &std::pair<std::string_view, kind>::first);
  return found == options.end() ? kind::unknown : found->second;
}

bool names_file(std::string_view word) {
  if (has(word, "://") || has(word, "@")) return false;
  const auto name = word.substr(0, word.find('['));
  if (name.starts_with('.') || has(name, "/")) return true;
  return std::ranges::any_of(std::to_array<std::string_view>({".whl", ".tar.gz", ".tgz", ".zip"}),
                             [&](std::string_view end) { return name.ends_with(end); });
}

result<std::vector<pip_word>> read_pip_words(const std::vector<std::string>& words, std::string_view folder) {
  return reader(words, folder).run();
}

} // namespace swarm::build
