#include "actors/sl/files/gather/gather_job.hpp"

#include "actors/sl/files/gather/chunk_map.hpp"
#include "actors/sl/files/gather/chunk_plan.hpp"
#include "actors/sl/files/holders_in_turn.hpp"
#include "actors/sl/files/targets.hpp"
#include "actors/sl/shards/sharded_manifest.hpp"
#include "base/log.hpp"
#include "merge/store/model_part.hpp"

#include <algorithm>

namespace swarm::actors {

namespace {

constexpr std::size_t failures_max = 600; ///< bytes of text
/// How often it is looked who is late, and who is to be asked again.
constexpr duration look_interval = std::chrono::milliseconds(50);
/// Until then a check that makes chunks of the model has begun, or there is none.
constexpr duration claim_within = std::chrono::seconds(2);

time_point now() {
  return std::chrono::steady_clock::now();
}

bool is_own_trouble(const error& why) {
  return why.is(merge::merge_errc::disk_full) || why.is(merge::merge_errc::store_full);
}

chunk_plan::ending ending_of(const error& why) {
  using enum chunk_plan::ending;
  if (why.is(transport::net_errc::cancelled)) return needless;
  if (why.is(transport::net_errc::http_status)) return not_there;
  if (why.is(transport::net_errc::timeout)) return slow;
  if (why.is(merge::merge_errc::bad_chunk) || why.is(errc::corrupt)) return wrong;
  return failed;
}

class gather_job : public std::enable_shared_from_this<gather_job> {
public:
  gather_job(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
             wanted_model what, std::function<void(result<hash32>)> done)
      : context_(std::move(context)), counters_(std::move(counters)), what_(std::move(what)),
        done_(std::move(done)) {}

  void begin() {
    if (what_.shards.empty()) return locked([this] { ask_for_manifest(); });
    fetch_sharded_manifest_async(context_, counters_, what_.digest, what_.size, what_.shards,
                                 [job = shared_from_this()](const result<merge::manifest>& manifest) {
                                   job->locked([&] { job->take_shards(manifest); });
                                 });
  }

private:
  /// Does a step, unless all is over, and tells the outcome if this was the last one.
  void locked(const auto& step) {
    std::optional<result<hash32>> outcome;
    {
      const std::lock_guard guard(mutex_);
      if (is_over_) return;
      step();
      if (!is_over_) return;
      for (auto& [id, call] : calls_)
        call.cancel();
      calls_.clear(); // each of them has this job
      outcome = std::move(outcome_);
    }
    done_(std::move(*outcome));
  }

  void end(result<hash32> outcome) {
    outcome_ = std::move(outcome);
    is_over_ = true;
  }

  void give_up() {
    if (failures_.empty()) failures_ = "no other node is known to have it";
    if (is_later_) return end(fail(fetch_errc::later, "{}", failures_));
    if (!has_answered_)
      return end(fail(is_refused_ ? fetch_errc::not_there : fetch_errc::unreachable, "{}", failures_));
    end(fail(errc::unavailable, "{}", failures_));
  }

  void note_failure(std::size_t holder, const error& why) {
    if (!failures_.empty()) failures_ += "; ";
    if (failures_.size() < failures_max)
      failures_ += fmt::format("{}: {}", what_.holders[holder].endpoint, why.message);
  }

  // The manifest

  void ask_for_manifest() {
    for (; next_ < what_.holders.size(); ++next_) {
      const auto at = endpoint::parse(what_.holders[next_].endpoint);
      if (!at) {
        note_failure(next_, at.error());
        continue;
      }
      transport::http_request request;
      request.target = manifest_target(what_.digest);
      request.headers = headers_of_asker(context_->account(), context_->chain->block_num);
      context_->client->request(at->host, at->port, std::move(request),
                                [job = shared_from_this()](const auto& response) {
                                  job->locked([&] { job->take_manifest(response); });
                                });
      return;
    }
    give_up();
  }

  /// Once they are put together, some holder may have the manifest where a maker does not give its part any more.
  void take_shards(const result<merge::manifest>& manifest) {
    if (!manifest) {
      failures_ = manifest.error().message;
      return ask_for_manifest();
    }
    has_answered_ = true;
    if (const auto taken = begin_part(*manifest); !taken)
      return end(fail(fetch_errc::own_store, "{}", taken.error().message));
    begin_chunks();
  }

  /// With what this node has made of it.
  result<> begin_part(merge::manifest manifest) {
    SWARM_TRY(part_, context_->store->part(std::move(manifest)));
    for (const auto& [first, run] : context_->shards->all()) {
      if (!run->is_complete() || run->first() + run->count() > part_->manifest().chunks.size()) continue;
      for (auto index = first; index < first + run->count(); ++index)
        if (run->hashes()[index - first] == part_->manifest().chunks[index])
          SWARM_CHECK(put_own(index, run->chunk(index)));
    }
    return {};
  }

