#pragma once

#include "merge/store/model_store.hpp"
#include "transport/ml_channel/memory/program_memory.hpp"
#include "transport/ml_channel/wire.hpp"

#include <memory>
#include <string_view>

namespace swarm::ml {

/// Reads dtype('float32') and the like, and dtype('bfloat16') as our own client writes it. Fails with
/// wire_errc::bad_weights, which names the type, for any other.
result<merge::dtype> parse_numpy_dtype(std::string_view text);
std::string_view numpy_dtype(merge::dtype type);

/// Checks the arrays (dtype, shape against bytes of data, limits) and stores them as a model. 0-d integers
/// become 0-d F64, since they are merged so and the client can load only such values; all others keep type
/// and shape. The bytes go from the message into the file without a copy in between.
result<std::shared_ptr<const merge::model_file>> store_weights(const weights_view& weights,
                                                               merge::model_store& store);

/// The same for a model that is in the program's memory, as a file whose beginning is the canonical header of its
/// layout; the program has made 0-d integers F64 already. Each byte is read once, so that it does not matter
/// what the program does with it meanwhile. A model is refused that is larger than the memory that there is.
result<std::shared_ptr<const merge::model_file>>
store_weights(const program_memory& memory, const memory_place& place, merge::model_store& store);

/// A get_loss_request that carries the whole model; its pieces point into the mapped file.
/// `request.merged_params` is ignored. Fails with wire_errc::oversize when the body would be larger
/// than 2 GiB - 1.
result<outgoing> encode_loss_request(const loss_request& request,
                                     std::shared_ptr<const merge::model_file> model);

} // namespace swarm::ml
