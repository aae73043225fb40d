# shellcheck shell=bash
# What each part of ./run needs, and how it gets there. Sourced by ./run.
#
#   need GROUP    installs what GROUP lacks: Debian packages, .venv, build/npm. Costs well under a second when
#                 everything is there.

# --- Debian packages ----------------------------------------------------------------------------------------------
# Debian 12's default Boost (1.74) is too old; its 1.81 packages carry the version in their names.
boost_suffix=""
if [[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") == bookworm ]]; then boost_suffix=1.81; fi

apt_build=(
  g++ cmake ninja-build ccache mold pkg-config
  libssl-dev libfmt-dev libspdlog-dev libtbb-dev libyaml-cpp-dev libcli11-dev libexpected-dev
  "libboost$boost_suffix-dev" "libboost-json$boost_suffix-dev"
  libcurl4-openssl-dev libarchive-dev libedit-dev libnghttp2-dev
  libcaf-dev librocksdb-dev libsecp256k1-dev libcrypto++-dev
  doctest-dev libbenchmark-dev
  prometheus-cpp-dev
)
apt_base=(python3 ca-certificates bubblewrap)
apt_demo=(openssl python3-venv)
apt_bench=(etcd-server etcd-client)
# Engines for tests, which start their own.
apt_test=(tmux docker.io podman runc busybox-static docker-registry)
apt_lint=(clang-tidy-19 shellcheck git)
apt_fuzz=(clang-19 libclang-rt-19-dev)
apt_model=(spin gcc)
apt_package=(dpkg-dev binutils)
apt_by_hand=(lintian debootstrap piuparts) # tests of packages with SWARM_PACKAGES=1
apt_test+=(curl) # by which the log collector reads blocks
apt_test+=(iproute2 iptables netavark aardvark-dns) # networks of engines, and names in Podman's
apt_test+=(prometheus) # with promtool
apt_test+=(slurm-wlm munge) # a cluster of one node
apt_test+=(adduser python3-numpy) # of packages that are installed into roots
apt_test+=(systemd systemd-container) # units are checked by systemd-analyze, and run in roots of docs/operate.md
apt_test+=(squid nginx-light libnginx-mod-stream haproxy) # the gates of hospitals (tests/integration/hospitals.py)
apt_test+=(bind9 bind9-dnsutils) # names of examples/reverse-proxy
# A browser for tests/integration/test_page.py, its driver, and letters for the screenshots in docs/.
apt_test+=(chromium chromium-driver fonts-inter)
# Programs, by the package that brings them when nothing else has: other sources of Node.js are as good. The page (ui/) is
# built with them.
commands_build=(node:nodejs npm:npm)
commands_test=(kubectl:kubernetes-client) # renders deploy/kubernetes
# Not in every release of Debian: without them their tests are skipped.
not_everywhere=" kubernetes-client "

missing_packages() {
  # dpkg-query fails when it does not know one of them, and still lists the others.
  local installed
  installed=$({ dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true; } |
    awk '$1 == "ii" { print $2 }')
  printf '%s\n' "$@" | grep -vxF -e "${installed:-none}" || true
}

install_packages() {
  [[ ${SWARM_SKIP_INSTALL:-} == 1 ]] && return
  if ! command -v dpkg-query >/dev/null; then
    warn "not a Debian system: please see to these packages yourself: $*"
    return
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) && return
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || die "these packages are missing and there is no sudo; as root, run
  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  quietly "${apt[@]}" update || warn "apt-get update failed; trying with the package lists there are"
  mapfile -t missing < <(those_to_be_had "${missing[@]}")
  ((${#missing[@]} == 0)) && return
  quietly "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]}"
  stop_services "${missing[@]}"
}

# Without those that this release of Debian has not and that can be done without.
those_to_be_had() {
  local each
  for each in "$@"; do
    [[ $not_everywhere != *" $each "* ]] || apt-cache show "$each" >/dev/null 2>&1 ||
      { warn "this release has no package $each: its tests are skipped" && continue; }
    echo "$each"
  done
}

# Tests start their own of these daemons: what was installed for them runs neither now nor after the next start.
declare -A services_of=([squid]=squid [nginx-light]=nginx [haproxy]=haproxy [bind9]=named [munge]=munge
  [slurm-wlm]="slurmctld slurmd" [prometheus]=prometheus)
stop_services() {
  [[ -d /run/systemd/system ]] || return 0
  local package units=()
  for package in "$@"; do
    # shellcheck disable=SC2206 # some have two
    [[ -z ${services_of[$package]:-} ]] || units+=(${services_of[$package]})
  done
  ((${#units[@]} == 0)) || quietly "${as_root[@]}" systemctl disable --now "${units[@]}" ||
    warn "these services may be running: ${units[*]}"
}

# The packages of those commands that are not on the PATH.
packages_of_commands() {
  local pair
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"; done
}

# --- Python -------------------------------------------------------------------------------------------------------
# The distribution's own interpreter, so that every machine of a release has the same one.
find_python() {
  PYTHON=/usr/bin/python3
  [[ -x $PYTHON ]] || PYTHON=$(command -v python3) || die "no python3 found"
}
VENV=$ROOT/.venv
TORCH_VERSION=2.13.0

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }

pip_quiet() { quietly "$VENV/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }

# Which torch to take, one word. PyPI's own build brings several gigabytes of GPU libraries, so on a machine
# without a GPU only builds made for the CPU are considered; versions are listed without downloading any.
choose_torch() {
  local wanted="$TORCH_VERSION+cpu"
  if "$VENV/bin/python" -c 'import torch' 2>/dev/null; then echo present; return; fi
  if has_gpu; then echo pypi; return; fi
  if "$VENV/bin/python" -m pip --disable-pip-version-check index versions torch 2>/dev/null |
    tr ',: ' '\n' | grep -xF "$wanted" >/dev/null; then
    echo configured-index
  elif "$VENV/bin/python" - <<'PY' 2>/dev/null
import urllib.request
urllib.request.urlopen("https://download.pytorch.org/whl/cpu/torch/", timeout=5).read(1)
PY
  then
    echo cpu-index
  else
    echo debian
  fi
}

install_torch() {
  local choice
  choice=$(choose_torch)
  case $choice in
    present) ;;
    pypi) say "installing torch $TORCH_VERSION for this machine's GPU" && pip_quiet install "torch==$TORCH_VERSION" ;;
    configured-index) say "installing torch $TORCH_VERSION (CPU)" && pip_quiet install "torch==$TORCH_VERSION+cpu" ;;
    cpu-index)
      say "installing torch $TORCH_VERSION (CPU) from the index of the PyTorch project"
      pip_quiet install --index-url https://download.pytorch.org/whl/cpu "torch==$TORCH_VERSION+cpu"
      ;;
    debian)
      say "no CPU build of torch $TORCH_VERSION is to be had by pip: taking Debian's"
      install_packages python3-torch
      "$PYTHON" -m venv --system-site-packages "$VENV"
      # Debian's torch is built against Debian's NumPy: keep pip from replacing that by another major version.
      "$VENV/bin/python" -c 'import numpy; print("numpy<%d" % (int(numpy.__version__.split(".")[0]) + 1))' \
        >"$VENV/constraints.txt"
      ;;
  esac
}

# need_python FILE...: .venv with torch and the requirements in these files, and the project's own package.
need_python() {
  local wanted done_mark arguments=() constraint=() file
  wanted=$({ echo "$TORCH_VERSION $ROOT" && "$PYTHON" --version && cat "$@"; } | hash_of)
  done_mark=$VENV/done/$(printf '%s\n' "$@" | hash_of)
  stamp_matches "$done_mark" "$wanted" && return
  [[ ${SWARM_SKIP_INSTALL:-} == 1 ]] && die "SWARM_SKIP_INSTALL is set, but .venv lacks what these list: $*"
  if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    "$PYTHON" -m venv --clear "$VENV" || die "cannot make $VENV; is the package python3-venv installed?"
  fi
  install_torch || die "torch could not be installed"
  say "installing Python packages: $*"
  for file in "$@"; do arguments+=(-r "$file"); done
  [[ -f $VENV/constraints.txt ]] && constraint=(-c "$VENV/constraints.txt")
  pip_quiet install "${constraint[@]}" "${arguments[@]}" || die "pip could not install what these list: $*"
  # The client package straight from the tree, so that an edit needs no reinstall.
  echo "$ROOT/python" >"$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/swarm.pth"
  stamp "$done_mark" "$wanted"
}

# --- npm ----------------------------------------------------------------------------------------------------------
NPM_DIR=$ROOT/build/npm
npm_packages=(ethers@6 solc@0.8 ws@8)

need_npm() {
  local wanted
  wanted=$(printf '%s\n' "${npm_packages[@]}" | hash_of)
  stamp_matches "$NPM_DIR/stamp" "$wanted" && return
  [[ ${SWARM_SKIP_INSTALL:-} == 1 ]] && return
  say "installing npm packages: ${npm_packages[*]}"
  mkdir -p "$NPM_DIR"
  [[ -f $NPM_DIR/package.json ]] || echo '{"private": true}' >"$NPM_DIR/package.json"
  quietly npm install --prefix "$NPM_DIR" --no-audit --no-fund --loglevel=error "${npm_packages[@]}" ||
    die "npm could not install: ${npm_packages[*]}"
  stamp "$NPM_DIR/stamp" "$wanted"
}

# What the page is built and tested with, exactly as ui/package-lock.json has it. Without it swarmd is built all the same,
# with the page that lies in ui/dist, if there is one.
need_page() {
  local wanted
  wanted=$(cat ui/package.json ui/package-lock.json | hash_of)
  stamp_matches ui/node_modules/stamp "$wanted" && return
  [[ ${SWARM_SKIP_INSTALL:-} == 1 ]] && return
  say "installing npm packages of the page"
  if quietly npm ci --prefix ui --ignore-scripts --no-audit --no-fund --loglevel=error; then
    stamp ui/node_modules/stamp "$wanted"
  else
    warn "npm could not install the packages of the page (ui/): this build is without it"
  fi
}

# --- groups -------------------------------------------------------------------------------------------------------
need() {
  local lists=tools/run.d packages=("${apt_base[@]}") requirements=() tools=()
  # All packages at once, so that whoever lacks the rights to install them is told once what is missing.
  case $1 in
    build) packages+=("${apt_build[@]}") ;;
    demo)
      packages+=("${apt_build[@]}" "${apt_demo[@]}")
      requirements=("$lists/requirements-demo.txt")
      ;;
    bench)
      packages+=("${apt_build[@]}" "${apt_demo[@]}" "${apt_bench[@]}")
      requirements=("$lists/requirements-demo.txt" "$lists/requirements-bench.txt")
      ;;
    lint)
      packages+=("${apt_build[@]}" "${apt_demo[@]}" "${apt_lint[@]}")
      requirements=("$lists/requirements-demo.txt" "$lists/requirements-test.txt")
      ;;
    fuzz) packages+=("${apt_build[@]}" "${apt_fuzz[@]}") ;;
    test)
      packages+=("${apt_build[@]}" "${apt_demo[@]}" "${apt_lint[@]}" "${apt_fuzz[@]}" "${apt_model[@]}" "${apt_test[@]}"
        "${apt_package[@]}")
      requirements=("$lists/requirements-demo.txt" "$lists/requirements-test.txt")
      ;;
    package)
      packages+=("${apt_build[@]}" "${apt_demo[@]}" "${apt_package[@]}")
      ;;
    by-hand) packages+=("${apt_package[@]}" "${apt_by_hand[@]}") ;;
    *) die "unknown group '$1'; there are build, demo, bench, lint, fuzz, test, package, by-hand" ;;
  esac
  local commands=("${commands_build[@]}")
  [[ $1 != test ]] || commands+=("${commands_test[@]}")
  mapfile -t tools < <(packages_of_commands "${commands[@]}")
  install_packages "${packages[@]}" "${tools[@]}"
  need_page
  find_python
  ((${#requirements[@]} == 0)) || need_python "${requirements[@]}"
  [[ $1 != test ]] || need_npm
}