  result<> put_own(std::uint64_t index, bytes_view chunk) {
    note_mapped_read(chunk.size());
    return part_->put(index, chunk);
  }

  void take_manifest(const result<transport::http_response>& response) {
    auto taken = open_part(response);
    if (taken) {
      begin_chunks();
    } else if (is_own_trouble(taken.error())) {
      end(fail(fetch_errc::own_store, "{}", taken.error().message));
    } else {
      note_failure(next_, taken.error());
      is_refused_ = (next_ == 0 || is_refused_) && taken.error().is(transport::net_errc::connect);
      ++next_;
      ask_for_manifest();
    }
  }

  result<> open_part(const result<transport::http_response>& response) {
    if (!response) return tl::unexpected(response.error());
    has_answered_ = true;
    if (response->status == 503) is_later_ = true;
    if (response->status != 200) return refusal_of_holder(*response, "manifest");
    counters_->bytes_received += response->body.size();
    SWARM_TRY(auto manifest, merge::manifest::decode(as_bytes(response->body)));
    if (manifest.digest() != what_.digest || manifest.size != what_.size)
      return fail(errc::corrupt, "its file does not match the digest {}", to_hex(what_.digest.view()));
    return begin_part(std::move(manifest));
  }

  // Chunks

  void begin_chunks() {
    if (what_.is_merge) part_->share();
    const auto chunks = part_->chunks();
    const bool is_spread = what_.is_merge && chunks.size() >= spread_chunks_min && what_.holders.size() > 1;
    plan_.emplace(chunks, what_.holders.size(), is_spread, get_be64(context_->account().data()));
    for (std::size_t i = 0; i < what_.holders.size(); ++i) {
      const auto at = endpoint::parse(what_.holders[i].endpoint);
      endpoints_.push_back(at.value_or(endpoint{}));
      if (!at || i < next_) plan_->drop(i); // who did not give the manifest is asked for nothing more
      if (const auto* run = run_of(i)) plan_->made_by(i, run->first, run->count);
    }
    plan_->hold(what_.made_here);
    holds_until_ = now() + claim_within;
    go_on();
    if ((is_spread || !what_.shards.empty()) && !is_over_) look_again();
  }

  /// What this holder has made of it, in one piece at least; null when that is nothing.
  const rounds::shard_run* run_of(std::size_t holder) const {
    const auto& runs = what_.shards;
    const auto found = std::ranges::find(runs, what_.holders[holder], &rounds::shard_run::maker);
    return found == runs.end() ? nullptr : &*found;
  }

  void look_again() {
    context_->io->after(look_interval, [job = shared_from_this()] {
      job->locked([&] {
        job->go_on();
        if (!job->is_over_) job->look_again();
      });
    });
  }

  /// Takes what this node makes itself, and asks others for it once nothing makes it any more.
  void look_at_own() {
    if (what_.made_here.empty()) return;
    const bool is_claimed = part_->is_claimed();
    for (const auto index : what_.made_here)
      if (index < part_->manifest().chunks.size() && part_->has(index)) plan_->chunk_here(index);
    if (is_claimed) {
      holds_until_ = now();
    } else if (now() >= holds_until_) {
      plan_->release();
      what_.made_here.clear();
    }
  }

  void go_on() {
    look_at_own();
    if (plan_->is_complete()) return finish();
    for (const auto id : plan_->take_needless())
      calls_[id].cancel();
    for (const auto& each : plan_->take_asks(now())) {
      if (each.count == 0)
        ask_for_map(each);
      else
        ask_for_run(each);
    }
    if (plan_->is_hopeless()) give_up();
  }

  void finish() {
    const auto file = part_->finish();
    if (file) return end((*file)->layout().layout_digest());
    end(fail(errc::unavailable, "what has the digest is no model: {}", file.error().message));
  }

  void ask_for_map(const chunk_plan::ask& what) {
    const auto raw = std::make_shared<bytes>();
    const auto most = chunk_map_bytes_max(part_->manifest().chunks.size());
    const auto& at = endpoints_[what.holder];
    calls_[what.id] = context_->client->fetch(
        at.host, at.port, chunks_target(what_.digest), std::nullopt,
        [raw, most](bytes_view piece) -> result<> {
          if (piece.size() > most - raw->size())
            return fail(errc::corrupt, "it has more chunks than there are");
          append(*raw, piece);
          return {};
        },
        [job = shared_from_this(), what, raw](const result<transport::fetch_result>& outcome) {
          job->locked([&] { job->take_map(what, *raw, outcome); });
        },
        headers_of_asker(context_->account(), context_->chain->block_num));
  }

  void take_map(const chunk_plan::ask& what, const bytes& raw,
                const result<transport::fetch_result>& outcome) {
    calls_.erase(what.id);
    const auto map =
        outcome ? decode_chunk_map(raw, part_->manifest().chunks.size()) : tl::unexpected(outcome.error());
    if (map) {
      counters_->bytes_received += raw.size();
      plan_->map_here(what.id, *map, now());
    } else {
      failed(what, map.error());
    }
    go_on();
  }

