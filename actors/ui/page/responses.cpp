#include "actors/ui/page/responses.hpp"

#include "actors/ui/page/model_files.hpp"

namespace swarm::ui {

using transport::http_response;

namespace {

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http_response guarded(http_response answer, std::string_view caching) {
  const std::pair<std::string_view, std::string_view> all[] = {
      {"Content-Security-Policy", policy},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cache-Control", caching}};
  for (const auto& [name, value] : all)
    answer.headers.emplace_back(name, value);
  return answer;
}

std::string cookie_text(std::string_view name, std::string_view value, std::uint64_t life_seconds) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; Secure; SameSite=Strict", name, value,
                     life_seconds);
}

} // namespace

http_response text_answer(unsigned status, std::string_view text) {
  return guarded(transport::text_response(status, std::string(text) + "\n", "text/plain; charset=utf-8"),
                 "no-store");
}

http_response refusal_response(const refused_request& why) {
  return text_answer(why.status, why.why);
}

http_response file_response(const page_file& file) {
  http_response out;
  out.headers = {{"Content-Type", std::string(file.content_type)}, {"Content-Encoding", "gzip"}};
  out.slice = transport::shared_slice{nullptr, file.gzipped};
  return guarded(std::move(out), file.is_for_ever ? "public, max-age=31536000, immutable" : "no-cache");
}

http_response model_response(const transport::http_request& request, const std::filesystem::path& folder,
                             const hash32& digest) {
  const auto file = folder / model_file_name(digest);
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  if (failure)
    return text_answer(404, "this model is not here any more: fetch it again from its training's screen");
  auto out = transport::range_response(request, size, [&](transport::byte_range of) {
    return decltype(http_response::slice){transport::file_slice{file, of.offset, of.length}};
  });
  out.headers.emplace_back("Content-Disposition", "attachment");
  return guarded(std::move(out), "no-store");
}

http_response login_response(std::string_view cookie_name, std::string_view cookie,
                             std::uint64_t life_seconds) {
  // Not a redirection: a browser that came from elsewhere would not send the new cookie along with it.
  auto out = transport::text_response(200,
                                      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta "
                                      "http-equiv=\"refresh\" content=\"0;url=/\">"
                                      "<title>swarmd</title><a href=\"/\">You are logged in</a></html>\n",
                                      "text/html; charset=utf-8");
  out.headers.emplace_back("Set-Cookie", cookie_text(cookie_name, cookie, life_seconds));
  return guarded(std::move(out), "no-store");
}

http_response logout_response(std::string_view cookie_name) {
  auto out = text_answer(200, "logged out");
  out.headers.emplace_back("Set-Cookie", cookie_text(cookie_name, "", 0));
  return out;
}

std::string_view token_of(std::string_view target) {
  constexpr std::string_view prefix = "/login?token=";
  return target.starts_with(prefix) ? target.substr(prefix.size()) : std::string_view{};
}

} // namespace swarm::ui
