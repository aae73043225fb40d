#include "tools/swarmd/doctor/judge/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::doctor {

namespace {

using transport::tls_errc;

constexpr std::uint64_t day_seconds = 86'400;
constexpr std::uint64_t notice_seconds = 14 * day_seconds;
/// Of certificates that live for hours only: less than this part of their life is left.
constexpr std::uint64_t notice_part = 5;

line refused_line(tls_errc code, const std::string& text) {
  const auto wrong = [&](std::string check, std::string remedy) {
    return line{std::move(check), verdict::wrong, text, std::move(remedy)};
  };
  switch (code) {
  case tls_errc::no_agent:
    return wrong("agent", "start the SPIFFE agent of this host, or correct --socket-path");
  case tls_errc::no_identity:
    return wrong(
        "agent",
        "make an entry at the SPIFFE server whose selectors fit this process; its ID ends in /sn, /sl, "
        "/swop or /swci");
  case tls_errc::bad_svid:
    return wrong("certificate",
                 "have the SPIFFE server issue X509-SVIDs for nodes: one URI, no right to sign others");
  case tls_errc::missing_file:
    return wrong("certificate",
                 "correct the paths of --cert, --key, --cacert and --capath, or make certificates with "
                 "deploy/bin/gen-cert");
  case tls_errc::not_pem:
    return wrong("certificate", "the files have to be PEM, which begins with -----BEGIN");
  case tls_errc::encrypted_key:
    return wrong("key", "take the pass phrase off: openssl pkey -in KEY -out KEY-WITHOUT");
  case tls_errc::key_mismatch:
    return wrong("key", "give the key that was made with this certificate");
  case tls_errc::expired:
    return wrong("dates", "have a new certificate made, and put it where the old one is");
  case tls_errc::not_yet_valid:
    return wrong("dates", "wait until then, or set this host's clock, if it is wrong");
  case tls_errc::foreign_ca:
    return wrong("chain",
                 "put the certificate of that authority into --capath, or take a certificate of an authority "
                 "that is there; intermediate certificates follow the node's own in the file of --cert");
  case tls_errc::no_ca:
  case tls_errc::empty_capath:
    return wrong("chain", "put the certificates of all authorities of the swarm into --capath");
  case tls_errc::wrong_purpose:
  case tls_errc::rejected:
    break;
  }
  return wrong("chain", "have a new certificate made");
}

/// Which of the two ends first, and whether that is soon.
line dates_line(const identity_facts& of, std::uint64_t now) {
  const bool anchor_first = of.anchor_not_after < of.not_after;
  const auto end = std::min(of.anchor_not_after, of.not_after);
  const auto life = of.not_after - std::min(of.not_before, of.not_after);
  const auto left = end - std::min(end, now);
  const auto whose =
      anchor_first ? fmt::format("the authority {}", of.anchor) : fmt::format("{}", of.subject);
  if (left >= std::min(notice_seconds, life / notice_part))
    return {"dates", verdict::ok, fmt::format("valid until {}", time_text(end)), {}};
  return {
      "dates", verdict::warning, fmt::format("the certificate of {} ends on {}", whose, time_text(end)),
      of.agent.empty()
          ? "have a new one made and put it where the old one is: a running node takes it without a restart"
          : "see in the log of the SPIFFE agent why it has no newer one"};
}

line chain_line(const identity_facts& of) {
  if (of.agent.empty())
    return {"chain",
            verdict::ok,
            fmt::format("it leads to {}, one of {} trusted authorities", of.anchor, of.trusted_count),
            {}};
  std::string domains;
  for (std::size_t i = 0; i < of.trust_domains.size(); ++i)
    domains += (i == 0 ? "" : i + 1 == of.trust_domains.size() ? " and " : ", ") + of.trust_domains[i];
  return {"chain",
          verdict::ok,
          fmt::format("the SPIFFE agent gives the bundle{} of {}", of.trust_domains.size() == 1 ? "" : "s",
                      domains),
          {}};
}

line key_line(const identity_facts& of) {
  if (!of.agent.empty())
    return {"key", verdict::ok, fmt::format("it comes from the SPIFFE agent at {}", of.agent), {}};
  if ((of.key_mode & 077U) != 0)
    return {
        "key", verdict::warning,
        fmt::format("others on this host can use the private key {} (mode {:04o})", of.key_file, of.key_mode),
        fmt::format("chmod 600 '{}'", of.key_file)};
  return {"key", verdict::ok, "it belongs to the certificate, and is its owner's alone", {}};
}

} // namespace

lines judge_identity(const identity_facts& of, std::uint64_t now) {
  if (of.refused) return {refused_line(*of.refused, of.trouble)};
  lines out;
  if (!of.trouble.empty())
    out.push_back({"members", verdict::wrong, of.trouble, "correct the file, or leave --members out"});
  out.push_back({"certificate",
                 verdict::ok,
                 fmt::format("{} of the organisation {}", of.subject, of.organisation),
                 {}});
  out.push_back(chain_line(of));
  out.push_back(dates_line(of, now));
  out.push_back(key_line(of));
  if (of.trouble.empty() && of.role_refusal.empty())
    out.push_back({"role", verdict::ok, "the certificate allows it", {}});
  if (!of.role_refusal.empty())
    out.push_back({"role", verdict::wrong, of.role_refusal, "take a certificate for this role"});
  return out;
}

} // namespace swarm::doctor
