#include "actors/swop/managers/docker/program_notes.hpp"

#include "base/file.hpp"

namespace swarm::managers {

namespace {
constexpr std::string_view told_word = "told", deadline_word = "deadline";
} // namespace

result<program_notes> program_notes::open(std::filesystem::path folder) {
  SWARM_CHECK(make_folders(folder, 0700));
  return program_notes(std::move(folder));
}

result<> program_notes::note(const std::string& name, ending_cause why) const {
  auto made =
      create_file(folder_ / name, as_bytes(why == ending_cause::deadline ? deadline_word : told_word));
  if (!made && !made.error().is(file_errc::exists)) return made;
  return {};
}

std::optional<ending_cause> program_notes::noted(const std::string& name) const {
  const auto text = read_file(folder_ / name, 100);
  if (!text) return std::nullopt;
  return *text == deadline_word ? ending_cause::deadline : ending_cause::told;
}

void program_notes::forget(const std::string& name) const {
  std::ignore = remove_file(folder_ / name);
}

} // namespace swarm::managers
