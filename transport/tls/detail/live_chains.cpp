#include "transport/tls/detail/live_chains.hpp"

#include "base/log.hpp"
#include "transport/spiffe/detail/bundles.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <set>

namespace swarm::transport {

struct live_chains::entry {
  std::weak_ptr<live_chains> of;
  std::uint64_t number = 0;
  certificate_chain chain;
  presented_by as{};
  std::uint64_t expires = 0; ///< of its certificates the first; never, for SVIDs
  std::string who;
  std::string organisation;
  on_end end;
  std::atomic<bool> ended{false};

  entry() = default;
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;
  ~entry() {
    const auto there = of.lock();
    if (!there) return;
    const std::lock_guard lock(there->mutex_);
    there->entries_.erase(number);
  }
};

std::shared_ptr<void> live_chains::add(certificate_chain chain, presented_by as, X509_STORE* used,
                                       const peer_info& peer, on_end end) {
  auto made = std::make_shared<entry>();
  made->as = as;
  made->expires = std::numeric_limits<std::uint64_t>::max();
  for (const auto& each : chain)
    if (!bundles_of(used))
      made->expires = std::min(made->expires, seconds_of(X509_get0_notAfter(each.get())));
  made->chain = std::move(chain);
  made->who = host_port(peer.address, peer.port);
  made->organisation = peer.anchor ? peer.anchor->subject : std::string();
  made->end = std::move(end);
  {
    const std::lock_guard lock(mutex_);
    made->number = next_++;
    made->of = weak_from_this();
    entries_.emplace(made->number, made);
  }
  if (const auto now = store(); now && now.get() != used) check({made}, now.get());
  return made;
}

void live_chains::trust(X509_STORE* store) {
  X509_STORE_up_ref(store);
  {
    const std::lock_guard lock(mutex_);
    store_.reset(store);
  }
  check(all_until(std::numeric_limits<std::uint64_t>::max()), store);
}

void live_chains::look_at_clock(std::uint64_t unix_now) {
  const auto now = store();
  if (now) check(all_until(unix_now), now.get());
}

std::size_t live_chains::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

store_ptr live_chains::store() const {
  const std::lock_guard lock(mutex_);
  if (store_) X509_STORE_up_ref(store_.get());
  return store_ptr(store_.get());
}

/// Those that expire by `unix_time`.
std::vector<std::shared_ptr<live_chains::entry>> live_chains::all_until(std::uint64_t unix_time) const {
  std::vector<std::shared_ptr<entry>> out, released; // released outside of the lock, which their ends take
  const std::lock_guard lock(mutex_);
  for (const auto& [number, weak] : entries_)
    if (auto alive = weak.lock()) (alive->expires <= unix_time ? out : released).push_back(std::move(alive));
  return out;
}

void live_chains::check(const std::vector<std::shared_ptr<entry>>& which, X509_STORE* store) {
  std::set<hash32> told;
  for (const auto& each : which) {
    const auto verdict = verify_again(each->chain, store, each->as);
    if (!verdict.failure || each->ended.exchange(true)) continue;
    auto* leaf = each->chain.front().get();
    const auto why = make_error(
        net_errc::lost, "{}: the connection ends, as its certificate {} of the organisation {} is one {}",
        each->who, shown_name(leaf, store), each->organisation, verify_failure_text(verdict.failure));
    if (told.insert(certificate_fingerprint(leaf)).second) log::warning("swarm.tls", "{}", why.message);
    each->end(why);
  }
}

} // namespace swarm::transport
