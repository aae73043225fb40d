#include "actors/sn_client/known_sns.hpp"

#include <fstream>

namespace swarm::actors {

namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;

} // namespace

std::vector<std::string> read_known_sns(const std::filesystem::path& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  std::string text(file_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  for (std::size_t from = 0, end; (end = text.find('\n', from)) != std::string::npos; from = end + 1)
    out.push_back(text.substr(from, end - from));
  return out;
}

result<> write_known_sns(const std::filesystem::path& file, const std::vector<std::string>& endpoints) {
  auto beside = file;
  beside += ".new";
  std::ofstream out(beside, std::ios::trunc);
  for (const auto& each : endpoints)
    out << each << '\n';
  out.close();
  if (!out) return fail(errc::io, "{}: cannot be written", beside.string());
  std::error_code failure;
  std::filesystem::rename(beside, file, failure);
  if (failure) return fail(errc::io, "{}: {}", file.string(), failure.message());
  return {};
}

} // namespace swarm::actors
