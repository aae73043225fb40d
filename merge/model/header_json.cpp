#include "merge/model/header_json.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <unordered_set>

namespace swarm::merge {

namespace {

constexpr std::string_view metadata_key = "__metadata__";

/// Reads the text from front to back; every read either advances or fails with the position.
class json_cursor {
public:
  explicit json_cursor(std::string_view text) : text_(text) {}

  template <class... Args>
  tl::unexpected<error> broken(fmt::format_string<Args...> what, Args&&... args) const {
    return fail(merge_errc::bad_header, "model header, byte {}: {}", at_,
                fmt::format(what, std::forward<Args>(args)...));
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool at_end() const { return at_ == text_.size(); }

  /// Takes `wanted` after white space, if it is next.
  bool take(char wanted) {
    skip_space();
    if (at_end() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  result<> expect(char wanted) {
    if (take(wanted)) return {};
    if (at_end()) return broken("'{}' expected, but the text ends", wanted);
    return broken("'{}' expected", wanted);
  }

  result<std::string> string() {
    SWARM_CHECK(expect('"'));
    std::string out;
    while (true) {
      if (at_end()) return broken("text without closing quote");
      const char c = text_[at_++];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) return broken("control character in a text");
      if (c != '\\') {
        out += c;
      } else {
        SWARM_CHECK(escape(out));
      }
    }
    if (!is_utf8(out)) return broken("text is not UTF-8");
    return out;
  }

  result<std::uint64_t> number() {
    skip_space();
    const auto start = at_;
    std::uint64_t value = 0;
    while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') {
      const auto digit = static_cast<std::uint64_t>(text_[at_++] - '0');
      if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return broken("number too large");
      value = value * 10 + digit;
    }
    if (at_ == start) return broken("whole number expected");
    if (text_[start] == '0' && at_ > start + 1) return broken("number with leading zero");
    return value;
  }

  /// [a, b, ...] of at most `count_max` numbers.
  result<std::vector<std::uint64_t>> numbers(std::size_t count_max) {
    SWARM_CHECK(expect('['));
    std::vector<std::uint64_t> out;
    if (take(']')) return out;
    do {
      if (out.size() == count_max) return broken("more than {} numbers in a list", count_max);
      SWARM_TRY(auto value, number());
      out.push_back(value);
    } while (take(','));
    SWARM_CHECK(expect(']'));
    return out;
  }

private:
  result<std::uint32_t> hex4() {
    if (text_.size() - at_ < 4) return broken("\\u needs four hexadecimal digits");
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      if (c >= '0' && c <= '9')
        value = value * 16 + static_cast<std::uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        value = value * 16 + static_cast<std::uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        value = value * 16 + static_cast<std::uint32_t>(c - 'A' + 10);
      else
        return broken("\\u needs four hexadecimal digits");
    }
    return value;
  }

