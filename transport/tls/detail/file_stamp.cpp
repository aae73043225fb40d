#include "transport/tls/detail/file_stamp.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace swarm::transport {

namespace fs = std::filesystem;

namespace {

void add(std::string& to, const fs::path& file) {
  struct stat info {};
  if (file.empty()) return;
  to += file.native();
  if (stat(file.c_str(), &info) != 0) {
    to += fmt::format(" {}\n", errno);
    return;
  }
  to += fmt::format(" {} {} {} {}.{} {}.{}\n", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                    info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

template <class Wanted>
void add_folder(std::string& to, const fs::path& folder, Wanted wanted) {
  std::vector<fs::path> files;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    if (it->path().filename().native().front() != '.' && wanted(it->path())) files.push_back(it->path());
  if (ec) to += fmt::format("{} {}\n", folder.native(), ec.value());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    add(to, file);
}

} // namespace

bool is_named_crl(const fs::path& file) {
  auto name = file.filename().native();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name.front() != '.' && name.find("crl") != std::string::npos;
}

std::string stamp_of(const tls_files& files) {
  std::string out;
  add(out, files.cert);
  add(out, files.key);
  add(out, files.cacert);
  if (!files.cacert.empty()) add_folder(out, fs::absolute(files.cacert).parent_path(), is_named_crl);
  if (!files.capath.empty()) add_folder(out, files.capath, [](const fs::path&) { return true; });
  return out;
}

} // namespace swarm::transport
