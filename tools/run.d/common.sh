# shellcheck shell=bash
# Helpers of ./run: messages and limits. Sourced, with the working directory at the root of the tree.

say() {
  if [[ -t 2 ]]; then printf '\033[1m==> %s\033[0m\n' "$*" >&2; else printf '==> %s\n' "$*" >&2; fi
}
warn() { printf './run: %s\n' "$*" >&2; }
die() {
  warn "$*"
  exit 2
}

# Compiling one file takes up to 1.5 GB with the heavy headers; never start more than memory can hold.
job_count() {
  local by_cores by_memory
  by_cores=${SWARM_JOBS:-$(nproc)}
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
  ((by_memory < 1)) && by_memory=1
  echo $((by_cores < by_memory ? by_cores : by_memory))
}

# quietly COMMAND...: shows what it printed only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || tail -n 30 "$log" >&2
  rm -f "$log"
  return $status
}

# configure PRESET: makes its build directory, afresh when the presets have changed, and brings it up to the targets
# there are now.
configure() {
  local presets
  presets=$(hash_of <CMakePresets.json)
  if ! stamp_matches "build/$1/presets" "$presets" || [[ ! -f build/$1/build.ninja ]]; then
    cmake --fresh --preset "$1" --log-level=WARNING || return 1
    stamp "build/$1/presets" "$presets"
  fi
  ninja -C "build/$1" build.ninja >/dev/null
}

# stamp_matches FILE HASH and stamp FILE HASH: has this been done already, for exactly these inputs?
stamp_matches() { [[ -f $1 && $(<"$1") == "$2" ]]; }
stamp() {
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1"
}
hash_of() { sha256sum | cut -d' ' -f1; }

# Lets ccache serve files that use precompiled headers, and serve one clone of the tree what another has compiled.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
