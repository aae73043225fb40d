#include "transport/tls/tls_identity.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "transport/spiffe/agent_link.hpp"
#include "transport/spiffe/detail/bundles.hpp"
#include "transport/tls/detail/file_stamp.hpp"
#include "transport/tls/detail/live_chains.hpp"
#include "transport/tls/detail/load_identity.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace swarm::transport {

namespace {

constexpr std::string_view log_source = "swarm.tls";
constexpr std::chrono::milliseconds look_interval{500};
constexpr std::chrono::seconds agent_patience{30}; ///< at the start

void log_news(const std::vector<std::string>& now, const std::vector<std::string>& before) {
  for (const auto& warning : now)
    if (std::find(before.begin(), before.end(), warning) == before.end())
      log::warning(log_source, "{}", warning);
}

X509_STORE* store_of(const tls_identity::state& from) {
  return SSL_CTX_get_cert_store(from.server.native_handle());
}

std::vector<std::string> domains_of(const tls_identity::state& from) {
  std::vector<std::string> out;
  if (const auto* bundles = bundles_of(store_of(from)))
    for (const auto& [domain, authorities] : bundles->of)
      out.push_back(domain);
  return out;
}

/// "spiffe://org1/sn until 2026-01-31 12:00:00 UTC, and the bundles of org1, org2"
std::string told_svid(const tls_identity::state& from) {
  const auto* own = SSL_CTX_get0_certificate(from.server.native_handle());
  return fmt::format("the SVID {} (serial {}) until {}, and the bundles of {}", from.certificate->subject,
                     from.certificate->serial, time_text(X509_get0_notAfter(own)),
                     fmt::join(domains_of(from), ", "));
}

result<std::shared_ptr<const tls_identity::state>> load_first(const x509_svids& svids,
                                                              const std::filesystem::path& agent) {
  auto loaded = load_svids(svids, nullptr);
  if (!loaded)
    return fail_with(loaded.error(), fmt::format("--socket-path: the SPIFFE agent at {}", agent.string()));
  return loaded;
}

} // namespace

/// What the owner and the watcher share: the watcher may live a moment longer.
struct tls_identity::shared {
  const tls_files files;
  const std::shared_ptr<live_chains> live = std::make_shared<live_chains>();

  mutable std::mutex mutex; ///< guards what follows
  std::condition_variable changed;
  std::shared_ptr<const state> now;
  bool stopping = false;
  std::string trouble;

  const std::unique_ptr<agent_link> agent; ///< null: there are files

  // Of the watcher alone.
  bool told_expired = false;
  std::string taken; ///< the stamp of the files that `now` was made of, or that were refused
  std::string seen;  ///< the stamp of the last look

  shared(tls_files from, std::shared_ptr<const state> loaded, std::unique_ptr<agent_link> asked = {})
      : files(std::move(from)), now(std::move(loaded)), agent(std::move(asked)) {
    live->trust(store_of(*now));
  }

  std::shared_ptr<const state> current() const {
    const std::lock_guard lock(mutex);
    return now;
  }

  bool is_stopping() const {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  void watch() { agent ? watch_agent() : watch_files(); }

  void watch_files() {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, look_interval, [this] { return stopping; })) {
      lock.unlock();
      look();
      live->look_at_clock(unix_seconds());
      lock.lock();
    }
  }

  /// Takes a change that two looks have seen alike: whoever writes files is done with them by then.
  void look() {
    auto stamp = stamp_of(files);
    const bool settled = stamp == std::exchange(seen, stamp);
    const auto before = current();
    const bool crl_due = unix_seconds() >= before->crls_due;
    if (settled && (stamp != taken || crl_due)) reload(std::move(stamp), *before);
  }

  void reload(std::string stamp, const state& before) {
    auto loaded = load_identity(files, &before);
    if (stamp_of(files) != stamp) return; // it changed meanwhile
    taken = std::move(stamp);
    if (!loaded) return refuse(loaded.error().message);
    log_news((*loaded)->warnings, before.warnings);
    tell_change(before, **loaded);
    take(*loaded);
  }

  void take(const std::shared_ptr<const state>& loaded) {
    {
      const std::lock_guard lock(mutex);
      now = loaded;
      trouble.clear();
    }
    live->trust(store_of(*loaded));
  }

  /// Whether that is news.
  bool note_trouble(const std::string& why) {
    const std::lock_guard lock(mutex);
    return std::exchange(trouble, why) != why;
  }

  void refuse(const std::string& why) {
    if (note_trouble(why))
      log::warning(log_source,
                   "changed certificate files cannot be used, what they held before stays in force: {}", why);
  }

  // With a SPIFFE agent

  void watch_agent() {
    while (!is_stopping()) {
      const auto news = agent->wait(look_interval);
      if (news.svids) take_svids(*news.svids);
      if (news.trouble) note_agent_trouble(*news.trouble);
      tell_expiry();
    }
  }

  void take_svids(const x509_svids& svids) {
    const auto before = current();
    const auto loaded = load_svids(svids, before.get());
    if (!loaded) return note_agent_trouble(loaded.error());
    if (note_trouble({}))
      log::info(log_source, "the SPIFFE agent at {} answers again", agent->socket().string());
    if (told_svid(*before) != told_svid(**loaded))
      log::info(log_source, "the SPIFFE agent gives {}", told_svid(**loaded));
    told_expired = false;
    take(*loaded);
  }

  /// Once, whatever more it says until it is well again: it is asked at ever longer intervals.
  void note_agent_trouble(const error& why) {
    const auto before = current();
    const auto text = fmt::format("the SPIFFE agent at {}: {}", agent->socket().string(), why.message);
    {
      const std::lock_guard lock(mutex);
      const bool told = !trouble.empty();
      trouble = text;
      if (told) return;
    }
    const auto* own = SSL_CTX_get0_certificate(before->server.native_handle());
    log::warning(log_source, "{}; {} stays in use until {}, and the agent is asked on", text,
                 before->certificate->subject, time_text(X509_get0_notAfter(own)));
  }

  void tell_expiry() {
    const auto held = current();
    if (unix_seconds() <= held->certificate->not_after || std::exchange(told_expired, true)) return;
    log::warning(log_source,
                 "the SVID {} has expired: other nodes take no new connection of this one until the SPIFFE "
                 "agent at {} gives the next one",
                 held->certificate->subject, agent->socket().string());
  }

  static void tell_change(const state& before, const state& after) {
    if (before.certificate->fingerprint != after.certificate->fingerprint)
      log::info(log_source,
                "the certificate {} (serial {}) is in use from now on, in place of that with serial {}",
                after.certificate->subject, after.certificate->serial, before.certificate->serial);
    log::info(log_source, "the certificate files were read anew: {} trusted authorities, {} before",
              after.trusted_count, before.trusted_count);
  }
};

