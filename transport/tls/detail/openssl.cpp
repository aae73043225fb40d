#include "transport/tls/detail/openssl.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace swarm::transport {

namespace {

constexpr std::size_t name_length_max = 256;

std::string drain(BIO* bio) {
  char* data = nullptr;
  auto length = BIO_get_mem_data(bio, &data);
  std::string out(data, length > 0 ? static_cast<std::size_t>(length) : 0);
  if (out.size() > name_length_max) out = out.substr(0, name_length_max) + "...";
  return out;
}

std::string printable(const ASN1_STRING* text) {
  bio_ptr bio(BIO_new(BIO_s_mem()));
  ASN1_STRING_print_ex(bio.get(), text, ASN1_STRFLGS_RFC2253);
  return drain(bio.get());
}

} // namespace

std::string ip_text(const ASN1_OCTET_STRING* raw) {
  char text[INET6_ADDRSTRLEN] = "?";
  auto length = ASN1_STRING_length(raw);
  if (length == 4 || length == 16)
    inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(raw), text, sizeof text);
  return text;
}

std::uint64_t seconds_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (!ASN1_TIME_to_tm(time, &broken_down)) return 0;
  return static_cast<std::uint64_t>(timegm(&broken_down));
}

std::string name_text(const X509_NAME* name) {
  bio_ptr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);
  auto out = drain(bio.get());
  return out.empty() ? "(no subject)" : out;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (!ASN1_TIME_to_tm(time, &broken_down)) return "(unreadable time)";
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &broken_down)};
}

std::string alt_names_text(const X509* certificate) {
  std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    if (!out.empty()) out += ", ";
    out += name->type == GEN_DNS ? "DNS:" + printable(name->d.dNSName) : "IP:" + ip_text(name->d.iPAddress);
  }
  if (out.size() > name_length_max) out = out.substr(0, name_length_max) + "...";
  return out;
}

hash32 certificate_fingerprint(const X509* certificate) {
  hash32 out;
  unsigned length = 0;
  X509_digest(certificate, EVP_sha256(), out.data(), &length);
  return out;
}

std::string openssl_reason() {
  auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : fmt::format("OpenSSL error {:#x}", code);
}

} // namespace swarm::transport
