#include "actors/swop/managers/process/build/steps/words.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace swarm::build {

namespace {

/// Values that contain themselves twice grow fast.
constexpr std::size_t line_bytes_max = 64 * 1024;

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class splitter {
public:
  splitter(std::string_view line, const variables& known, bool operators)
      : rest_(line), known_(known), operators_(operators) {}

  result<std::vector<word>> run();

private:
  bool at_end() const { return rest_.empty(); }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void put(std::string_view text) {
    open_ = true;
    bytes_ += text.size();
    if (bytes_ <= line_bytes_max) current_ += text;
  }
  void end_word() {
    if (open_) out_.push_back({std::exchange(current_, {}), false});
    open_ = false;
  }
  result<> step(char c);
  result<> double_quoted();
  result<std::string> value();
  result<std::string> braced();
  result<> operator_at(char c);
  result<> redirect();

  std::string_view rest_;
  const variables& known_;
  bool operators_;
  std::vector<word> out_;
  std::string current_;
  bool open_ = false;
  std::size_t bytes_ = 0;
};

result<std::vector<word>> splitter::run() {
  while (!at_end()) {
    SWARM_CHECK(step(take()));
    if (bytes_ > line_bytes_max) return fail(errc::limit, "with its variables it is longer than 65536 bytes");
  }
  end_word();
  return std::move(out_);
}

result<> splitter::step(char c) {
  if (is_blank(c)) {
    end_word();
    return {};
  }
  if (c == '\'') {
    const auto end = rest_.find('\'');
    if (end == std::string_view::npos) return fail(errc::invalid, "a quote (') is not closed");
    put(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return {};
  }
  if (c == '"') return double_quoted();
  if (c == '\\') {
    if (at_end()) return {};
    put(rest_.substr(0, 1));
    take();
    return {};
  }
  if (c == '`') return fail(errc::invalid, "commands in backquotes are not supported");
  if (c == '$') {
    SWARM_TRY(const auto found, value());
    // What a variable holds is parted at its blanks, as a shell does.
    for (const char each : found)
      is_blank(each) && operators_ ? end_word() : put({&each, 1});
    return {};
  }
  if (operators_ && std::string_view("&|;<>()").find(c) != std::string_view::npos) return operator_at(c);
  put({&c, 1});
  return {};
}

result<> splitter::double_quoted() {
  open_ = true;
  while (!at_end()) {
    const char c = take();
    if (c == '"') return {};
    if (c == '\\' && !at_end() && std::string_view("\"\\$`").find(rest_.front()) != std::string_view::npos) {
      put(rest_.substr(0, 1));
      take();
    } else if (c == '$') {
      SWARM_TRY(const auto found, value());
      put(found);
    } else if (c == '`') {
      return fail(errc::invalid, "commands in backquotes are not supported");
    } else {
      put({&c, 1});
    }
  }
  return fail(errc::invalid, "a quote (\") is not closed");
}

/// What stands behind a '$'.
result<std::string> splitter::value() {
  if (at_end()) return std::string("$");
  if (rest_.front() == '(') return fail(errc::invalid, "commands in $(...) are not supported");
  if (rest_.front() == '{') {
    take();
    return braced();
  }
  std::size_t length = 0;
  while (length < rest_.size() && is_name(rest_[length]))
    ++length;
  if (length == 0) return std::string("$");
  const auto found = known_.find(rest_.substr(0, length));
  rest_.remove_prefix(length);
  return found == known_.end() ? std::string() : found->second;
}

result<std::string> splitter::braced() {
  const auto end = rest_.find('}');
  if (end == std::string_view::npos) return fail(errc::invalid, "a brace ({{) is not closed");
  const auto inside = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  const auto length = static_cast<std::size_t>(std::ranges::find_if_not(inside, is_name) - inside.begin());
  const auto name = inside.substr(0, length);
  const auto rule = inside.substr(length, 2);
  const auto found = known_.find(name);
  const bool is_set = found != known_.end() && !found->second.empty();
  if (length == 0 || (!rule.empty() && rule != ":-" && rule != ":+"))
    return fail(errc::invalid,
                "of the forms of ${{...}} only NAME, NAME:-default and NAME:+other are supported");
  if (rule.empty()) return is_set ? found->second : std::string();
  const auto other = std::string(inside.substr(length + 2));
  if (rule == ":-") return is_set ? found->second : other;
  return is_set ? other : std::string();
}

result<> splitter::operator_at(char c) {
  if (c == '<' || c == '>') {
    const bool only_digits =
        std::ranges::all_of(current_, [](char each) { return each >= '0' && each <= '9'; });
    if (open_ && !only_digits) { // "numpy>=1.2"
      put({&c, 1});
      return {};
    }
    current_.clear(); // the number of a descriptor
    open_ = false;
    if (c == '<') return fail(errc::invalid, "redirected input is not supported");
    return redirect();
  }
  end_word();
  std::string text(1, c);
  if ((c == '&' || c == '|') && !at_end() && rest_.front() == c) text += take();
  out_.push_back({text, true});
  return {};
}

result<> splitter::redirect() {
  if (!at_end() && rest_.front() == '>') take();
  while (!at_end() && is_blank(rest_.front()))
    take();
  const auto target = rest_.substr(0, rest_.find_first_of(" \t;|)"));
  if (target != "/dev/null" && target != "&1" && target != "&2")
    return fail(errc::invalid, "output can only be redirected to /dev/null");
  rest_.remove_prefix(target.size());
  return {};
}

} // namespace

result<std::vector<word>> split_words(std::string_view line, const variables& known, bool operators) {
  return splitter(line, known, operators).run();
}

} // namespace swarm::build
