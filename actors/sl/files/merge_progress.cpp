#include "actors/sl/files/merge_progress.hpp"

#include <boost/json.hpp>

#include <limits>

namespace swarm::actors {

namespace {

namespace json = boost::json;

/// A whole number of at most `largest`; text, fractions and negative numbers are refused.
result<std::uint64_t> whole_number(const json::object& from, std::string_view name, std::uint64_t largest) {
  const auto* member = from.if_contains(name);
  if (!member) return fail(errc::invalid, "its progress lacks {}", name);
  std::uint64_t value = 0;
  if (const auto* number = member->if_int64(); number && *number >= 0)
    value = static_cast<std::uint64_t>(*number);
  else if (const auto* large = member->if_uint64())
    value = *large;
  else
    return fail(errc::invalid, "{} of its progress is not a whole number", name);
  if (value > largest) return fail(errc::invalid, "{} of its progress is above {}", name, largest);
  return value;
}

} // namespace

std::string encode(const merge_progress& progress) {
  return json::serialize(json::object{
      {"round_num", progress.round_num}, {"term", progress.term}, {"progress", progress.progress}});
}

result<merge_progress> decode_merge_progress(std::string_view text) {
  if (text.size() > merge_progress_bytes_max)
    return fail(errc::limit, "its progress has more than {} bytes", merge_progress_bytes_max);
  json::parse_options strict;
  strict.max_depth = 4;
  json::error_code failure;
  const auto parsed = json::parse({text.data(), text.size()}, failure, {}, strict);
  const auto* object = failure ? nullptr : parsed.if_object();
  if (!object) return fail(errc::invalid, "its progress is not a JSON object");
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  constexpr auto any_term = std::numeric_limits<std::uint32_t>::max();
  merge_progress out;
  SWARM_TRY(out.round_num, whole_number(*object, "round_num", any));
  SWARM_TRY(const auto term, whole_number(*object, "term", any_term));
  SWARM_TRY(out.progress, whole_number(*object, "progress", any));
  out.term = static_cast<std::uint32_t>(term);
  return out;
}

void ask_merge_progress(transport::http_client& client, std::string host, std::uint16_t port,
                        transport::http_headers headers, std::function<void(result<merge_progress>)> done) {
  auto body = std::make_shared<std::string>();
  client.fetch(
      std::move(host), port, std::string(merge_progress_target), std::nullopt,
      [body](bytes_view piece) -> result<> {
        if (piece.size() > merge_progress_bytes_max - body->size())
          return fail(errc::limit, "its progress has more than {} bytes", merge_progress_bytes_max);
        body->append(as_text(piece));
        return {};
      },
      [body, done = std::move(done)](result<transport::fetch_result> outcome) {
        if (!outcome) return done(tl::unexpected(std::move(outcome).error()));
        done(decode_merge_progress(*body));
      },
      std::move(headers));
}

} // namespace swarm::actors