  /// Without an end where it comes to the end of the model, and none at all for all of it.
  std::optional<transport::byte_range> range_of(const chunk_plan::ask& what) const {
    const auto chunks = part_->manifest().chunks.size();
    if (what.count == chunks) return std::nullopt;
    const bool is_last = what.first + what.count == chunks;
    return transport::byte_range{what.first * merge::chunk_size,
                                 is_last ? 0 : what.count * merge::chunk_size};
  }

  /// Within the bytes of the run.
  static std::optional<transport::byte_range> run_range(const rounds::shard_run& made,
                                                        const chunk_plan::ask& what) {
    if (what.count == made.count) return std::nullopt;
    const bool is_last = what.first + what.count == made.first + made.count;
    return transport::byte_range{(what.first - made.first) * merge::chunk_size,
                                 is_last ? 0 : what.count * merge::chunk_size};
  }

  void ask_for_run(const chunk_plan::ask& what) {
    const auto run = std::make_shared<merge::assembler>(part_, what.first, what.count);
    const auto& at = endpoints_[what.holder];
    auto [target, range] = std::pair(model_target(what_.digest), range_of(what));
    if (const auto* made = run_of(what.holder); made != nullptr && what.first >= made->first
                                                && what.first + what.count <= made->first + made->count) {
      // As it may not know yet what model that is a part of.
      target = shard_data_target(made->first);
      range = run_range(*made, what);
    }
    calls_[what.id] = context_->client->fetch(
        at.host, at.port, std::move(target), range,
        [job = shared_from_this(), run](bytes_view piece) { return job->take_piece(*run, piece); },
        [job = shared_from_this(), what, run](const result<transport::fetch_result>& outcome) {
          job->locked([&] {
            job->take_end(what, outcome ? run->check_complete() : tl::unexpected(outcome.error()));
          });
        },
        headers_of_asker(context_->account(), context_->chain->block_num));
  }

  result<> take_piece(merge::assembler& run, bytes_view piece) {
    counters_->bytes_received += piece.size();
    ++context_->board->progress;
    const auto before = run.next_chunk();
    auto fed = run.feed(piece);
    if (run.next_chunk() == before) return fed;
    const std::lock_guard guard(mutex_);
    if (is_over_) return fail(transport::net_errc::cancelled, "the model is here");
    for (auto index = before; index < run.next_chunk(); ++index)
      plan_->chunk_here(index);
    return fed;
  }

  void take_end(const chunk_plan::ask& what, const result<>& outcome) {
    calls_.erase(what.id);
    if (outcome)
      plan_->ended(what.id, chunk_plan::ending::done, now());
    else if (is_own_trouble(outcome.error()))
      return end(fail(fetch_errc::own_store, "{}", outcome.error().message));
    else
      failed(what, outcome.error());
    go_on();
  }

  void failed(const chunk_plan::ask& what, const error& why) {
    const auto how = ending_of(why);
    const bool is_known = plan_->is_dropped(what.holder);
    plan_->ended(what.id, how, now());
    if (how == chunk_plan::ending::needless) return;
    if (what.count > 0 || how != chunk_plan::ending::not_there) note_failure(what.holder, why);
    if (how == chunk_plan::ending::wrong && !is_known)
      log::warning(context_->log_source,
                   "{} ({}) gives something else than the model {}, and is not asked again for it: {}",
                   what_.holders[what.holder].endpoint, to_hex(what_.holders[what.holder].peer.view()),
                   to_hex(what_.digest.view()), why.message);
  }

  std::shared_ptr<const sl_context> context_;
  std::shared_ptr<fetch_counters> counters_;
  wanted_model what_;
  std::function<void(result<hash32>)> done_;
  std::mutex mutex_;          ///< guards what follows
  std::size_t next_ = 0;      ///< the holder that is asked for the manifest
  bool is_refused_ = false;   ///< nobody listens at the addresses of those that were asked for it
  bool has_answered_ = false; ///< one of them has, whatever it said
  bool is_later_ = false;     ///< one of them said so
  std::string failures_;
  std::vector<endpoint> endpoints_; ///< of the holders
  std::shared_ptr<merge::model_part> part_;
  std::optional<chunk_plan> plan_;
  time_point holds_until_{};                            ///< unless a check goes on
  std::map<std::uint64_t, transport::http_call> calls_; ///< by the plan's ids
  bool is_over_ = false;
  std::optional<result<hash32>> outcome_;
};

} // namespace

void gather_model(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                  wanted_model what, std::function<void(result<hash32>)> done) {
  std::make_shared<gather_job>(std::move(context), std::move(counters), std::move(what), std::move(done))
      ->begin();
}

} // namespace swarm::actors
