#include "actors/sl/files/testing/holders.hpp"

#include "actors/sl/files/model_server.hpp"
#include "merge/store/model_part.hpp"

namespace swarm::actors::testing {

using namespace transport;

namespace {

/// As to somebody whom the gate has let in.
http_response answer_freely(const sl_context& context, const http_request& request) {
  const auto what = model_request_of(request);
  return what ? serve_model(*context.store, *context.board, *context.shards, *what, request)
              : serve_other(request);
}

} // namespace

holder::holder(io_runtime& io, std::shared_ptr<const tls_identity> identity, answer how) {
  http_server_options options;
  options.address = "127.0.0.1";
  auto started = http_server::start(
      io, std::move(identity), options, [this, how = std::move(how)](http_request request, http_reply reply) {
        {
          const std::lock_guard lock(mutex_);
          asked_.push_back(fmt::format("{} {}", request.target, find_header(request.headers, "Range")));
        }
        how(request, std::move(reply));
      });
  REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
  server_ = std::move(*started);
}

std::vector<std::string> holder::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

file_swarm::file_swarm(http_client_options options) {
  fetcher_->client = std::make_shared<http_client>(io_, identity_, options);
}

std::shared_ptr<sl_context> file_swarm::make_node(const std::string& name) {
  auto node = std::make_shared<sl_context>();
  node->store =
      std::make_shared<merge::model_store>(merge::testing::open_store((folder_.path() / name).string()));
  node->key = std::make_shared<const ledger::private_key>(ledger::private_key::make_random());
  node->board = std::make_shared<merge_progress_board>();
  node->io = std::shared_ptr<io_runtime>(std::shared_ptr<void>(), &io_);
  return node;
}

std::shared_ptr<const merge::model_file> file_swarm::make_model(std::size_t chunks) {
  bytes data(chunks * merge::chunk_size - merge::chunk_size / 2);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::uint8_t>(i * 31 + i / 4099 + chunks);
  const auto size = data.size();
  return merge::testing::store_model(*honest_->store, {{"w", merge::dtype::u8, {size}, std::move(data)}});
}

holder& file_swarm::add(holder::answer how) {
  return holders_.emplace_back(io_, identity_, std::move(how));
}

http_response file_swarm::honest_answer(const http_request& request) const {
  return answer_freely(*honest_, request);
}

holder& file_swarm::add_honest() {
  return add([this](const http_request& request, const http_reply& reply) { reply(honest_answer(request)); });
}

holder& file_swarm::add_with_data(holder::answer how) {
  return add([this, how = std::move(how)](const http_request& request, http_reply reply) {
    if (request.target.ends_with("/manifest")) return reply(honest_answer(request));
    how(request, std::move(reply));
  });
}

holder& file_swarm::add_fetching(const merge::model_file& model, const std::vector<std::uint64_t>& chunks) {
  const auto node = make_node(fmt::format("fetching-{}", parts_.size()));
  const auto part = node->store->part(model.manifest());
  REQUIRE(part);
  (*part)->share();
  for (const auto index : chunks)
    REQUIRE((*part)->put(
        index, model.raw().subspan(index * merge::chunk_size, model.manifest().size_of_chunk(index))));
  parts_.push_back(*part);
  return add(
      [node](const http_request& request, const http_reply& reply) { reply(answer_freely(*node, request)); });
}

void file_swarm::limit_store(std::uint64_t bytes) {
  fetcher_->store = std::make_shared<merge::model_store>(
      merge::testing::open_store((folder_.path() / "limited").string(), {.bytes_max = bytes}));
}

rounds::holder file_swarm::nobody() const {
  return {{}, host_port("127.0.0.1", test::raw_listener([](int) {}).port())};
}

result<merge::model_layout> file_swarm::fetch_layout(const merge::model_file& model, const hash32& layout,
                                                     std::vector<rounds::holder> from) {
  auto done = std::make_shared<test::waiting_for<result<merge::model_layout>>>();
  fetch_layout_async(fetcher_, model.digest(), model.size(), layout, std::move(from),
                     [done](result<merge::model_layout> got) { done->set(std::move(got)); });
  return done->get();
}

result<hash32> file_swarm::fetch(const merge::model_file& model, std::vector<rounds::holder> from) {
  return fetch(model.digest(), model.size(), std::move(from));
}

result<hash32> file_swarm::fetch(const hash32& digest, std::uint64_t size, std::vector<rounds::holder> from) {
  return fetch({digest, size, std::move(from)});
}

result<hash32> file_swarm::gather(const merge::model_file& model, std::vector<rounds::holder> from,
                                  std::vector<std::uint64_t> made_here) {
  return fetch({model.digest(), model.size(), std::move(from), true, {}, std::move(made_here)});
}

result<hash32> file_swarm::fetch(wanted_model what) {
  auto done = std::make_shared<test::waiting_for<result<hash32>>>();
  fetch_model_async(fetcher_, counters_, std::move(what), [done](result<hash32> layout) {
    CHECK_FALSE(done->ready()); // once
    done->set(std::move(layout));
  });
  return done->get();
}

} // namespace swarm::actors::testing
