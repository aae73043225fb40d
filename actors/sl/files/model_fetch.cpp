#include "actors/sl/files/model_fetch.hpp"

#include "actors/sl/files/gather/gather_job.hpp"
#include "actors/sl/files/holders_in_turn.hpp"
#include "actors/sl/files/targets.hpp"
#include "base/endpoint.hpp"

namespace swarm::actors {

namespace {

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
    if (response->status != 200) return refusal_of_holder(*response, "layout");
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

} // namespace

void fetch_model_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                       wanted_model what, std::function<void(result<hash32>)> done) {
  if (auto here = context->store->open(what.digest)) return done((*here)->layout().layout_digest());
  gather_model(std::move(context), std::move(counters), std::move(what), std::move(done));
}

void fetch_layout_async(std::shared_ptr<const sl_context> context, const hash32& digest, std::uint64_t size,
                        const hash32& layout, std::vector<rounds::holder> holders,
                        std::function<void(result<merge::model_layout>)> done) {
  if (auto here = context->store->open(digest)) return done((*here)->layout());
  std::make_shared<layout_job>(std::move(context), digest, size, layout, std::move(holders), std::move(done))
      ->next_holder("no other node is known to have it");
}

} // namespace swarm::actors