  static void put_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | point >> 6);
      put(0x80 | (point & 63));
    } else if (point < 0x10000) {
      put(0xe0 | point >> 12);
      put(0x80 | (point >> 6 & 63));
      put(0x80 | (point & 63));
    } else {
      put(0xf0 | point >> 18);
      put(0x80 | (point >> 12 & 63));
      put(0x80 | (point >> 6 & 63));
      put(0x80 | (point & 63));
    }
  }

  /// Reads what follows a backslash.
  result<> escape(std::string& out) {
    static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    if (at_end()) return broken("text without closing quote");
    const char c = text_[at_++];
    if (const auto found = from.find(c); found != std::string_view::npos) {
      out += to[found];
      return {};
    }
    if (c != 'u') return broken("unknown escape");
    SWARM_TRY(auto point, hex4());
    if (point >= 0xd800 && point < 0xdc00) {
      if (text_.substr(at_, 2) != "\\u") return broken("half of a surrogate pair");
      at_ += 2;
      SWARM_TRY(const auto low, hex4());
      if (low < 0xdc00 || low >= 0xe000) return broken("half of a surrogate pair");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xdc00 && point < 0xe000) {
      return broken("half of a surrogate pair");
    }
    put_utf8(out, point);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

result<> skip_metadata(json_cursor& in) {
  SWARM_CHECK(in.expect('{'));
  if (in.take('}')) return {};
  do {
    SWARM_CHECK(in.string());
    SWARM_CHECK(in.expect(':'));
    SWARM_CHECK(in.string());
  } while (in.take(','));
  return in.expect('}');
}

/// Reads the value of one key of the header: {"dtype":...,"shape":...,"data_offsets":...}.
result<tensor_info> read_tensor(json_cursor& in, std::string name) {
  tensor_info out;
  out.name = std::move(name);
  bool has_dtype = false, has_shape = false, has_offsets = false;
  SWARM_CHECK(in.expect('{'));
  do {
    SWARM_TRY(const auto key, in.string());
    SWARM_CHECK(in.expect(':'));
    bool* seen = key == "dtype"          ? &has_dtype
                 : key == "shape"        ? &has_shape
                 : key == "data_offsets" ? &has_offsets
                                         : nullptr;
    if (seen == nullptr)
      return in.broken("tensor {} has an unknown field {}", quote_name(out.name), quote_name(key));
    if (*seen) return in.broken("tensor {} has {} twice", quote_name(out.name), key);
    *seen = true;
    if (key == "dtype") {
      SWARM_TRY(const auto text, in.string());
      const auto type = parse_dtype(text);
      if (!type)
        return in.broken("tensor {} has the unsupported dtype {}", quote_name(out.name), quote_name(text));
      out.type = *type;
    } else if (key == "shape") {
      SWARM_TRY(out.shape, in.numbers(tensor_dims_max));
    } else {
      SWARM_TRY(const auto offsets, in.numbers(2));
      if (offsets.size() != 2 || offsets[1] < offsets[0])
        return in.broken("tensor {} has bad data_offsets", quote_name(out.name));
      out.offset = offsets[0];
      out.size = offsets[1] - offsets[0];
    }
  } while (in.take(','));
  SWARM_CHECK(in.expect('}'));
  if (!has_dtype || !has_shape || !has_offsets)
    return in.broken("tensor {} lacks {}", quote_name(out.name),
                     !has_dtype   ? "dtype"
                     : !has_shape ? "shape"
                                  : "data_offsets");
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view plain = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
  out += '"';
  for (const char c : text) {
    if (const auto found = plain.find(c); found != std::string_view::npos) {
      out += '\\';
      out += letters[found];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

} // namespace

result<std::vector<tensor_info>> read_header_json(std::string_view text) {
  json_cursor in(text);
  if (!text.starts_with('{')) return in.broken("'{{' expected; this is not a safetensors file");
  SWARM_CHECK(in.expect('{'));
  std::vector<tensor_info> out;
  std::unordered_set<std::string> names;
  if (!in.take('}')) {
    do {
      SWARM_TRY(auto name, in.string());
      SWARM_CHECK(in.expect(':'));
      if (!names.insert(name).second) return in.broken("{} appears twice", quote_name(name));
      if (name == metadata_key) {
        SWARM_CHECK(skip_metadata(in));
        continue;
      }
      if (name.empty() || name.size() > tensor_name_max)
        return in.broken("a tensor name has {} bytes; 1 to {} are allowed", name.size(), tensor_name_max);
      if (out.size() == tensor_count_max) return in.broken("more than {} tensors", tensor_count_max);
      SWARM_TRY(auto tensor, read_tensor(in, std::move(name)));
      out.push_back(std::move(tensor));
    } while (in.take(','));
    SWARM_CHECK(in.expect('}'));
  }
  in.skip_space();
  if (!in.at_end()) return in.broken("text after the end of the header");
  return out;
}

std::string write_header_json(const std::vector<tensor_info>& tensors) {
  std::string out = "{";
  for (const auto& tensor : tensors) {
    if (out.size() > 1) out += ',';
    append_json_string(out, tensor.name);
    out += fmt::format(R"(:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", name_of(tensor.type),
                       fmt::join(tensor.shape, ","), tensor.offset, tensor.offset + tensor.size);
  }
  out += '}';
  return out;
}

std::string quote_name(std::string_view name) {
  constexpr std::size_t shown_max = 80;
  std::string out = "'";
  for (const char c : name.substr(0, shown_max))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  while (!is_utf8(out))
    out.pop_back(); // a character cut in half
  return out + (name.size() > shown_max ? "...'" : "'");
}

} // namespace swarm::merge
