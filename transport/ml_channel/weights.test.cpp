#include "transport/ml_channel/weights.hpp"

#include "base/testing/wording.hpp"
#include "merge/methods/merge.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace weights_test {

using namespace swarm;
using namespace swarm::ml;
using namespace swarm::merge::testing;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

template <class T>
wording message_of(const result<T>& from) {
  return from ? "no error" : from.error().message;
}

bytes whole(const outgoing& message) {
  bytes out;
  for (const auto& piece : message.pieces)
    out.insert(out.end(), piece.begin(), piece.end());
  CHECK(out.size() == message.size);
  return out;
}

} // namespace

TEST_CASE("numpy's names of types go both ways") {
  for (int i = 0; i <= static_cast<int>(merge::dtype::u64); ++i) {
    const auto type = static_cast<merge::dtype>(i);
    CHECK(parse_numpy_dtype(numpy_dtype(type)).value() == type);
  }
  CHECK(numpy_dtype(merge::dtype::f32) == "dtype('float32')");
  CHECK(numpy_dtype(merge::dtype::boolean) == "dtype('bool')");
  CHECK(numpy_dtype(merge::dtype::bf16) == "dtype('bfloat16')");
  for (const auto* other :
       {"dtype('>f4')", "dtype('complex64')", "dtype('<U3')", "float32", "", "dtype('O')"})
    CHECK(parse_numpy_dtype(other).error().is(wire_errc::bad_weights));
}

TEST_CASE("weights become a model and come back, 0-d integers as float64") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto matrix = raw_of<float>({1, 2, 3, 4, 5, 6});
  const auto tracked = raw_of<std::int64_t>({-7});
  const auto counter = raw_of<std::uint8_t>({200});
  const auto whole_numbers = raw_of<std::int32_t>({1, 2});
  const auto scale = raw_of<float>({0.5});
  const bytes flag{1};
  const auto brain = raw_of<std::uint16_t>({0x3f80, 0x4000});
  const weights_view weights{{"dense/kernel:0", "dtype('float32')", {2, 3}, matrix},
                             {"bn.num_batches_tracked", "dtype('int64')", {}, tracked},
                             {"counter", "dtype('uint8')", {}, counter},
                             {"ints", "dtype('int32')", {2}, whole_numbers},
                             {"scale", "dtype('float32')", {}, scale},
                             {"flag", "dtype('bool')", {}, flag},
                             {"brain", "dtype('bfloat16')", {2}, brain},
                             {"none", "dtype('float32')", {0}, {}}};
  const auto model = store_weights(weights, store);
  REQUIRE_MESSAGE(model, message_of(model));
  const auto& layout = (*model)->layout();
  REQUIRE(layout.tensors().size() == weights.size());
  CHECK(to_bytes((*model)->data(*layout.find("dense/kernel:0"))) == matrix);
  CHECK(layout.find("bn.num_batches_tracked")->type == merge::dtype::f64);
  CHECK(values_of<double>((*model)->data(*layout.find("bn.num_batches_tracked"))) == std::vector<double>{-7});
  CHECK(values_of<double>((*model)->data(*layout.find("counter"))) == std::vector<double>{200});

  const auto message = encode_loss_request({"s-1", 3, 2, {}}, *model);
  REQUIRE_MESSAGE(message, message_of(message));
  CHECK(message->type == msg_type::get_loss_request);
  const auto raw = whole(*message);
  const auto back = decode_loss_request(raw);
  REQUIRE_MESSAGE(back, message_of(back));
  CHECK(back->session_id == "s-1");
  CHECK(back->sync_seq_num == 3);
  CHECK(back->loss_seq_num == 2);
  REQUIRE(back->merged_params.size() == weights.size());
  CHECK(encode(*back) == raw); // the pieces are the same as one encoding
  for (const auto& array : back->merged_params) {
    const auto original =
        std::find_if(weights.begin(), weights.end(), [&](const auto& w) { return w.name == array.name; });
    REQUIRE(original != weights.end());
    CHECK(array.shape == original->shape);
    const bool integer_scalar = array.name == "bn.num_batches_tracked" || array.name == "counter";
    CHECK(array.dtype == (integer_scalar ? "dtype('float64')" : original->dtype));
    if (!integer_scalar) CHECK(to_bytes(array.data) == to_bytes(original->data));
  }
  // The data of a model is sent from the mapped file, not from a copy.
  std::size_t in_file = 0;
  for (const auto& piece : message->pieces) {
    if (piece.data() >= (*model)->raw().data() && piece.data() < (*model)->raw().data() + (*model)->size())
      ++in_file;
  }
  CHECK(in_file == 7);
}

