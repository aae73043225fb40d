#include "tools/swarmd/doctor/judge/judge.hpp"

#include <fmt/format.h>

#include <cmath>

namespace swarm::doctor {

namespace {

using transport::net_errc;

/// A block whose date is further ahead of an SN's clock is not taken.
constexpr double clock_warning_s = 5;
/// Nor does anybody believe that a chain is the newest whose validators say so at another minute.
constexpr double clock_wrong_s = 60;

/// What is to be known of the way beside a failure.
std::string trouble_with_way(const sn_facts& sn) {
  if (sn.by.excepted) return sn.trouble + " (dialled directly, as no_proxy says)";
  if (sn.by.proxy.empty()) return sn.trouble;
  if (sn.by.direct_trouble.empty()) return sn.trouble + "; without the proxy it answers";
  return fmt::format("{}; nor is it reached without the proxy: {}", sn.trouble, sn.by.direct_trouble);
}

line failed_line(const sn_facts& sn) {
  const auto wrong = [&](std::string check, std::string remedy) {
    return line{std::move(check), verdict::wrong, trouble_with_way(sn), std::move(remedy)};
  };
  if (!sn.by.proxy.empty() && sn.by.direct_trouble.empty())
    return wrong("proxy", "name the SN's host in no_proxy (--no-proxy)");
  if (sn.proxy_failed) return wrong("proxy", "correct https_proxy (--proxy), or ask who runs the proxy");
  switch (*sn.failed) {
  case net_errc::resolve:
    return wrong("sn-name", "correct the name, or put it into DNS or /etc/hosts of this host");
  case net_errc::connect:
  case net_errc::timeout:
    return wrong("sn-port",
                 "start the SN, correct host and port, or have firewalls between let this host through");
  case net_errc::handshake:
    return wrong(
        "sn-tls",
        "exchange the certificates of the authorities: that of the SN belongs into --capath here, that "
        "of this node into --capath of the SN; is that port an SN's API at all?");
  default:
    return wrong("sn-api",
                 "wait until the SN has its chain, or name another one; is that port an SN's API at all?");
  }
}

/// The way that was taken, where there was a choice.
lines route_lines(const route& by) {
  if (by.excepted) return {{"proxy", verdict::ok, "the SN is reached directly, as no_proxy says", {}}};
  if (by.proxy.empty()) return {};
  const auto direct = by.direct_trouble.empty() ? std::string(", and directly, too")
                                                : fmt::format(", and not directly: {}", by.direct_trouble);
  return {{"proxy", verdict::ok, fmt::format("the SN is reached by the proxy {}{}", by.proxy, direct), {}}};
}

line network_line(const sn_facts& sn, const own_facts& own) {
  const auto theirs = to_hex(sn.genesis->view());
  if (!own.genesis || *own.genesis == *sn.genesis)
    return {"network",
            verdict::ok,
            fmt::format("genesis block {}{}", theirs,
                        own.genesis ? fmt::format(", as in {}", own.genesis_source) : std::string()),
            {}};
  return {"network", verdict::wrong,
          fmt::format("this SN is of the network whose genesis block is {}, but by {} this node is of {}",
                      theirs, own.genesis_source, to_hex(own.genesis->view())),
          "name an SN of this node's network; for another network take another --data-dir, or correct "
          "--genesis-hash"};
}

/// Patches go together; the rest need not.
std::string_view release_of(std::string_view version) {
  const auto first = version.find('.');
  return first == std::string_view::npos ? version : version.substr(0, version.find('.', first + 1));
}

line version_line(const sn_facts& sn, const own_facts& own) {
  if (!sn.version)
    return {"version", verdict::warning, "the SN does not say that it is a swarmd",
            "name an SN of this swarm"};
  if (release_of(*sn.version) == release_of(own.version))
    return {"version",
            verdict::ok,
            fmt::format("the SN runs swarmd {}, this is {}", *sn.version, own.version),
            {}};
  return {"version", verdict::warning,
          fmt::format("the SN runs swarmd {}, this is {}", *sn.version, own.version),
          "run the same version on all hosts"};
}

line clock_line(const sn_facts& sn, const own_facts& own) {
  if (!sn.clock_ahead_s) return {"clock", verdict::unchecked, "the SN does not tell its time", {}};
  const auto off = std::abs(*sn.clock_ahead_s);
  if (off <= clock_warning_s) return {"clock", verdict::ok, "as the SN's", {}};
  const bool wrong = off > clock_wrong_s || own.is_sn;
  return {"clock", wrong ? verdict::wrong : verdict::warning,
          fmt::format("the SN's clock is {:.0f} s {} this host's", off,
                      *sn.clock_ahead_s > 0 ? "ahead of" : "behind"),
          "keep the time of both hosts by NTP (timedatectl set-ntp true)"};
}

line organisation_line(const standing_facts& of, const own_facts& own) {
  if (!of.has_organisations || of.organisation != 0)
    return {"organisation",
            verdict::ok,
            of.has_organisations
                ? fmt::format("{} is organisation {} of the network", own.anchor, of.organisation)
                : std::string("the network has no organisations"),
            {}};
  return {"organisation", verdict::wrong,
          fmt::format("the authority {} belongs to no organisation of the network", own.anchor),
          "have the organisations admit it (ADMIT ORGANISATION in SWCI, or swarm-inspect vote admit NAME "
          "CA-FILE); is it "
          "the right authority?"};
}

line membership_line(const standing_facts& of, const own_facts& own, std::uint64_t now) {
  if (!of.has_account || !of.known)
    return {"membership", verdict::ok, "not registered yet: it registers when it is started", {}};
  if (of.role != own.role)
    return {"membership", verdict::wrong, fmt::format("this node's account is registered as {}", of.role),
            "give each node a --data-dir of its own"};
  if (of.active)
    return {"membership", verdict::ok, fmt::format("a member since block {}", of.since_block), {}};
  if (of.pending)
    return {"membership", verdict::warning,
            "its registration waits for vouches of more than half of the organisations",
            "ask their operators whether their SNs run and have this node's authority in --capath"};
  if (of.expiry != 0 && of.expiry <= now)
    return {"membership",
            verdict::ok,
            "its certificate of before has ended: it registers anew when it is started",
            {}};
  return {"membership", verdict::warning, "it was a member, and has left or was removed",
          "if it did not leave by itself, ask the other organisations; one that was removed needs a new "
          "certificate"};
}

} // namespace

lines judge_sn(const sn_facts& sn, const own_facts& own, std::uint64_t now) {
  if (!sn.unasked.empty()) return {{"sn", verdict::unchecked, sn.unasked, {}}};
  if (sn.failed) return {failed_line(sn)};
  lines out = route_lines(sn.by);
  out.push_back({"sn-port", verdict::ok, fmt::format("{} answers", sn.endpoint), {}});
  out.push_back({"sn-tls",
                 verdict::ok,
                 fmt::format("it is {} of the organisation {}", sn.subject, sn.organisation),
                 {}});
  if (!sn.role_refusal.empty())
    out.back() = {"sn-tls", verdict::wrong, sn.role_refusal, "name the API port of an SN"};
  if (!sn.genesis) {
    out.push_back(
        {"sn-api", verdict::wrong, sn.trouble, "wait until the SN has its chain, or name another one"});
    return out;
  }
  const auto network = network_line(sn, own);
  out.push_back(network);
  out.push_back(version_line(sn, own));
  out.push_back(clock_line(sn, own));
  if (network.is == verdict::wrong) return out; // what another network says of this node means nothing
  if (!sn.standing) {
    out.push_back({"membership", verdict::unchecked, sn.standing_trouble, {}});
    return out;
  }
  out.push_back(organisation_line(*sn.standing, own));
  if (out.back().is == verdict::ok) out.push_back(membership_line(*sn.standing, own, now));
  return out;
}

} // namespace swarm::doctor
