#include "transport/spiffe/x509_svids.hpp"

#include "transport/errors.hpp"
#include "transport/ml_channel/proto.hpp"

namespace swarm::transport {

namespace {

using ml::proto::reader;

constexpr std::size_t id_text_max = 2048;
constexpr std::size_t hint_text_max = 4096;

constexpr std::uint64_t bit(unsigned field) {
  return std::uint64_t{1} << field;
}

tl::unexpected<error> too_many(std::string_view what, std::size_t most) {
  return fail(tls_errc::bad_svid, "the message has more than {} {}", most, what);
}

result<x509_svid> read_svid(bytes_view body) {
  x509_svid out;
  std::string_view id;
  for (reader from("X509SVID", body); !from.done();) {
    SWARM_TRY(const auto field, from.next());
    if (field.number == 1) {
      SWARM_TRY(id, field.as_text("spiffe_id", id_text_max));
    } else if (field.number == 2) {
      SWARM_TRY(const auto raw, field.as_bytes("x509_svid"));
      out.certificates = to_bytes(raw);
    } else if (field.number == 3) {
      SWARM_TRY(const auto raw, field.as_bytes("x509_svid_key"));
      out.key = to_bytes(raw);
    } else if (field.number == 4) {
      SWARM_TRY(const auto raw, field.as_bytes("bundle"));
      out.bundle = to_bytes(raw);
    } else if (field.number == 5) {
      SWARM_CHECK(field.as_text("hint", hint_text_max));
    }
  }
  auto parsed = spiffe_id::parse(id);
  if (!parsed) return fail(tls_errc::bad_svid, "'{}' is no SPIFFE ID: {}", id, parsed.error().message);
  if (parsed->path.empty())
    return fail(tls_errc::bad_svid, "'{}' is the ID of a trust domain, not of a node", id);
  out.id = std::move(*parsed);
  for (const auto& [part, name] : {std::pair{&out.certificates, "certificate"},
                                   {&out.key, "private key"},
                                   {&out.bundle, "bundle of its trust domain"}})
    if (part->empty()) return fail(tls_errc::bad_svid, "the SVID {} comes without a {}", id, name);
  return out;
}

result<> read_federated(bytes_view body, std::map<std::string, bytes>& into) {
  std::string_view key;
  bytes_view bundle;
  for (reader from("X509SVIDResponse.federated_bundles", body); !from.done();) {
    SWARM_TRY(const auto field, from.next());
    if (field.number == 1) {
      SWARM_TRY(key, field.as_text("key", id_text_max));
    } else if (field.number == 2) {
      SWARM_TRY(bundle, field.as_bytes("value"));
    }
  }
  auto domain = parse_trust_domain(key);
  if (!domain)
    return fail(tls_errc::bad_svid, "a bundle is of '{}', which is no trust domain: {}", key,
                domain.error().message);
  into[std::move(*domain)] = to_bytes(bundle);
  return {};
}

result<x509_svids> read_response(bytes_view message) {
  x509_svids out;
  for (reader from("X509SVIDResponse", message, bit(1) | bit(2) | bit(3)); !from.done();) {
    SWARM_TRY(const auto field, from.next());
    if (field.number == 1) {
      if (out.all.size() == svids_max) return too_many("SVIDs", svids_max);
      SWARM_TRY(const auto body, field.as_bytes("svids"));
      SWARM_TRY(auto one, read_svid(body));
      out.all.push_back(std::move(one));
    } else if (field.number == 2) {
      if (out.crls.size() == svid_crls_max) return too_many("CRLs", svid_crls_max);
      SWARM_TRY(const auto raw, field.as_bytes("crl"));
      out.crls.push_back(to_bytes(raw));
    } else if (field.number == 3) {
      if (out.federated.size() == federated_bundles_max)
        return too_many("bundles of other trust domains", federated_bundles_max);
      SWARM_TRY(const auto body, field.as_bytes("federated_bundles"));
      SWARM_CHECK(read_federated(body, out.federated));
    }
  }
  if (out.all.empty()) return fail(tls_errc::no_identity, "the message has no SVID");
  return out;
}

} // namespace

result<x509_svids> decode_x509_svids(bytes_view message) {
  if (message.size() > svid_message_bytes_max)
    return fail(tls_errc::bad_svid, "a message of {} bytes is longer than {}", message.size(),
                svid_message_bytes_max);
  auto out = read_response(message);
  if (out || out.error().category == error_category(tls_errc{})) return out;
  return fail(tls_errc::bad_svid, "a malformed message: {}", out.error().message);
}

} // namespace swarm::transport
