# shellcheck shell=bash
# ./run package. Sourced by ./run.

PACKAGES=$ROOT/build/packages
PACKAGE_VENV=$ROOT/build/package-venv

# What wheels are made with, in a folder of its own: it needs neither torch nor the rest of .venv.
need_package_python() {
  local wanted
  wanted=$({ "$PYTHON" --version && cat tools/run.d/requirements-package.txt; } | hash_of)
  stamp_matches "$PACKAGE_VENV/stamp" "$wanted" && return
  [[ ${SWARM_SKIP_INSTALL:-} == 1 ]] && die "SWARM_SKIP_INSTALL is set, but $PACKAGE_VENV is missing or out of date"
  say "installing Python packages: tools/run.d/requirements-package.txt"
  "$PYTHON" -m venv --clear "$PACKAGE_VENV" || die "cannot make $PACKAGE_VENV; is the package python3-venv installed?"
  quietly "$PACKAGE_VENV/bin/python" -m pip --disable-pip-version-check --no-input install \
    -r tools/run.d/requirements-package.txt || die "pip could not install what wheels are made with"
  stamp "$PACKAGE_VENV/stamp" "$wanted"
}

command_package() {
  local kinds=("$@") kind
  ((${#kinds[@]})) || kinds=(deb wheel)
  for kind in "${kinds[@]}"; do [[ $kind == deb || $kind == wheel ]] || die "package: deb or wheel, not '$kind'"; done
  need package
  build release swarmd swarm-shim swarm-merge-worker
  mkdir -p "$PACKAGES"
  for kind in "${kinds[@]}"; do
    if [[ $kind == deb ]]; then
      deploy/deb/build build/release/bin "$PACKAGES"
    else
      need_package_python
      PYTHON=$PACKAGE_VENV/bin/python deploy/wheel/build build/release/bin "$PACKAGES"
    fi
  done
}
