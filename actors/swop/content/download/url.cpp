#include "actors/swop/content/download/url.hpp"

#include "actors/swop/content/relative_path.hpp"

#include <curl/curl.h>

#include <memory>

namespace swarm::content {

namespace {

constexpr std::size_t url_bytes_max = 8192;

struct freed {
  void operator()(CURLU* handle) const { ::curl_url_cleanup(handle); }
  void operator()(char* text) const { ::curl_free(text); }
};
using url_handle = std::unique_ptr<CURLU, freed>;

std::string part_of(CURLU* from, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (::curl_url_get(from, part, &text, flags) != CURLUE_OK) return "";
  const std::unique_ptr<char, freed> owned(text);
  return text;
}

/// The first of these variables that is set and not empty.
std::string first_of(const environment& from, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto at = from.find(name); at != from.end() && !at->second.empty()) return at->second;
  return "";
}

url file_url(std::string path) {
  auto visible = shown(path);
  return {.text = {}, .scheme = "file", .host = {}, .path = std::move(path), .shown = std::move(visible)};
}

} // namespace

result<url> read_url(std::string_view text) {
  if (text.size() > url_bytes_max || text.find('\0') != std::string_view::npos)
    return fail(content_errc::bad_url, "the address is too long or has a zero byte in it");
  if (text.starts_with('/')) return file_url(std::string(text));
  const url_handle handle(::curl_url());
  if (!handle) return fail(content_errc::bad_url, "no memory for an address");
  // What cannot be read is not shown either: credentials may be anywhere in it.
  const auto code = ::curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(),
                                   CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK)
    return fail(content_errc::bad_url, "the address cannot be read: {}", ::curl_url_strerror(code));
  url out;
  out.scheme = part_of(handle.get(), CURLUPART_SCHEME);
  if (out.scheme == "file") return file_url(part_of(handle.get(), CURLUPART_PATH, CURLU_URLDECODE));
  if (out.scheme != "http" && out.scheme != "https")
    return fail(content_errc::bad_url,
                "addresses of the kind '{}' are not supported; use http, https or file", shown(out.scheme));
  out.text = part_of(handle.get(), CURLUPART_URL);
  out.host = part_of(handle.get(), CURLUPART_HOST);
  if (const auto port = part_of(handle.get(), CURLUPART_PORT); !port.empty()) out.host += ":" + port;
  out.host = shown(out.host);
  const bool has_query = !part_of(handle.get(), CURLUPART_QUERY).empty();
  out.shown = out.scheme + "://" + out.host + shown(part_of(handle.get(), CURLUPART_PATH))
              + (has_query ? "?..." : "");
  return out;
}

proxy_rules proxy_for(std::string_view scheme, const environment& from) {
  proxy_rules out;
  // HTTP_PROXY in capitals is not read: a web server may set it from a stranger's header.
  out.proxy =
      scheme == "https" ? first_of(from, {"https_proxy", "HTTPS_PROXY"}) : first_of(from, {"http_proxy"});
  if (out.proxy.empty()) out.proxy = first_of(from, {"all_proxy", "ALL_PROXY"});
  out.not_for = first_of(from, {"no_proxy", "NO_PROXY"});
  return out;
}

} // namespace swarm::content
