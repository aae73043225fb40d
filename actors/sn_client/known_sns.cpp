#include "actors/sn_client/known_sns.hpp"

#include "base/file.hpp"

namespace swarm::actors {

namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;

} // namespace

std::vector<std::string> read_known_sns(const std::filesystem::path& file) {
  std::vector<std::string> out;
  const auto text = read_file(file, file_bytes_max).value_or("");
  for (std::size_t from = 0, end; (end = text.find('\n', from)) != std::string::npos; from = end + 1)
    out.push_back(text.substr(from, end - from));
  return out;
}

result<> write_known_sns(const std::filesystem::path& file, const std::vector<std::string>& endpoints) {
  std::string text;
  for (const auto& each : endpoints)
    text += each + '\n';
  return replace_file(file, as_bytes(text));
}

std::optional<hash32> read_known_genesis(const std::filesystem::path& file) {
  auto text = read_file(file, file_bytes_max).value_or("");
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  const auto hash = fixed_from_hex<32>(text);
  return hash ? std::optional(*hash) : std::nullopt;
}

std::string network_name(const std::optional<hash32>& given, const std::filesystem::path& file) {
  const auto genesis = given ? given : read_known_genesis(file);
  return genesis ? to_hex(genesis->view(), false).substr(0, 8) : std::string{};
}

result<> write_known_genesis(const std::filesystem::path& file, const hash32& hash) {
  return replace_file(file, as_bytes(to_hex(hash.view()) + '\n'));
}

} // namespace swarm::actors
