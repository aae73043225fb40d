#include "actors/sl/shards/sharded_manifest.hpp"

#include "actors/sl/files/holders_in_turn.hpp"
#include "actors/sl/files/targets.hpp"
#include "actors/sl/shards/shard_board.hpp"
#include "actors/sl/shards/shard_list.hpp"

#include <mutex>

namespace swarm::actors {

namespace {

/// Asks all makers at once.
class manifest_job : public std::enable_shared_from_this<manifest_job> {
public:
  manifest_job(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
               const hash32& digest, std::uint64_t size, std::vector<rounds::shard_run> shards,
               std::function<void(result<merge::manifest>)> done)
      : context_(std::move(context)), counters_(std::move(counters)), digest_(digest),
        shards_(std::move(shards)), done_(std::move(done)), open_(shards_.size()) {
    manifest_.size = size;
    manifest_.chunks.resize((size - 1) / merge::chunk_size + 1);
  }

  void begin() {
    if (shards_.empty()) return done_(fail(errc::unavailable, "nobody is known to have made it"));
    for (const auto& run : shards_)
      ask(run);
  }

private:
  void ask(const rounds::shard_run& run) {
    if (const auto own = context_->shards->find(run.first);
        run.maker.peer == context_->account() && own != nullptr)
      return take(run, shard_list{own->first(), own->hashes()});
    const auto at = endpoint::parse(run.maker.endpoint);
    if (!at) return take(run, tl::unexpected(at.error()));
    const auto raw = std::make_shared<bytes>();
    context_->client->fetch(
        at->host, at->port, shard_target(run.first), std::nullopt,
        [raw, most = shard_list_bytes_max(run.count)](bytes_view piece) -> result<> {
          if (piece.size() > most - raw->size())
            return fail(errc::corrupt, "it has more chunks than were given out to it");
          append(*raw, piece);
          return {};
        },
        [job = shared_from_this(), run, raw](const result<transport::fetch_result>& outcome) {
          if (!outcome) return job->take(run, tl::unexpected(outcome.error()));
          job->counters_->bytes_received += raw->size();
          job->take(run, decode_shard_list(*raw, run.count));
        },
        headers_of_asker(context_->account(), context_->chain->block_num));
  }

  void take(const rounds::shard_run& run, const result<shard_list>& list) {
    {
      const std::lock_guard guard(mutex_);
      if (!list)
        note_failure(run, list.error());
      else if (list->first != run.first || list->hashes.size() != run.count)
        note_failure(run, make_error(errc::corrupt, "it gives other chunks than were given out to it"));
      else
        std::ranges::copy(list->hashes, manifest_.chunks.begin() + static_cast<std::ptrdiff_t>(run.first));
      if (--open_ > 0) return;
    }
    finish();
  }

  void note_failure(const rounds::shard_run& run, const error& why) {
    constexpr std::size_t failures_max = 600;
    answered_ = answered_ || has_answered(why);
    if (!failures_.empty()) failures_ += "; ";
    if (failures_.size() < failures_max) failures_ += fmt::format("{}: {}", run.maker.endpoint, why.message);
  }

  void finish() {
    if (!failures_.empty() && !answered_) return done_(fail(fetch_errc::unreachable, "{}", failures_));
    if (!failures_.empty()) return done_(fail(errc::unavailable, "{}", failures_));
    if (manifest_.digest() != digest_)
      return done_(
          fail(errc::corrupt, "what the makers give does not have the digest {}", to_hex(digest_.view())));
    done_(std::move(manifest_));
  }

  std::shared_ptr<const sl_context> context_;
  std::shared_ptr<fetch_counters> counters_;
  hash32 digest_;
  std::vector<rounds::shard_run> shards_;
  std::function<void(result<merge::manifest>)> done_;
  std::mutex mutex_; ///< guards what follows
  merge::manifest manifest_;
  std::size_t open_;
  bool answered_ = false;
  std::string failures_;
};

} // namespace

void fetch_sharded_manifest_async(std::shared_ptr<const sl_context> context,
                                  std::shared_ptr<fetch_counters> counters, const hash32& digest,
                                  std::uint64_t size, const std::vector<rounds::shard_run>& shards,
                                  std::function<void(result<merge::manifest>)> done) {
  std::make_shared<manifest_job>(std::move(context), std::move(counters), digest, size, shards,
                                 std::move(done))
      ->begin();
}

} // namespace swarm::actors
