#include "transport/tls/tls_identity.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
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

void log_news(const std::vector<std::string>& now, const std::vector<std::string>& before) {
  for (const auto& warning : now)
    if (std::find(before.begin(), before.end(), warning) == before.end())
      log::warning(log_source, "{}", warning);
}

X509_STORE* store_of(const tls_identity::state& from) {
  return SSL_CTX_get_cert_store(from.server.native_handle());
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

  // Of the watcher alone.
  std::string taken; ///< the stamp of the files that `now` was made of, or that were refused
  std::string seen;  ///< the stamp of the last look

  shared(tls_files from, std::shared_ptr<const state> loaded)
      : files(std::move(from)), now(std::move(loaded)) {
    live->trust(store_of(*now));
  }

  std::shared_ptr<const state> current() const {
    const std::lock_guard lock(mutex);
    return now;
  }

  void watch() {
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
    {
      const std::lock_guard lock(mutex);
      now = *loaded;
      trouble.clear();
    }
    live->trust(store_of(**loaded));
  }

  void refuse(const std::string& why) {
    {
      const std::lock_guard lock(mutex);
      if (std::exchange(trouble, why) == why) return;
    }
    log::warning(log_source,
                 "changed certificate files cannot be used, what they held before stays in force: {}", why);
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
  if (watcher_.get_id() == std::this_thread::get_id())
    watcher_.detach(); // the watcher itself held the last reference, by way of a connection that it ended
  else
    watcher_.join();
}

result<std::shared_ptr<const tls_identity>> tls_identity::load(const tls_files& files) {
  SWARM_TRY(auto loaded, load_identity(files, nullptr));
  log_news(loaded->warnings, {});
  return std::shared_ptr<const tls_identity>(
      new tls_identity(std::make_shared<shared>(files, std::move(loaded))));
}

result<std::shared_ptr<const tls_identity>> tls_identity::load_watched(const tls_files& files) {
  auto stamp = stamp_of(files);
  SWARM_TRY(auto loaded, load_identity(files, nullptr));
  log_news(loaded->warnings, {});
  auto made =
      std::shared_ptr<tls_identity>(new tls_identity(std::make_shared<shared>(files, std::move(loaded))));
  made->shared_->taken = std::move(stamp);
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
std::vector<std::string> tls_identity::warnings() const {
  return internals()->warnings;
}

std::string tls_identity::trouble() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->trouble;
}

} // namespace swarm::transport
