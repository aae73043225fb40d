#include "actors/ui/feed/requests.hpp"

#include "contracts/runtime/reset_view.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::size_t depth_max = 4;
constexpr std::uint64_t number_max = std::uint64_t{1} << 53; ///< doubles hold these exactly
constexpr std::string_view training_prefix = "training/";

/// Takes a message's fields one by one; what is left, missing, or of another type is its first error.
class fields {
public:
  explicit fields(const json::object& from) : from_(from) {}

  std::string text(std::string_view key, std::size_t bytes_max = name_bytes_max) {
    auto out = optional_text(key, bytes_max);
    if (!out) wrong("is missing", key);
    return std::move(out).value_or(std::string{});
  }
  std::optional<std::string> optional_text(std::string_view key, std::size_t bytes_max = name_bytes_max) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    const auto* text = value->if_string();
    if (text == nullptr) return wrong("is no text", key), std::nullopt;
    if (text->size() > bytes_max)
      return wrong(fmt::format("has more than {} bytes", bytes_max), key), std::nullopt;
    return std::string(text->data(), text->size());
  }
  std::optional<std::uint64_t> optional_number(std::string_view key, std::uint64_t least = 0,
                                               std::uint64_t most = number_max) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    json::error_code failure;
    const auto number = value->is_number() ? value->to_number<std::uint64_t>(failure) : 0;
    if (!value->is_number() || failure || number < least || number > most)
      return wrong(fmt::format("is no number from {} to {}", least, most), key), std::nullopt;
    return number;
  }
  std::uint64_t number(std::string_view key) {
    const auto out = optional_number(key);
    if (!out) wrong("is missing", key);
    return out.value_or(0);
  }
  std::optional<bool> optional_flag(std::string_view key) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    const auto* flag = value->if_bool();
    if (flag == nullptr) return wrong("is neither true nor false", key), std::nullopt;
    return *flag;
  }
  void wrong(std::string_view what, std::string_view key) {
    if (error_.empty()) error_ = fmt::format("'{}' {}", key, what);
  }
  /// What is wrong, if anything is.
  std::string finish() {
    if (error_.empty() && taken_ != from_.size()) error_ = "there is a field that no such message has";
    return std::move(error_);
  }

private:
  const json::value* take(std::string_view key) {
    const auto* value = from_.if_contains(key);
    if (value != nullptr) ++taken_;
    return value;
  }

  const json::object& from_;
  std::size_t taken_ = 0;
  std::string error_;
};

// Questions

question::rounds read(fields& from, const question::rounds&) {
  return {from.text("contract"), from.optional_number("generation"), from.optional_number("before", 1),
          from.optional_number("count", 1, 200).value_or(50)};
}
question::series read(fields& from, const question::series&) {
  return {from.text("contract"), from.optional_number("generation"),
          from.optional_number("from").value_or(1)};
}
question::runs read(fields&, const question::runs&) {
  return {};
}
question::block read(fields& from, const question::block&) {
  return {from.number("number")};
}
question::blocks read(fields& from, const question::blocks&) {
  return {from.optional_number("before"), from.optional_number("count", 1, 50).value_or(20)};
}
question::transaction read(fields& from, const question::transaction&) {
  return {from.text("hash")};
}
question::task read(fields& from, const question::task&) {
  return {from.text("name")};
}
question::last_lines read(fields& from, const question::last_lines&) {
  return {from.text("taskrunner"), from.text("swop"), from.optional_flag("all").value_or(false)};
}
question::host read(fields& from, const question::host&) {
  return {from.text("swop")};
}
question::version read(fields& from, const question::version&) {
  return {from.text("node")};
}
question::proof read(fields& from, const question::proof&) {
  return {from.text("contract"), from.number("round")};
}
question::model read(fields& from, const question::model&) {
  return {from.text("contract"), from.optional_number("round", 1)};
}
question::anchors read(fields&, const question::anchors&) {
  return {};
}
question::log read(fields& from, const question::log&) {
  return {from.optional_number("after").value_or(0), from.optional_text("node")};
}

// Orders