tls_identity::tls_identity(std::shared_ptr<shared> from) : shared_(std::move(from)) {}

tls_identity::~tls_identity() {
  if (!watcher_.joinable()) return;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
  if (shared_->agent) shared_->agent->wake();
  if (watcher_.get_id() == std::this_thread::get_id())
    watcher_.detach(); // the watcher itself held the last reference, by way of a connection that it ended
  else
    watcher_.join();
}

result<std::shared_ptr<const tls_identity>> tls_identity::load(const tls_files& files) {
  std::shared_ptr<const state> loaded;
  if (files.agent.empty()) {
    SWARM_TRY(loaded, load_identity(files, nullptr));
  } else {
    SWARM_TRY(const auto svids, svids_of(files.agent));
    SWARM_TRY(loaded, load_first(svids, files.agent));
  }
  log_news(loaded->warnings, {});
  return std::shared_ptr<const tls_identity>(
      new tls_identity(std::make_shared<shared>(files, std::move(loaded))));
}

result<std::shared_ptr<const tls_identity>> tls_identity::load_watched(const tls_files& files) {
  if (!files.agent.empty()) return follow_agent(files);
  auto stamp = stamp_of(files);
  SWARM_TRY(auto loaded, load_identity(files, nullptr));
  log_news(loaded->warnings, {});
  auto made =
      std::shared_ptr<tls_identity>(new tls_identity(std::make_shared<shared>(files, std::move(loaded))));
  made->shared_->taken = std::move(stamp);
  made->watcher_ = std::thread([held = made->shared_] { held->watch(); });
  return made;
}

result<std::shared_ptr<const tls_identity>> tls_identity::follow_agent(const tls_files& files) {
  auto agent = std::make_unique<agent_link>(files.agent);
  SWARM_TRY(const auto svids, first_svids(*agent, agent_patience, [](const error& why) {
              log::warning(log_source, "{}; it is waited for, {} s at most", why.message,
                           agent_patience.count());
            }));
  SWARM_TRY(auto loaded, load_first(svids, files.agent));
  log::info(log_source, "the SPIFFE agent at {} gives {}", files.agent.string(), told_svid(*loaded));
  auto made = std::shared_ptr<tls_identity>(
      new tls_identity(std::make_shared<shared>(files, std::move(loaded), std::move(agent))));
  made->watcher_ = std::thread([held = made->shared_] { held->watch(); });
  return made;
}

std::shared_ptr<const tls_identity::state> tls_identity::internals() const {
  return shared_->current();
}
live_chains& tls_identity::live() const {
  return *shared_->live;
}

std::shared_ptr<const certificate_facts> tls_identity::certificate() const {
  return internals()->certificate;
}
std::shared_ptr<const certificate_facts> tls_identity::anchor() const {
  return internals()->anchor;
}
bool tls_identity::shares_anchor(const certificate_facts& with) const {
  return anchor()->fingerprint == with.fingerprint;
}
hash32 tls_identity::fingerprint() const {
  return internals()->certificate->fingerprint;
}
std::string tls_identity::subject() const {
  return internals()->certificate->subject;
}
std::string tls_identity::common_name() const {
  const auto facts = certificate();
  const auto names = values_of(facts->subject_parts, "CN");
  return names.empty() ? std::string() : std::string(names.back());
}
std::uint64_t tls_identity::not_after() const {
  return internals()->certificate->not_after;
}
std::size_t tls_identity::trusted_count() const {
  return internals()->trusted_count;
}
std::vector<std::string> tls_identity::trust_domains() const {
  return domains_of(*internals());
}
std::vector<std::string> tls_identity::warnings() const {
  return internals()->warnings;
}

std::string tls_identity::trouble() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->trouble;
}

} // namespace swarm::transport
