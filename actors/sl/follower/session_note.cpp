#include "actors/sl/follower/session_note.hpp"

#include "base/file.hpp"
#include "contracts/training/interface.hpp"

namespace swarm::actors {

session_note::session_note(std::filesystem::path path) : path_(std::move(path)) {
  auto name = read_file(path_, contracts::training_name_bytes_max);
  if (name && contracts::is_training_name(*name)) kept_ = std::move(*name);
}

result<> session_note::keep(const std::string& contract) {
  if (contract == kept_) return {};
  kept_ = contract; // even when writing fails, as one message is enough
  if (!contract.empty()) return replace_file(path_, as_bytes(contract));
  if (auto removed = remove_file(path_); !removed) return tl::unexpected(std::move(removed).error());
  return {};
}

} // namespace swarm::actors