order::create_contract read(fields& from, const order::create_contract&) {
  return {from.text("contract")};
}
order::reset_contract read(fields& from, const order::reset_contract&) {
  return {from.text("contract"), from.optional_text("note", contracts::reset_note_bytes_max).value_or("")};
}
order::invite read(fields& from, const order::invite&) {
  return {from.text("contract"), from.text("organisation")};
}
order::verify_merges read(fields& from, const order::verify_merges&) {
  using enum contracts::verify_mode;
  order::verify_merges out{from.text("contract"), before};
  const auto when = from.text("when");
  if (when == "behind")
    out.when = behind;
  else if (when == "off")
    out.when = off;
  else if (when != "before")
    from.wrong("is 'before', 'behind' or 'off'", "when");
  return out;
}
order::create_task read(fields& from, const order::create_task&) {
  return {from.text("yaml", text_bytes_max), from.optional_flag("finalize").value_or(true),
          from.optional_flag("dry_run").value_or(false)};
}
order::finalize_task read(fields& from, const order::finalize_task&) {
  return {from.text("task")};
}
order::delete_task read(fields& from, const order::delete_task&) {
  return {from.text("task")};
}
order::create_taskrunner read(fields& from, const order::create_taskrunner&) {
  return {from.text("taskrunner")};
}
order::reset_taskrunner read(fields& from, const order::reset_taskrunner&) {
  return {from.text("taskrunner"), from.optional_text("note", contracts::reset_note_bytes_max).value_or("")};
}
order::assign_task read(fields& from, const order::assign_task&) {
  order::assign_task out{from.text("task"), from.text("taskrunner"),
                         from.optional_flag("all_peers").value_or(false),
                         from.optional_number("peers", 1, 65536), from.optional_text("swop")};
  if (int{out.all_peers} + int{out.peers.has_value()} + int{out.swop.has_value()} != 1)
    from.wrong("is given, or 'peers', or 'swop': one of them", "all_peers");
  return out;
}
order::admit_organisation read(fields& from, const order::admit_organisation&) {
  return {from.text("organisation"), from.text("anchors", text_bytes_max)};
}
order::remove_organisation read(fields& from, const order::remove_organisation&) {
  return {from.text("organisation")};
}
order::replace_ca read(fields& from, const order::replace_ca&) {
  return {from.text("organisation"), from.text("anchors", text_bytes_max)};
}
order::remove_node read(fields& from, const order::remove_node&) {
  return {from.text("node")};
}
order::vote_for read(fields& from, const order::vote_for&) {
  const auto key = fixed_from_hex<32>(from.text("motion"));
  if (!key) from.wrong("is 0x and 64 hexadecimal digits", "motion");
  return {key.value_or(hash32{})};
}

// As the variants have them.
constexpr std::array<std::string_view, std::variant_size_v<any_question>> question_names{
    "rounds",     "series", "runs",  "block",   "blocks", "transaction", "task",
    "last_lines", "proof",  "model", "anchors", "log",    "host",        "version"};
constexpr std::array<std::string_view, std::variant_size_v<any_order>> order_names{
    "create_contract", "reset_contract",     "invite",
    "verify_merges",   "create_task",        "finalize_task",
    "delete_task",     "create_taskrunner",  "reset_taskrunner",
    "assign_task",     "admit_organisation", "remove_organisation",
    "replace_ca",      "remove_node",        "vote_for"};

template <class Variant, std::size_t I = 0>
std::optional<Variant> read_alternative(std::size_t index, fields& from) {
  if constexpr (I < std::variant_size_v<Variant>) {
    if (index == I) return Variant(read(from, std::variant_alternative_t<I, Variant>{}));
    return read_alternative<Variant, I + 1>(index, from);
  } else {
    return std::nullopt;
  }
}

template <class Said, class Variant>
any_message read_named(fields& from, const auto& names) {
  const auto id = from.number("id");
  const auto what = from.text("what");
  const auto at = std::ranges::find(names, what);
  if (at == names.end()) return said::nonsense{id, "there is no such 'what'"};
  auto read = read_alternative<Variant>(static_cast<std::size_t>(at - names.begin()), from);
  if (auto why = from.finish(); !why.empty()) return said::nonsense{id, std::move(why)};
  return Said{id, std::move(*read)};
}

result<any_message> checked(any_message what, fields& from) {
  if (auto why = from.finish(); !why.empty()) return fail(errc::invalid, "{}", why);
  return what;
}

} // namespace

bool is_topic(std::string_view topic) {
  if (const auto contract = training_of(topic)) return !contract->empty();
  return topic == "network" || topic == "trainings" || topic == "tasks" || topic == "taskrunners";
}

std::optional<std::string_view> training_of(std::string_view topic) {
  if (!topic.starts_with(training_prefix)) return std::nullopt;
  return topic.substr(training_prefix.size());
}

result<any_message> read_message(std::string_view text) {
  if (text.size() > message_bytes_max) return fail(errc::limit, "more than {} bytes", message_bytes_max);
  json::parse_options strict;
  strict.max_depth = depth_max;
  json::error_code failure;
  const auto whole = json::parse({text.data(), text.size()}, failure, {}, strict);
  const auto* object = failure ? nullptr : whole.if_object();
  if (object == nullptr) return fail(errc::invalid, "no JSON object");
  fields from(*object);
  const auto type = from.text("type");
  if (type == "ask") return read_named<said::ask, any_question>(from, question_names);
  if (type == "act") return read_named<said::act, any_order>(from, order_names);
  if (type != "watch" && type != "unwatch") return fail(errc::invalid, "there is no such 'type'");
  auto topic = from.text("topic");
  if (!is_topic(topic)) from.wrong("is no topic", "topic");
  if (type == "watch") return checked(said::watch{std::move(topic)}, from);
  return checked(said::unwatch{std::move(topic)}, from);
}

} // namespace swarm::ui
