#include "contracts/abi/codec.hpp"

namespace swarm::contracts::abi {

void append_length(bytes& out, std::size_t length) {
  out.resize(out.size() + word_size);
  put_be64(out.data() + out.size() - 8, length);
}

void append_padded(bytes& out, bytes_view raw) {
  const auto start = out.size();
  out.resize(start + (raw.size() + word_size - 1) / word_size * word_size);
  std::copy(raw.begin(), raw.end(), out.begin() + static_cast<std::ptrdiff_t>(start));
}

void append_type(std::string& list, const std::string& name) {
  if (!list.empty()) list += ',';
  list += name;
}

} // namespace swarm::contracts::abi
