#include "transport/identity/detail/read_certificate.hpp"

#include "transport/tls/detail/openssl.hpp"

#include <openssl/x509v3.h>

#include <algorithm>

namespace swarm::transport {

namespace {

constexpr int entries_max = 256; ///< of a name or a subjectAltName; honest ones have a handful

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7f;
  });
}

std::string utf8_of(const ASN1_STRING* text) {
  unsigned char* raw = nullptr;
  const auto length = ASN1_STRING_to_UTF8(&raw, text);
  if (length < 0) return {};
  std::string out(reinterpret_cast<char*>(raw), static_cast<std::size_t>(length));
  OPENSSL_free(raw);
  return out;
}

std::string type_name(const ASN1_OBJECT* type) {
  if (const auto nid = OBJ_obj2nid(type); nid != NID_undef) return OBJ_nid2sn(nid);
  char text[128] = "";
  OBJ_obj2txt(text, sizeof text, type, 1);
  return text;
}

std::vector<name_part> parts_of(const X509_NAME* name) {
  std::vector<name_part> out;
  for (int i = 0; i < std::min(X509_NAME_entry_count(name), entries_max); ++i) {
    const auto* entry = X509_NAME_get_entry(name, i);
    auto value = utf8_of(X509_NAME_ENTRY_get_data(entry));
    if (!value.empty() && is_plain(value))
      out.push_back({type_name(X509_NAME_ENTRY_get_object(entry)), std::move(value)});
  }
  return out;
}

void add(std::vector<std::string>& to, const ASN1_IA5STRING* from) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(from)),
                   static_cast<std::size_t>(ASN1_STRING_length(from)));
  if (!text.empty() && is_plain(text)) to.push_back(std::move(text));
}

void read_alt_names(const X509* certificate, certificate_facts& into) {
  const std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const auto count = names ? std::min(sk_GENERAL_NAME_num(names.get()), entries_max) : 0;
  for (int i = 0; i < count; ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) add(into.dns_names, name->d.dNSName);
    if (name->type == GEN_URI) add(into.uris, name->d.uniformResourceIdentifier);
    if (name->type == GEN_EMAIL) add(into.emails, name->d.rfc822Name);
    if (name->type == GEN_IPADD) into.ip_addresses.push_back(ip_text(name->d.iPAddress));
  }
}

std::string serial_of(const X509* certificate) {
  const std::unique_ptr<BIGNUM, freed_by<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  if (!text) return {};
  std::string out = text;
  OPENSSL_free(text);
  const auto first = out.find_first_not_of('0');
  return first == std::string::npos ? "0" : out.substr(first);
}

} // namespace

certificate_facts facts_of(const X509* certificate) {
  certificate_facts out;
  out.fingerprint = certificate_fingerprint(certificate);
  out.subject = name_text(X509_get_subject_name(certificate));
  out.issuer = name_text(X509_get_issuer_name(certificate));
  out.subject_parts = parts_of(X509_get_subject_name(certificate));
  out.issuer_parts = parts_of(X509_get_issuer_name(certificate));
  read_alt_names(certificate, out);
  out.not_before = seconds_of(X509_get0_notBefore(certificate));
  out.not_after = seconds_of(X509_get0_notAfter(certificate));
  out.serial = serial_of(certificate);
  return out;
}

} // namespace swarm::transport
