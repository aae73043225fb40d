#include "actors/sl/files/chunk_fetch.hpp"

#include "actors/sl/files/holders_in_turn.hpp"
#include "actors/sl/files/targets.hpp"
#include "base/hash.hpp"

namespace swarm::actors {

namespace {

result<merge::manifest> manifest_of(const result<transport::http_response>& response, const hash32& digest,
                                    std::uint64_t size, fetch_counters& counters) {
  if (!response) return tl::unexpected(response.error());
  if (response->status != 200) return refusal_of_holder(*response, "manifest");
  counters.bytes_received += response->body.size();
  SWARM_TRY(auto manifest, merge::manifest::decode(as_bytes(response->body)));
  if (manifest.digest() != digest || manifest.size != size)
    return fail(errc::corrupt, "its file does not match the digest {}", to_hex(digest.view()));
  return manifest;
}

/// The bytes of some chunks in a row, as they come.
class chunk_run {
public:
  chunk_run(std::shared_ptr<const merge::manifest> of, std::uint64_t first, std::uint64_t count)
      : of_(std::move(of)), first_(first) {
    const auto begin = first * of_->chunk_bytes;
    size_ = std::min(of_->size, (first + count) * of_->chunk_bytes) - begin;
    data_.reserve(size_);
  }

  transport::byte_range range() const { return {first_ * of_->chunk_bytes, size_}; }

  result<> feed(bytes_view piece) {
    if (piece.size() > size_ - data_.size()) return fail(errc::corrupt, "it sends more than was asked for");
    data_.insert(data_.end(), piece.begin(), piece.end());
    return check_chunks();
  }

  result<bytes> finish() {
    if (data_.size() != size_ || checked_ != size_)
      return fail(errc::corrupt, "it sends less than was asked for");
    return std::move(data_);
  }

private:
  /// Those that are complete.
  result<> check_chunks() {
    while (checked_ < size_) {
      const auto length = std::min(of_->chunk_bytes, size_ - checked_);
      if (data_.size() - checked_ < length) break;
      const auto index = first_ + checked_ / of_->chunk_bytes;
      if (sha256(bytes_view(data_).subspan(checked_, length)) != of_->chunks[index])
        return fail(errc::corrupt, "its chunk {} is not the one of its manifest", index);
      checked_ += length;
    }
    return {};
  }

  std::shared_ptr<const merge::manifest> of_;
  std::uint64_t first_;
  std::uint64_t size_ = 0;
  std::uint64_t checked_ = 0; ///< bytes
  bytes data_;
};

} // namespace

void fetch_manifest_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                          const hash32& digest, std::uint64_t size, std::vector<rounds::holder> holders,
                          std::function<void(result<merge::manifest>)> done) {
  ask_in_turn<merge::manifest>(
      std::move(holders),
      [=](const endpoint& at, std::function<void(result<merge::manifest>)> take) {
        transport::http_request request;
        request.target = manifest_target(digest);
        request.headers = headers_of_asker(context->account(), context->chain->block_num);
        context->client->request(at.host, at.port, std::move(request), [=](const auto& response) {
          take(manifest_of(response, digest, size, *counters));
        });
      },
      std::move(done));
}

void fetch_chunks_async(std::shared_ptr<const sl_context> context, std::shared_ptr<fetch_counters> counters,
                        std::shared_ptr<const merge::manifest> of, std::uint64_t first, std::uint64_t count,
                        std::vector<rounds::holder> holders, std::function<void(result<bytes>)> done) {
  const auto digest = of->digest();
  ask_in_turn<bytes>(
      std::move(holders),
      [=](const endpoint& at, std::function<void(result<bytes>)> take) {
        auto run = std::make_shared<chunk_run>(of, first, count);
        context->client->fetch(
            at.host, at.port, model_target(digest), run->range(),
            [=](bytes_view piece) {
              counters->bytes_received += piece.size();
              return run->feed(piece);
            },
            [=](const result<transport::fetch_result>& outcome) {
              take(outcome ? run->finish() : tl::unexpected(outcome.error()));
            },
            headers_of_asker(context->account(), context->chain->block_num));
      },
      std::move(done));
}

} // namespace swarm::actors