TEST_CASE("every integer type becomes its value as float64 when it is 0-d") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const std::vector<std::pair<std::string, bytes>> minus_ones{{"int8", bytes(1, 0xff)},
                                                              {"int16", bytes(2, 0xff)},
                                                              {"int32", bytes(4, 0xff)},
                                                              {"int64", bytes(8, 0xff)}};
  for (const auto& [type, raw] : minus_ones) {
    const auto dtype = fmt::format("dtype('{}')", type), unsigned_dtype = fmt::format("dtype('u{}')", type);
    const auto model = store_weights({{"s", dtype, {}, raw}, {"u", unsigned_dtype, {}, raw}}, store);
    REQUIRE_MESSAGE(model, message_of(model));
    const auto value = [&](const char* name) {
      return values_of<double>((*model)->data(*(*model)->layout().find(name))).at(0);
    };
    CHECK(value("s") == -1);
    CHECK(value("u") == static_cast<double>(~0ull >> (64 - 8 * raw.size())));
  }
}

TEST_CASE("arrays that cannot be stored are named") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const bytes eight(8);
  const auto refused = [&](const weights_view& weights) {
    const auto model = store_weights(weights, store);
    CHECK(store.list().empty());
    return message_of(model);
  };
  CHECK(refused({}) == "the program sent no parameters; a model must have at least one");
  CHECK(refused({{"w", "dtype('complex64')", {1}, eight}})
            .starts_with("parameter 'w': the dtype 'dtype('complex64')' cannot be"));
  CHECK(refused({{"w", "dtype('float32')", {3}, eight}})
        == "parameter 'w': shape [3] of dtype('float32') needs 12 bytes, 8 came");
  CHECK(says(refused({{"w", "dtype('float32')", {}, eight}}), "needs 4 bytes, 8 came"));
  CHECK(says(refused({{"w", "dtype('float32')", {0, 5}, eight}}), "needs 0 bytes, 8 came"));
  CHECK(says(refused({{"w", "dtype('float32')", {4294967295, 4294967295, 4294967295}, eight}}),
             "is too large"));
  CHECK(says(refused({{"__metadata__", "dtype('float32')", {2}, eight}}), "__metadata__"));
  auto small = merge::model_store::open_directory(directory.file("small"), {.bytes_max = 64});
  REQUIRE(small);
  CHECK(store_weights({{"w", "dtype('float32')", {2}, eight}}, *small)
            .error()
            .is(merge::merge_errc::store_full));
}

TEST_CASE("a merge of two programs' weights goes back with their shapes") {
  const temp_directory directory;
  auto store = open_store(directory.path());
  const auto model_of = [&](float weight, std::int64_t steps) {
    const auto w = raw_of<float>({weight, weight});
    const auto n = raw_of<std::int64_t>({steps});
    auto model = store_weights({{"w", "dtype('float32')", {1, 2}, w}, {"n", "dtype('int64')", {}, n}}, store);
    REQUIRE(model);
    return *model;
  };
  const std::vector<merge::contribution> from{{model_of(1, 10), 1, "a"}, {model_of(3, 15), 1, "b"}};
  const auto merged = merge::merge_models(merge::merge_method::mean, from, store);
  REQUIRE(merged);
  const auto message = encode_loss_request({"s", 1, 1, {}}, merged->file);
  REQUIRE(message);
  const auto raw = whole(*message);
  const auto back = decode_loss_request(raw);
  REQUIRE(back);
  for (const auto& array : back->merged_params) {
    if (array.name == "w") {
      CHECK(array.shape == std::vector<std::uint32_t>{1, 2});
      CHECK(values_of<float>(array.data) == std::vector<float>{2, 2});
    } else {
      CHECK(array.dtype == "dtype('float64')");
      CHECK(array.shape.empty());
      CHECK(values_of<double>(array.data) == std::vector<double>{15}); // a counter is elected
    }
  }
}

} // namespace weights_test
