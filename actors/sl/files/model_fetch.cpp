#include "actors/sl/files/model_fetch.hpp"

#include "actors/sl/files/targets.hpp"
#include "base/endpoint.hpp"
#include "merge/model/manifest.hpp"

#include <optional>

namespace swarm::actors {

namespace {

constexpr std::size_t words_max = 200;

/// What a holder said in place of what it was asked for.
tl::unexpected<error> refused(const transport::http_response& response, std::string_view what) {
  auto words = response.body.substr(0, words_max);
  std::erase_if(words, [](unsigned char c) { return c < 0x20 || c > 0x7e; });
  return fail(errc::not_found, "answers {} for the model's {}{}{}", response.status, what,
              words.empty() ? "" : ": ", words);
}

/// One layout, from the first holder that gives it.
class layout_job : public std::enable_shared_from_this<layout_job> {
public:
  layout_job(std::shared_ptr<const sl_context> context, const hash32& digest, std::uint64_t size,
             const hash32& layout, std::vector<rounds::holder> holders,
             std::function<void(result<merge::model_layout>)> done)
      : context_(std::move(context)), digest_(digest), size_(size), layout_(layout),
        holders_(std::move(holders)), done_(std::move(done)) {}

  void next_holder(const std::string& failure) {
    if (next_ == holders_.size()) return done_(fail(errc::unavailable, "{}", failure));
    const auto& holder = holders_[next_++];
    const auto at = endpoint::parse(holder.endpoint);
    if (!at) return next_holder(at.error().message);
    transport::http_request request;
    request.target = layout_target(digest_);
    request.headers = headers_of_asker(context_->account(), context_->chain->block_num);
    context_->client->request(at->host, at->port, std::move(request),
                              [job = shared_from_this(), from = holder.endpoint](const auto& response) {
                                auto layout = job->take(response);
                                if (layout) return job->done_(std::move(layout));
                                job->next_holder(fmt::format("{}: {}", from, layout.error().message));
                              });
  }

private:
  result<merge::model_layout> take(const result<transport::http_response>& response) const {
    if (!response) return tl::unexpected(response.error());
    if (response->status != 200) return refused(*response, "layout");
    SWARM_TRY(auto layout, merge::model_layout::parse(as_bytes(response->body), size_));
    if (layout.layout_digest() != layout_) return fail(errc::corrupt, "it is another layout");
    return layout;
  }

  std::shared_ptr<const sl_context> context_;
  hash32 digest_;
  std::uint64_t size_;
  hash32 layout_;
  std::vector<rounds::holder> holders_;
  std::function<void(result<merge::model_layout>)> done_;
  std::size_t next_ = 0;
};

class fetch_job : public std::enable_shared_from_this<fetch_job> {
public:
  fetch_job(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
            const hash32& digest, std::uint64_t size, std::vector<rounds::holder> holders,
            std::function<void(result<hash32>)> done)
      : context_(std::move(context)), counters_(std::move(counters)), digest_(digest), size_(size),
        holders_(std::move(holders)), done_(std::move(done)) {}

  void next_holder() {
    if (next_ == holders_.size()) {
      if (failures_.empty()) failures_ = "no other node is known to have it";
      if (later_) return done_(fail(fetch_errc::later, "{}", failures_));
      if (!answered_) return done_(fail(fetch_errc::unreachable, "{}", failures_));
      return done_(fail(errc::unavailable, "{}", failures_));
    }
    auto at = endpoint::parse(holders_[next_].endpoint);
    if (!at) return failed(at.error());
    holder_ = std::move(*at);
    if (assembler_) return fetch_data();
    transport::http_request request;
    request.target = manifest_target(digest_);
    request.headers = headers_of_asker(context_->account(), context_->chain->block_num);
    context_->client->request(holder_.host, holder_.port, std::move(request),
                              [job = shared_from_this()](auto response) {
                                if (auto started = job->take_manifest(std::move(response)); !started)
                                  return job->failed(started.error());
                                job->fetch_data();
                              });
  }

private:
  result<> take_manifest(result<transport::http_response> response) {
    if (!response) return tl::unexpected(response.error());
    answered_ = true;
    if (response->status == 503) later_ = true;
    if (response->status != 200) return refused(*response, "manifest");
    counters_->bytes_received += response->body.size();
    SWARM_TRY(auto manifest, merge::manifest::decode(as_bytes(response->body)));
    if (manifest.digest() != digest_ || manifest.size != size_)
      return fail(errc::corrupt, "its file does not match the digest {}", to_hex(digest_.view()));
    SWARM_TRY(auto writer, context_->store->create(manifest.size, merge::room::as_written));
    assembler_.emplace(std::move(manifest), std::move(writer));
    return {};
  }

  void fetch_data() {
    assembler_->restart_chunk();
    std::optional<transport::byte_range> range;
    if (assembler_->next_offset() > 0) range = transport::byte_range{assembler_->next_offset(), 0};
    auto job = shared_from_this();
    context_->client->fetch(
        holder_.host, holder_.port, model_target(digest_), range,
        [job](bytes_view piece) {
          job->counters_->bytes_received += piece.size();
          ++job->context_->board->progress;
          return job->assembler_->feed(piece);
        },
        [job](result<transport::fetch_result> outcome) {
          if (!outcome) return job->failed(outcome.error());
          auto file = job->assembler_->finish();
          if (!file) return job->failed(file.error());
          job->done_((*file)->layout().layout_digest());
        },
        headers_of_asker(context_->account(), context_->chain->block_num));
  }

  void failed(const error& why) {
    if (why.is(merge::merge_errc::disk_full) || why.is(merge::merge_errc::store_full))
      return done_(fail(fetch_errc::own_store, "{}", why.message));
    if (!failures_.empty()) failures_ += "; ";
    if (failures_.size() < 600) failures_ += fmt::format("{}: {}", holders_[next_].endpoint, why.message);
    ++next_;
    next_holder();
  }

  std::shared_ptr<const sl_context> context_;
  std::shared_ptr<fetch_counters> counters_;
  hash32 digest_;
  std::uint64_t size_;
  std::vector<rounds::holder> holders_;
  std::function<void(result<hash32>)> done_;
  std::size_t next_ = 0;
  bool answered_ = false; ///< a holder has, whatever it said
  bool later_ = false;    ///< a holder said so
  endpoint holder_;       ///< who is asked now
  std::optional<merge::assembler> assembler_;
  std::string failures_;
};

} // namespace

void fetch_model_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                       const hash32& digest, std::uint64_t size, std::vector<rounds::holder> holders,
                       std::function<void(result<hash32>)> done) {
  if (auto here = context->store->open(digest)) return done((*here)->layout().layout_digest());
  std::make_shared<fetch_job>(std::move(context), std::move(counters), digest, size, std::move(holders),
                              std::move(done))
      ->next_holder();
}

void fetch_layout_async(std::shared_ptr<const sl_context> context, const hash32& digest, std::uint64_t size,
                        const hash32& layout, std::vector<rounds::holder> holders,
                        std::function<void(result<merge::model_layout>)> done) {
  if (auto here = context->store->open(digest)) return done((*here)->layout());
  std::make_shared<layout_job>(std::move(context), digest, size, layout, std::move(holders), std::move(done))
      ->next_holder("no other node is known to have it");
}

} // namespace swarm::actors
