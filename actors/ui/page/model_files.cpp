#include "actors/ui/page/model_files.hpp"

namespace swarm::ui {

namespace {

constexpr std::string_view folder = "/models/", ending = ".safetensors";
constexpr std::size_t digits = 64;

} // namespace

std::string model_file_name(const hash32& digest) {
  return to_hex(digest.view(), false) + std::string(ending);
}

std::string model_path(const hash32& digest) {
  return std::string(folder) + model_file_name(digest);
}

std::optional<hash32> model_of_path(std::string_view path) {
  if (path.size() != folder.size() + digits + ending.size() || !path.starts_with(folder)) return std::nullopt;
  const auto digest = fixed_from_hex<32>("0x" + std::string(path.substr(folder.size(), digits)));
  if (!digest || path != model_path(*digest)) return std::nullopt;
  return *digest;
}

} // namespace swarm::ui
