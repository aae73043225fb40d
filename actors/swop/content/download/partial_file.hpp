#pragma once

#include "base/file.hpp"
#include "base/hash.hpp"

#include <optional>

namespace swarm::content {

/// A file under way. What is on the disk for certain, and of which version of the remote file it is, stands in a
/// note beside it, so that a later download of the same address, by another process too, goes on there.
class partial_file {
public:
  /// Opens or makes `path`, which is locked while the object lives. What is there of another address is
  /// dropped.
  static result<partial_file> open(std::filesystem::path path, std::string_view address);

  std::uint64_t bytes() const { return bytes_; }
  /// What the server called this version (ETag or Last-Modified); empty when it said nothing.
  const std::string& version() const { return version_; }
  /// Begins again, with another version.
  result<> restart(std::string version);
  result<> append(bytes_view data);
  /// SHA-256 of everything.
  hash32 finish_digest() { return digest_.finish(); }
  /// Brings all to the disk and writes the note.
  result<> keep() const;
  /// Brings all to the disk and gives the file its name, in place of what was there.
  result<> publish(const std::filesystem::path& to) const;
  void discard() const;

private:
  partial_file(file open, hash32 address) : file_(std::move(open)), address_(address) {}
  std::filesystem::path note_path() const;
  result<> resume();

  file file_;
  hash32 address_;
  std::uint64_t bytes_ = 0;
  std::uint64_t kept_ = 0;
  std::string version_;
  sha256_stream digest_;
};

} // namespace swarm::content
