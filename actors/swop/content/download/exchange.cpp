#include "actors/swop/content/download/exchange.hpp"

#include "actors/swop/content/relative_path.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <mutex>

namespace swarm::content {

namespace {

using clock = std::chrono::steady_clock;

/// What is read of a body that nobody wants, of a redirect or an error, before the connection is given up.
constexpr std::size_t unwanted_bytes_max = 64 * 1024;

/// So much before its time, by another clock, libcurl may end a transfer.
constexpr auto timer_error = std::chrono::milliseconds(10);

struct easy_freed {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
struct multi_freed {
  void operator()(CURLM* handle) const { ::curl_multi_cleanup(handle); }
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// The first byte of "bytes 100-199/200".
std::optional<std::uint64_t> first_byte(std::string_view range) {
  if (!range.starts_with("bytes ")) return std::nullopt;
  range.remove_prefix(6);
  std::uint64_t out = 0;
  const auto [end, problem] = std::from_chars(range.data(), range.data() + range.size(), out);
  if (problem != std::errc{} || end == range.data() + range.size() || *end != '-') return std::nullopt;
  return out;
}

/// One transfer: libcurl's handles and what its callbacks have seen.
class transfer {
public:
  transfer(const exchange& what, const std::stop_token& stop) : what_(what), stop_(stop) {}
  result<exchange_outcome> run();

private:
  void set_up();
  void set_up_trust();
  template <class Value>
  void set(CURLoption option, Value value) {
    if (::curl_easy_setopt(easy_.get(), option, value) != CURLE_OK) unsupported_ = true;
  }
  std::size_t on_header(std::string_view line);
  std::size_t on_data(bytes_view data);
  result<> begin_body();
  result<CURLcode> wait();
  result<exchange_outcome> outcome();
  tl::unexpected<error> explain(CURLcode code) const;

  const exchange& what_;
  const std::stop_token& stop_;
  std::unique_ptr<CURL, easy_freed> easy_;
  std::unique_ptr<CURLM, multi_freed> multi_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  bool unsupported_ = false;
  answer_head head_;
  std::string etag_, modified_;
  bool begun_ = false;
  bool enough_ = false; ///< of a body that nobody wants
  std::size_t unwanted_bytes_ = 0;
  std::optional<error> refused_; ///< by those who take the body
};

void transfer::set_up() {
  const auto& limits = *what_.limits;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(what_.deadline - clock::now()).count();
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L); // a name server that does not answer holds up nobody
  set(CURLOPT_ERRORBUFFER, detail_.data());
  set(CURLOPT_URL, what_.where->text.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_USERAGENT, "swarmd");
  set(CURLOPT_PROXY, what_.proxy.proxy.c_str()); // empty: none, and none from the process's environment
  set(CURLOPT_NOPROXY, what_.proxy.not_for.c_str());
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_time_max.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.speed_min));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.slow_time_max.count()));
  // libcurl ignores a length that is no 63-bit number unless there is a limit.
  set(CURLOPT_MAXFILESIZE_LARGE,
      static_cast<curl_off_t>(std::min<std::uint64_t>(limits.bytes_max, INT64_MAX)));
  if (what_.from > 0) set(CURLOPT_RANGE, (std::to_string(what_.from) + "-").c_str());
  set_up_trust();
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t, std::size_t count, void* self) {
        return static_cast<transfer*>(self)->on_header({data, count});
      });
  set(CURLOPT_WRITEDATA, this);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t, std::size_t count, void* self) {
        return static_cast<transfer*>(self)->on_data(as_bytes({data, count}));
      });
}

void transfer::set_up_trust() {
  const auto value = [&](std::string_view name) -> const char* {
    const auto at = what_.variables->find(name);
    return at == what_.variables->end() || at->second.empty() ? nullptr : at->second.c_str();
  };
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const auto* file = value("CURL_CA_BUNDLE");
  if (!file) file = value("SSL_CERT_FILE");
  if (file) {
    set(CURLOPT_CAINFO, file);
    set(CURLOPT_PROXY_CAINFO, file);
  }
  if (const auto* folder = value("SSL_CERT_DIR")) {
    set(CURLOPT_CAPATH, folder);
    set(CURLOPT_PROXY_CAPATH, folder);
  }
}

std::size_t transfer::on_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    head_ = {};
    etag_.clear();
    modified_.clear();
    return line.size();
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_name(name, "ETag") && !value.starts_with("W/")) etag_ = value;
  if (same_name(name, "Last-Modified")) modified_ = value;
  if (same_name(name, "Content-Range")) head_.first = first_byte(value);
  return line.size();
}

