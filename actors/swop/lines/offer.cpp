#include "actors/swop/lines/offer.hpp"

#include "base/file.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

namespace swarm::swop {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t proc_bytes_max = 64 * 1024;
constexpr std::uint64_t number_max = std::uint64_t{1} << 53; ///< doubles, and so browsers, hold these exactly

/// What follows `name` on its line, without spaces around it.
std::string_view value_in(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t") - first + 1);
  }
  return {};
}

/// Of a line of /proc/meminfo, which is in kB.
std::uint64_t bytes_in(std::string_view text, std::string_view name) {
  const auto value = value_in(text, name);
  std::uint64_t kilobytes = 0;
  std::from_chars(value.data(), value.data() + value.size(), kilobytes);
  return std::min(kilobytes, number_max / 1024) * 1024;
}

std::vector<std::string> gpus_of(const fs::path& proc) {
  std::vector<std::string> out;
  std::error_code failure;
  for (auto each = fs::directory_iterator(proc / "driver/nvidia/gpus", failure);
       !failure && each != fs::directory_iterator() && out.size() < offer_gpus_max; each.increment(failure)) {
    const auto text = read_file(each->path() / "information", proc_bytes_max).value_or("");
    const auto model = value_in(text, "Model:").substr(0, offer_text_bytes_max);
    out.emplace_back(is_utf8(model) && !model.empty() ? model : "unknown");
  }
  std::ranges::sort(out);
  return out;
}

result<std::uint64_t> number_in(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  json::error_code failure;
  const auto number = value && value->is_number() ? value->to_number<std::uint64_t>(failure) : 0;
  if (!value || !value->is_number() || failure) return fail(errc::invalid, "'{}' is no number", key);
  if (number > number_max) return fail(errc::limit, "'{}' is more than {}", key, number_max);
  return number;
}

result<std::string> text_of(const json::value* from) {
  const auto* text = from ? from->if_string() : nullptr;
  if (!text) return fail(errc::invalid, "a text is missing");
  if (text->size() > offer_text_bytes_max) return fail(errc::limit, "a text of {} bytes", text->size());
  return std::string(text->data(), text->size());
}

} // namespace

host_offer read_offer(const fs::path& data, std::string engine, const fs::path& proc) {
  host_offer out;
  out.cores = std::thread::hardware_concurrency();
  const auto memory = read_file(proc / "meminfo", proc_bytes_max).value_or("");
  out.memory_bytes = bytes_in(memory, "MemTotal:");
  out.memory_free_bytes = bytes_in(memory, "MemAvailable:");
  std::error_code failure;
  if (const auto disk = fs::space(data, failure); !failure) {
    out.disk_bytes = std::min<std::uint64_t>(disk.capacity, number_max);
    out.disk_free_bytes = std::min<std::uint64_t>(disk.available, number_max);
  }
  out.gpus = gpus_of(proc);
  out.engine = std::move(engine);
  return out;
}

std::string encode_offer(const host_offer& from) {
  json::array sns;
  for (const auto& each : from.sns)
    sns.push_back(json::object{
        {"name", each.name}, {"runs", each.runs}, {"since_ms", each.since_ms}, {"ended", each.ended}});
  return json::serialize(json::object{{"cores", from.cores},
                                      {"memory_bytes", from.memory_bytes},
                                      {"memory_free_bytes", from.memory_free_bytes},
                                      {"disk_bytes", from.disk_bytes},
                                      {"disk_free_bytes", from.disk_free_bytes},
                                      {"gpus", json::array(from.gpus.begin(), from.gpus.end())},
                                      {"engine", from.engine},
                                      {"version", from.version},
                                      {"sns", std::move(sns)}});
}

namespace {

result<offered_sn> sn_of(const json::value& from) {
  const auto* object = from.if_object();
  const auto* runs = object ? object->if_contains("runs") : nullptr;
  if (!runs || !runs->is_bool()) return fail(errc::invalid, "an SN that neither runs nor does not");
  offered_sn out{.runs = runs->get_bool()};
  SWARM_TRY(out.name, text_of(object->if_contains("name")));
  SWARM_TRY(out.since_ms, number_in(*object, "since_ms"));
  SWARM_TRY(out.ended, text_of(object->if_contains("ended")));
  return out;
}

} // namespace

result<host_offer> decode_offer(std::string_view text) {
  if (text.size() > offer_body_bytes_max)
    return fail(errc::limit, "more than {} bytes", offer_body_bytes_max);
  json::parse_options strict;
  strict.max_depth = 4;
  json::error_code failure;
  const auto whole = json::parse({text.data(), text.size()}, failure, {}, strict);
  const auto* object = failure ? nullptr : whole.if_object();
  if (!object) return fail(errc::invalid, "no JSON object");
  host_offer out;
  SWARM_TRY(out.cores, number_in(*object, "cores"));
  SWARM_TRY(out.memory_bytes, number_in(*object, "memory_bytes"));
  SWARM_TRY(out.memory_free_bytes, number_in(*object, "memory_free_bytes"));
  SWARM_TRY(out.disk_bytes, number_in(*object, "disk_bytes"));
  SWARM_TRY(out.disk_free_bytes, number_in(*object, "disk_free_bytes"));
  SWARM_TRY(out.engine, text_of(object->if_contains("engine")));
  if (const auto* version = object->if_contains("version")) {
    SWARM_TRY(out.version, text_of(version));
  }
  if (const auto* sns = object->if_contains("sns")) { // an earlier SWOP says nothing of any
    if (!sns->is_array()) return fail(errc::invalid, "'sns' is no list");
    if (sns->get_array().size() > offer_sns_max) return fail(errc::limit, "{} SNs", sns->get_array().size());
    for (const auto& each : sns->get_array()) {
      SWARM_TRY(auto one, sn_of(each));
      out.sns.push_back(std::move(one));
    }
  }
  const auto* member = object->if_contains("gpus");
  const auto* gpus = member ? member->if_array() : nullptr;
  if (!gpus) return fail(errc::invalid, "no GPUs");
  if (gpus->size() > offer_gpus_max) return fail(errc::limit, "{} GPUs", gpus->size());
  for (const auto& each : *gpus) {
    SWARM_TRY(auto model, text_of(&each));
    out.gpus.push_back(std::move(model));
  }
  return out;
}

} // namespace swarm::swop
