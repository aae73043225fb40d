#include "actors/sl/follower/session_note.hpp"

#include "contracts/training/interface.hpp"

#include <fstream>

namespace swarm::actors {

session_note::session_note(std::filesystem::path path) : path_(std::move(path)) {
  std::ifstream in(path_);
  std::string name(contracts::training_name_bytes_max + 1, '\0');
  in.read(name.data(), static_cast<std::streamsize>(name.size()));
  name.resize(static_cast<std::size_t>(in.gcount()));
  if (contracts::is_training_name(name)) kept_ = std::move(name);
}

result<> session_note::keep(const std::string& contract) {
  if (contract == kept_) return {};
  kept_ = contract; // also when it fails: one message is enough
  std::error_code failed;
  if (contract.empty()) {
    std::filesystem::remove(path_, failed);
  } else {
    auto beside = path_;
    beside += ".new";
    std::ofstream out(beside, std::ios::trunc);
    out << contract;
    out.close();
    if (!out) return fail(errc::io, "{}: cannot be written", beside.string());
    std::filesystem::rename(beside, path_, failed);
  }
  if (failed) return fail(errc::io, "{}: {}", path_.string(), failed.message());
  return {};
}

} // namespace swarm::actors
