#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace swarm::swci {

/// The operator's folder as commands see it: /platform/swarm/usr, whatever the host calls it. Arithmetic on
/// texts: what exists, and where symbolic links lead, is the caller's to check. Paths inside are relative
/// to the folder ("taskdefs/build.yaml"), and "" is the folder itself.
class user_folder {
public:
  static constexpr std::string_view shown_root = "/platform/swarm/usr";

  /// `on_host` is absolute.
  explicit user_folder(std::string on_host);

  /// The path inside that `text` means when `working` is the working folder, itself such a path. An
  /// absolute text begins with /platform/swarm/usr or with the folder's path on the host. Fails with
  /// errc::denied when it leads outside.
  result<std::string> inside(std::string_view working, std::string_view text) const;

  /// How operators see a path inside, and what it is called on the host.
  static std::string shown(std::string_view inside);
  std::string on_host(std::string_view inside) const;

private:
  std::string host_root_;
};

} // namespace swarm::swci
