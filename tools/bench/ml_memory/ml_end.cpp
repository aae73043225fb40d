#include "merge/store/model_store.hpp"
#include "transport/ml_channel/fifo_channel.hpp"
#include "transport/ml_channel/memory/memory_socket.hpp"
#include "transport/ml_channel/weights.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// ml_end FOLDER MiB store|move: the SL's end of a channel in FOLDER for one program, whose every sync is
// answered by a model of so many tensors of 1 MiB. With "store" it stores what the program gives, with "move" it
// only copies each chunk out once, as the store does.

namespace {

using namespace swarm;

template <class T>
T must(result<T> from) {
  if (from) return std::move(*from);
  fmt::print(stderr, "ml_end: {}\n", from.error().message);
  std::exit(1);
}

void must(result<> from) {
  if (!from) must(result<int>(tl::unexpected(std::move(from).error())));
}

std::shared_ptr<const merge::model_file> make_merge(merge::model_store& store, std::size_t tensors) {
  constexpr std::uint64_t elements = (1u << 20) / sizeof(float);
  std::vector<merge::tensor_spec> specs;
  for (std::size_t i = 0; i < tensors; ++i)
    specs.push_back({fmt::format("layer.{:05}", i), merge::dtype::f32, {elements}});
  const auto layout = must(merge::model_layout::make(std::move(specs)));
  const bytes values(1u << 20, 0x3f);
  return must(store.put(layout, std::vector<bytes_view>(tensors, values)));
}

class sl_end {
public:
  sl_end(const std::string& folder, std::size_t tensors, bool stores)
      : stores_(stores), store_(must(merge::model_store::open_directory(folder + "/models"))),
        merge_(make_merge(store_, tensors)), socket_(must(ml::memory_socket::make(folder + "/memory", {}))) {
    ml::fifo_handlers handlers;
    handlers.on_open = [] {};
    handlers.on_message = [this](ml::header head, const ml::body_buffer& body) {
      take(head.type, body.view());
    };
    handlers.on_closed = [this](const std::string&) { over_.set_value(); };
    channel_ = must(ml::fifo_channel::create(
        {.request_path = folder + "/request", .response_path = folder + "/response"}, std::move(handlers)));
  }

  void wait() { over_.get_future().wait(); }

private:
  void take(ml::msg_type type, bytes_view body) {
    if (type == ml::msg_type::open_session_request) {
      ml::session_response response{.status = {}, .session_id = "bench", .memory_socket = {}};
      if (must(ml::decode_session_request(body)).shares_memory) response.memory_socket = socket_.name();
      must(channel_->send(ml::make_outgoing(response)));
    } else if (type == ml::msg_type::sync_request) {
      const auto request = must(ml::decode_sync_request(body));
      seq_num_ = request.sync_seq_num;
      take_model(request);
      answer(request);
    } else if (type == ml::msg_type::get_loss_response) {
      must(channel_->send(ml::make_outgoing(
          ml::msg_type::sync_response,
          ml::sync_response{
              .session_id = "bench", .sync_seq_num = seq_num_, .status = {}, .next_sync_interval = 1})));
    }
  }

  void take_model(const ml::sync_request& request) {
    if (!request.input_memory) {
      if (stores_) given_ = must(ml::store_weights(request.input_params, store_))->digest();
      return; // it is in this process's memory
    }
    const auto& place = *request.input_memory;
    if (!memory_ || place.region != region_) memory_.emplace(must(socket_.take("bench", place.region)));
    region_ = place.region;
    if (stores_) {
      given_ = must(ml::store_weights(*memory_, place, store_))->digest();
      return;
    }
    tbb::enumerable_thread_specific<bytes> buffers([] { return bytes(merge::chunk_size); });
    tbb::parallel_for(
        std::uint64_t{0}, (place.size + merge::chunk_size - 1) / merge::chunk_size, [&](std::uint64_t i) {
          const auto at = i * merge::chunk_size;
          must(memory_->read(place.slot, at,
                             std::span(buffers.local()).first(std::min(merge::chunk_size, place.size - at))));
        });
  }

  void answer(const ml::sync_request& request) {
    ml::loss_request loss{.session_id = "bench", .sync_seq_num = seq_num_, .loss_seq_num = 1};
    if (request.input_memory) {
      must(memory_->write(request.input_memory->slot, merge_->raw()));
      loss.merged_memory = ml::memory_place{region_, request.input_memory->slot, merge_->size()};
      must(channel_->send(ml::make_outgoing(ml::msg_type::get_loss_request, ml::encode(loss))));
    } else {
      must(channel_->send(must(ml::encode_loss_request(loss, merge_))));
    }
    if (given_ && *given_ != merge_->digest()) store_.remove(*given_);
  }

  bool stores_;
  merge::model_store store_;
  std::shared_ptr<const merge::model_file> merge_;
  ml::memory_socket socket_;
  std::optional<ml::program_memory> memory_;
  std::int32_t region_ = 0, seq_num_ = 0;
  std::optional<hash32> given_;
  std::promise<void> over_;
  std::unique_ptr<ml::fifo_channel> channel_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  sl_end end(argv[1], std::strtoul(argv[2], nullptr, 10), std::string_view(argv[3]) == "store");
  end.wait();
}