result<> transfer::begin_body() {
  begun_ = true;
  ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &head_.status);
  curl_off_t length = -1;
  ::curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length >= 0) head_.bytes = static_cast<std::uint64_t>(length);
  head_.version = etag_.empty() ? modified_ : etag_;
  if (head_.status != 200 && head_.status != 206) return {};
  return what_.on_head(head_);
}

std::size_t transfer::on_data(bytes_view data) {
  auto done = begun_ ? result<>{} : begin_body();
  const bool wanted = head_.status == 200 || head_.status == 206;
  if (done && wanted) done = what_.on_body(data);
  if (done && !wanted) {
    unwanted_bytes_ += data.size();
    enough_ = unwanted_bytes_ > unwanted_bytes_max;
    return enough_ ? 0 : data.size();
  }
  if (done) return data.size();
  refused_ = std::move(done).error();
  return 0;
}

/// Until the transfer has ended, by whatever cause.
result<CURLcode> transfer::wait() {
  const std::stop_callback wake(stop_, [this] { ::curl_multi_wakeup(multi_.get()); });
  for (int running = 1; running > 0;) {
    if (stop_.stop_requested()) return fail(content_errc::stopped, "stopped");
    if (::curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running > 0) ::curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
  }
  int left = 0;
  while (const auto* each = ::curl_multi_info_read(multi_.get(), &left))
    if (each->msg == CURLMSG_DONE) return each->data.result;
  return CURLE_FAILED_INIT;
}

result<exchange_outcome> transfer::run() {
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
  easy_.reset(::curl_easy_init());
  multi_.reset(::curl_multi_init());
  if (!easy_ || !multi_) return fail(content_errc::unreachable, "libcurl has no memory");
  set_up();
  std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers(nullptr, &::curl_slist_free_all);
  if (what_.from > 0 && !what_.of_version.empty()) {
    headers.reset(::curl_slist_append(nullptr, ("If-Range: " + what_.of_version).c_str()));
    set(CURLOPT_HTTPHEADER, headers.get());
  }
  if (unsupported_) return fail(content_errc::unreachable, "libcurl refuses an option; is it an old one?");
  ::curl_multi_add_handle(multi_.get(), easy_.get());
  auto ended = wait();
  ::curl_multi_remove_handle(multi_.get(), easy_.get());
  if (!ended) return tl::unexpected(std::move(ended).error());
  if (refused_) return tl::unexpected(*refused_);
  if (*ended != CURLE_OK && !enough_) {
    if (what_.on_trouble) what_.on_trouble(static_cast<std::uint64_t>(*ended));
    return explain(*ended);
  }
  return outcome();
}

result<exchange_outcome> transfer::outcome() {
  if (!begun_) SWARM_CHECK(begin_body());
  exchange_outcome out{head_, {}};
  const char* redirect = nullptr;
  ::curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &redirect);
  if (redirect) out.redirect = redirect;
  return out;
}

tl::unexpected<error> transfer::explain(CURLcode code) const {
  const auto& host = what_.where->host;
  const std::string_view reason = ::curl_easy_strerror(code);
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: {
    if (clock::now() + timer_error >= what_.deadline)
      return fail(content_errc::out_of_time, "not finished in time");
    curl_off_t connected = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (connected == 0) return fail(content_errc::unreachable, "{} does not answer", host);
    return fail(content_errc::too_slow, "{} sends fewer than {} bytes a second", host,
                what_.limits->speed_min);
  }
  case CURLE_COULDNT_RESOLVE_HOST:
    return fail(content_errc::unreachable,
                "the name {} is not known; check it, and whether a proxy is needed", host);
  case CURLE_COULDNT_RESOLVE_PROXY:
    return fail(content_errc::unreachable, "the proxy's name is not known; check the variable {}_proxy",
                what_.where->scheme);
  case CURLE_COULDNT_CONNECT:
    return fail(content_errc::unreachable, "{} can not be reached; check the address, firewall and proxy",
                host);
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return fail(content_errc::cut, "{} ended the connection too early", host);
  case CURLE_FILESIZE_EXCEEDED:
    return fail(content_errc::too_large, "has more than the {} bytes that are allowed",
                what_.limits->bytes_max);
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CACERT_BADFILE:
    return fail(content_errc::untrusted, "{} is not trusted: {}; SSL_CERT_FILE may name another authority",
                host, shown(detail_[0] ? std::string_view(detail_.data()) : reason));
  default:
    return fail(content_errc::refused, "{}: {}", host, reason);
  }
}

} // namespace

result<exchange_outcome> carry_out(const exchange& what, const std::stop_token& stop) {
  return transfer(what, stop).run();
}

} // namespace swarm::content
