#include "actors/swci/language/render/render.hpp"

#include "actors/swci/language/render/page.hpp"
#include "base/utf8.hpp"
#include "base/writing_direction.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace swarm::swci {

namespace {

namespace json = boost::json;

/// "2026-11-28 12:30:47" in UTC; years beyond the calendar's are cut off.
std::string date_of(moment when, std::string_view between) {
  using namespace std::chrono;
  constexpr std::uint64_t last = 253'402'300'799; // 9999-12-31 23:59:59
  const sys_seconds time{seconds(std::min(when.unix_seconds, last))};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), between,
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

struct to_text {
  std::string operator()(const absent& none) const { return none.shown; }
  std::string operator()(bool what) const { return what ? "yes" : "no"; }
  std::string operator()(std::uint64_t number) const { return fmt::to_string(number); }
  std::string operator()(double number) const {
    return std::isnan(number) ? "-" : fmt::format("{:.6g}", number);
  }
  std::string operator()(const std::string& text) const { return one_line(text); }
  std::string operator()(moment when) const {
    return when.unix_seconds == 0 ? "-" : date_of(when, " ") + " UTC";
  }
};

struct to_json {
  json::value operator()(const absent&) const { return nullptr; }
  json::value operator()(bool what) const { return what; }
  json::value operator()(std::uint64_t number) const { return number; }
  json::value operator()(double number) const {
    if (std::isfinite(number)) return number;
    return nullptr;
  }
  json::value operator()(const std::string& text) const { return json::string(one_line(text)); }
  json::value operator()(moment when) const {
    if (when.unix_seconds == 0) return nullptr;
    return json::string(date_of(when, "T") + "Z");
  }
};

std::string text_of_value(const value& from) {
  return std::visit(to_text{}, from);
}

/// Characters that a terminal shows, taken as one column each.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void pad(std::string& text, std::size_t width, std::size_t shown) {
  text.append(width > shown ? width - shown : 0, ' ');
}

/// Cells of a row are parted by two blanks, or by a comma and at least one.
std::string row_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                   bool separated) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    out += cells[i];
    if (separated && !last) out += ',';
    if (!last) pad(out, widths[i], width_of(cells[i]));
    if (!last) out += separated ? " " : "  ";
  }
  out.resize(out.find_last_not_of(' ') + 1); // an empty last cell
  return out;
}

/// Cells that are parted by commas have none.
std::string cell_of(const value& from, bool separated) {
  auto out = text_of_value(from);
  if (separated) std::replace(out.begin(), out.end(), ',', ';');
  return out;
}

class text_printer {
public:
  explicit text_printer(bool for_program) : for_program_(for_program) {}

  void operator()(const fields& block) {
    std::size_t widest = 0;
    for (const auto& [label, what] : block.all)
      widest = std::max(widest, label.size());
    for (const auto& [label, what] : block.all)
      out_.push_back(fmt::format("{:{}} : {}", label, widest, text_of_value(what)));
  }
  void operator()(const table& block) {
    if (block.rows.empty() && !block.separated) return;
    std::vector<std::vector<std::string>> all{block.columns};
    for (const auto& row : block.rows) {
      all.emplace_back();
      for (const auto& each : row)
        all.back().push_back(cell_of(each, block.separated));
    }
    std::vector<std::size_t> widths(block.columns.size());
    for (const auto& row : all)
      for (std::size_t i = 0; i < row.size() && !(for_program_ && block.separated); ++i)
        widths[i] = std::max(widths[i], width_of(row[i]));
    for (const auto& row : all)
      out_.push_back(row_of(row, widths, block.separated));
  }
  void operator()(const lines& block) {
    for (std::size_t i = 0; i < block.all.size(); ++i) {
      const auto line = one_line(block.all[i]);
      out_.push_back(block.numbered ? fmt::format("{:04}: {}", i, line) : line);
    }
  }
  void operator()(const remark& block) { out_.push_back(one_line(block.text)); }
  void operator()(const hidden&) {}

  std::vector<std::string> take() { return std::move(out_); }

private:
  bool for_program_;
  std::vector<std::string> out_;
};

/// "TASK_STATE" is "task_state", and "NodeType" is "node_type".
std::string key_of(std::string_view label) {
  std::string out;
  char before = 0;
  for (const char c : label) {
    const bool large = c >= 'A' && c <= 'Z';
    if (large && before >= 'a' && before <= 'z') out += '_';
    out += large ? static_cast<char>(c - 'A' + 'a') : c == ' ' || c == '-' ? '_' : c;
    before = c;
  }
  return one_line(out);
}

struct json_printer {
  json::object out;

  void operator()(const fields& block) {
    for (const auto& [label, what] : block.all)
      out[key_of(label)] = std::visit(to_json{}, what);
  }
  void operator()(const table& block) {
    json::array rows;
    for (const auto& row : block.rows) {
      json::object cells;
      for (std::size_t i = 0; i < row.size(); ++i)
        cells[key_of(block.columns[i])] = std::visit(to_json{}, row[i]);
      rows.push_back(std::move(cells));
    }
    out[key_of(block.key)] = std::move(rows);
  }
  void operator()(const lines& block) {
    json::array all;
    for (const auto& each : block.all)
      all.push_back(json::string(one_line(each)));
    out[key_of(block.key)] = std::move(all);
  }
  void operator()(const remark&) {}
  void operator()(const hidden& block) { std::visit(*this, block.what); }
};

} // namespace

std::string one_line(std::string_view text) {
  std::string out(text);
  const bool readable = is_utf8(text);
  unsigned char before = 0;
  for (auto& each : out) {
    const auto c = static_cast<unsigned char>(each);
    if (c == '\t')
      each = ' ';
    else if (c < 0x20 || c == 0x7f || (!readable && c >= 0x80))
      each = '?';
    if (readable && before == 0xc2 && c < 0xa0) each = '\xbf'; // the control characters of ISO 8859
    before = c;
  }
  if (readable) hide_turns(out);
  return out;
}

std::vector<std::string> text_of(const answer& from, bool for_program) {
  text_printer printer(for_program);
  for (const auto& each : page_of(from).parts)
    std::visit([&](const auto& block) { printer(block); }, each);
  return printer.take();
}

std::string shown_text(const answer& from) {
  std::string out;
  for (const auto& each : text_of(from))
    out += each.empty() ? "\n" : std::string(indent) + each + '\n';
  return out;
}

bool is_at_prompt(const answer& from) {
  return page_of(from).at_prompt;
}

std::string json_of(const answer& from) {
  const auto what = page_of(from);
  json_printer printer;
  printer.out["answer"] = what.kind;
  for (const auto& each : what.parts)
    std::visit([&](const auto& block) { printer(block); }, each);
  return json::serialize(printer.out);
}

std::string error_text_of(std::string_view message) {
  return "ERROR : " + one_line(message);
}

std::string error_json_of(std::string_view message) {
  return json::serialize(json::object{{"error", one_line(message)}});
}

} // namespace swarm::swci
