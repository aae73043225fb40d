#include "actors/sl/files/known_merges.hpp"

#include "base/file.hpp"

#include <sstream>

namespace swarm::actors {

namespace {
constexpr std::size_t file_bytes_max = 64 * 1024;
}

std::vector<gate::model_gate::merge> read_known_merges(const std::filesystem::path& file) {
  std::vector<gate::model_gate::merge> out;
  const auto text = read_file(file, file_bytes_max);
  if (!text) return out;
  std::istringstream lines(*text);
  std::string digest, training;
  while (out.size() < gate::model_gate::merges_max && lines >> digest >> training)
    if (const auto known = fixed_from_hex<32>(digest); known && contracts::is_training_name(training))
      out.push_back({*known, training});
  return out;
}

result<> write_known_merges(const std::filesystem::path& path,
                            const std::vector<gate::model_gate::merge>& merges) {
  std::string text;
  for (const auto& each : merges)
    text += fmt::format("{} {}\n", to_hex(each.digest.view()), each.training);
  const auto draft = std::filesystem::path(path.native() + ".new");
  std::ignore = remove_file(draft);
  SWARM_TRY(auto to, file::create(draft));
  SWARM_CHECK(to.write_at(0, as_bytes(text)));
  return rename_file(draft, path);
}

} // namespace swarm::actors
