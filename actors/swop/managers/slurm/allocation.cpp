#include "actors/swop/managers/slurm/allocation.hpp"

#include "actors/swop/managers/manager.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace swarm::managers::slurm {

namespace fs = std::filesystem;

namespace {

/// Arguments: the folder, swarm-shim, the folder on this node's disk, how those of this SWOP begin, the word for the node's
/// address. Who has such a folder holds its lock: one that nobody holds was left when this node went down.
constexpr std::string_view script_text = R"bash(#!/bin/bash
PATH=/usr/sbin:/usr/bin:/sbin:/bin
allocation=$1 shim=$2 disk=$3 own=$4 word=$5
umask 077
mkdir -m 711 "$disk.new" && mkdir -m 777 "$disk.new/channel" && chmod 777 "$disk.new/channel" || exit 1
exec 9>"$disk.new/lock" && flock 9 && mv "$disk.new" "$disk" || exit 1
trap 'rm -rf "$disk" "$allocation"' EXIT
for each in "$own"*/lock; do
  [[ ! -e $each || $each == "$disk/lock" ]] || flock -n "$each" rm -rf "${each%/lock}" 2>/dev/null
done
address=$(getent ahostsv4 "${SLURMD_NODENAME:-}" | awk '$1 !~ /^127\./ { print $1; exit }')
[[ -n $address ]] || address=$(hostname -I | awk '{ print $1 }')
[[ -n $address ]] || address=127.0.0.1

run() { # FOLDER
  exec 9>&-
  sed -i "s/$word/$address/g" "$1/spec.json"
  "$shim" run "$1" 3> >(cat >"$1/report.new" && mv "$1/report.new" "$1/report") </dev/null >/dev/null 2>&1
  : >"$1/shim-gone"
}

last=$SECONDS
while [[ -d $allocation && ! -e $allocation/closed ]]; do
  for each in "$allocation"/*.wanted; do
    [[ -e $each ]] || continue
    mv "$each" "${each%.wanted}.taken"
    run "$(<"${each%.wanted}.taken")" &
  done
  [[ -z $(jobs -rp) ]] || last=$SECONDS
  ((SECONDS - last < 10)) || break
  sleep 0.1
done
[[ ! -d $allocation ]] || : >"$allocation/closed"
wait
)bash";

} // namespace

result<allocation> allocation::make(const fs::path& folder, const std::string& name) {
  allocation out(folder / fmt::format("{}@{}", name, unix_milliseconds()));
  if (::mkdir(out.where_.c_str(), 0700) != 0)
    return fail(manager_errc::io, "{}: cannot be made: {}", out.where_.native(), std::strerror(errno));
  SWARM_CHECK(create_file(out.script(), as_bytes(script_text)));
  return out;
}

result<> allocation::want(const std::string& name, const fs::path& folder) const {
  // The script must never see half of it.
  return replace_file(where_ / (name + ".wanted"), as_bytes(folder.native()));
}

bool allocation::is_closed() const {
  std::error_code ignored;
  return !fs::exists(where_, ignored) || fs::exists(where_ / "closed", ignored);
}

void allocation::close() const {
  std::ignore = create_file(where_ / "closed", {});
}

void allocation::remove() const {
  std::error_code ignored;
  fs::remove_all(where_, ignored);
}

} // namespace swarm::managers::slurm
