#include "config/members/member_rules.hpp"

#include "base/wildcard.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::members {

namespace {

constexpr std::string_view spiffe_scheme = "spiffe://";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

bool same_but_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// The role that a word names: "SN", "sn" or "sn1".
std::optional<role> role_named(std::string_view word) {
  while (!word.empty() && is_digit(word.back()))
    word.remove_suffix(1);
  for (const auto each : all_roles)
    if (same_but_case(word, to_string(each))) return each;
  return std::nullopt;
}

/// Adds the roles that words of `text` name. Bytes beyond ASCII belong to words.
void add_roles(role_set& to, std::string_view text) {
  const auto in_word = [](char c) { return is_letter(c) || is_digit(c) || static_cast<signed char>(c) < 0; };
  for (std::size_t begin = 0; begin < text.size();) {
    if (!in_word(text[begin])) {
      ++begin;
      continue;
    }
    const auto end = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), in_word);
    const auto length = static_cast<std::size_t>(end - text.begin()) - begin;
    if (const auto named = role_named(text.substr(begin, length))) to.add(*named);
    begin += length;
  }
}

/// Adds the roles that parts of a SPIFFE ID's path name. A part is a role as a whole: "/sn", not "/sn-data".
void add_roles_of_path(role_set& to, std::string_view uri) {
  if (!same_but_case(uri.substr(0, spiffe_scheme.size()), spiffe_scheme)) return;
  uri.remove_prefix(spiffe_scheme.size());
  for (auto slash = uri.find('/'); slash != std::string_view::npos; slash = uri.find('/')) {
    uri.remove_prefix(slash + 1);
    const auto part = uri.substr(0, uri.find('/'));
    for (const auto each : all_roles)
      if (same_but_case(part, to_string(each))) to.add(each);
  }
}

role_set default_roles(const certificate_facts& certificate) {
  role_set out;
  for (const auto name : transport::values_of(certificate.subject_parts, "CN"))
    add_roles(out, name);
  for (const auto& uri : certificate.uris)
    add_roles_of_path(out, uri);
  return out.empty() ? role_set{role::sl} : out;
}

bool one_fits(const std::optional<std::string>& pattern, const std::vector<std::string>& texts) {
  return !pattern || std::any_of(texts.begin(), texts.end(), [&](const auto& each) {
    return fits_wildcard(*pattern, each);
  });
}

bool name_fits(const std::vector<transport::name_part>& wanted,
               const std::vector<transport::name_part>& name) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& part) {
    return std::any_of(name.begin(), name.end(), [&](const auto& each) {
      return each.type == part.type && fits_wildcard(part.value, each.value);
    });
  });
}

bool matches(const match& when, const proved& who) {
  const auto& certificate = who.certificate;
  return (!when.anchor || *when.anchor == who.anchor.fingerprint)
         && name_fits(when.issuer, certificate.issuer_parts)
         && name_fits(when.subject, certificate.subject_parts) && one_fits(when.dns, certificate.dns_names)
         && one_fits(when.uri, certificate.uris) && one_fits(when.ip, certificate.ip_addresses)
         && one_fits(when.email, certificate.emails);
}

const rule* rule_for(const proved& who, const member_rules& rules) {
  const auto found = std::find_if(rules.rules.begin(), rules.rules.end(),
                                  [&](const auto& each) { return matches(each.when, who); });
  return found == rules.rules.end() ? nullptr : &*found;
}

/// The rule that would let the certificate in, ready to be copied into a file.
std::string remedy_rule(const proved& who, role wanted) {
  const auto names = transport::values_of(who.certificate.subject_parts, "CN");
  auto subject = names.empty() ? std::string() : fmt::format(", subject: {{ CN: {} }}", names.front());
  if (names.empty() && !who.certificate.uris.empty())
    subject = fmt::format(", uri: \"{}\"", who.certificate.uris.front());
  return fmt::format("- {{ match: {{ anchor: {}{} }}, roles: [{}] }}",
                     to_hex(who.anchor.fingerprint.view(), false), subject, to_string(wanted));
}

} // namespace

std::string_view to_string(role which) {
  switch (which) {
  case role::sn:
    return "SN";
  case role::sl:
    return "SL";
  case role::swop:
    return "SWOP";
  case role::swci:
    return "SWCI";
  }
  return "?";
}

std::string to_string(const role_set& roles) {
  std::string out;
  for (const auto each : all_roles)
    if (roles.has(each)) out += fmt::format("{}{}", out.empty() ? "" : " and ", to_string(each));
  return out;
}

role_set roles_of(const proved& who, const member_rules& rules) {
  const auto* found = rule_for(who, rules);
  return found && found->roles ? *found->roles : default_roles(who.certificate);
}

std::string organisation_of(const proved& who, const member_rules& rules) {
  const auto* found = rule_for(who, rules);
  return found && found->organisation ? *found->organisation : who.anchor.subject;
}

std::string refusal(const proved& who, role wanted, const member_rules& rules) {
  const auto* found = rule_for(who, rules);
  const auto by_rule = found && found->roles;
  const auto why = by_rule ? fmt::format("by the rule in line {} of {}", found->line, rules.file)
                           : std::string("by its CN and SPIFFE ID");
  return fmt::format(
      "the certificate {} of the organisation {} is for {} {}, not for {}; a certificate for {} has a CN "
      "such as "
      "{}-1, or a SPIFFE ID that ends in /{}; to take this one, put this rule {} the --members file of every "
      "SN: {}",
      who.certificate.subject, organisation_of(who, rules), to_string(roles_of(who, rules)), why,
      to_string(wanted), to_string(wanted), to_string(wanted),
      [&] {
        std::string path(to_string(wanted));
        std::transform(path.begin(), path.end(), path.begin(), lower);
        return path;
      }(),
      by_rule ? "before that line in" : "into", remedy_rule(who, wanted));
}

} // namespace swarm::members
