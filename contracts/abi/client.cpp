#include "contracts/abi/client.hpp"

#include "contracts/abi/error.hpp"
#include "contracts/abi/reader.hpp"

namespace swarm::contracts {

result<std::uint64_t> count_of(const result<u256>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  if (!answer->fits_u64()) return fail(abi::rule::out_of_range, "a count of more than 64 bits");
  return answer->to_u64();
}

std::string revert_text(bytes_view output) {
  return abi::describe_error(output);
}

} // namespace swarm::contracts
