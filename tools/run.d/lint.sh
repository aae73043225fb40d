# shellcheck shell=bash
# ./run lint. Sourced by ./run. Every check is a function that explains its findings and returns non-zero on any.

CPP_FOLDERS=(base ledger contracts merge transport config actors tools tests)

cpp_files() { find "${CPP_FOLDERS[@]}" -name '*.hpp' -o -name '*.cpp' | sort; }
python_folders() { find python examples tests tools deploy -maxdepth 0 -type d 2>/dev/null; }
# Bash scripts by their first line; sourced ones by their suffix.
bash_files() {
  echo run
  grep -rlIE --include='*.sh' '' tools deploy tests examples .ci 2>/dev/null || true
  grep -rlIE '^#!.*\bbash' .ci tools deploy tests examples ledger 2>/dev/null || true
}

check_layers() { "$PYTHON" tools/check/check_includes && "$PYTHON" tools/check/check_tree; }

check_cpp_format() {
  local formatter=$VENV/bin/clang-format report status=0
  if [[ ${FIX:-} ]]; then
    cpp_files | xargs -r "$formatter" -i
    return
  fi
  report=$(cpp_files | xargs -r "$formatter" --dry-run -Werror 2>&1) || status=$?
  ((status == 0)) && return
  # One line for each file with the number of places, and what stopped the check, if anything did.
  awk -F: '/^[^ :]+:[0-9]+:[0-9]+: (error|warning)/ { places[$1]++; next } /^xargs:/ { print }
           END { for (file in places) printf "%s: %d places\n", file, places[file] }' <<<"$report" | sort >&2
  warn "not in house format; ./run lint --fix formats it"
  return 1
}

check_python() {
  local folders
  mapfile -t folders < <(python_folders)
  "$VENV/bin/ruff" check --quiet --config tools/run.d/ruff.toml --output-format concise ${FIX:+--fix} "${folders[@]}"
}

# The client package, under strict rules; pyproject.toml says of what else types are read.
check_types() {
  "$VENV/bin/mypy" --config-file python/pyproject.toml --python-executable "$VENV/bin/python" \
    --cache-dir build/mypy --no-error-summary python/swarmlearning
}

# The management page; the compiler comes from its lock file.
check_page() { npm run --prefix ui --silent check; }

check_bash() {
  local file failed=0
  for file in $(bash_files | sort -u); do bash -n "$file" || failed=1; done
  if command -v shellcheck >/dev/null; then
    bash_files | sort -u | xargs shellcheck --external-sources --severity=info --exclude=SC1007 || failed=1
  fi
  return $failed
}

# C++ sources that differ from SWARM_LINT_BASE (default: where the upstream branch was left, or the last commit but
# one), or that are not committed.
changed_cpp_sources() {
  local from=${SWARM_LINT_BASE:-}
  [[ -n $from ]] || from=$(git merge-base HEAD '@{upstream}' 2>/dev/null || true)
  [[ -n $from && $from != "$(git rev-parse HEAD)" ]] || from=HEAD~1
  { git diff --name-only --diff-filter=d "$from" && git ls-files --others --exclude-standard; } |
    grep -E '\.cpp$' | sort -u || true
}

check_tidy() {
  local files
  mapfile -t files < <(changed_cpp_sources)
  ((${#files[@]})) || return 0
  configure lint || return 1
  printf '%s\n' "${files[@]}" |
    xargs -r -n 1 -P "$(job_count)" clang-tidy-19 -p build/lint --quiet ${FIX:+--fix} 2>/dev/null
}

command_lint() {
  FIX=""
  case ${1:-} in
    "") ;;
    --fix) FIX=1 ;;
    *) die "lint knows only --fix, not '$1'" ;;
  esac
  need lint
  local check failed=0
  for check in layers cpp_format python types page bash tidy; do
    say "lint: $check"
    "check_$check" || failed=1
  done
  return $failed
}
