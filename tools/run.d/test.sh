# shellcheck shell=bash
# ./run test and ./run fuzz. Sourced by ./run.
#
# A stage writes JUnit files into build/test-results, or calls count; a stage that fails does not stop the next.

RESULTS=$ROOT/build/test-results

# count STAGE passed|failed|skipped NAME [WHY]
count() {
  printf '%s\t%s\t%s\n' "$2" "$1: $3" "${4:-}" >>"$RESULTS/counts"
  [[ $2 == passed ]] || printf '%s: %s: %s %s\n' "$1" "$3" "$2" "${4:-}" >&2
}

# failure_noted STAGE: does any of its results tell of a failure?
failure_noted() {
  grep -q "^failed$(printf '\t')$1: " "$RESULTS/counts" 2>/dev/null || grep -qE '<(failure|error)' "$RESULTS/$1.xml" 2>/dev/null
}

# check_counted STAGE NAME COMMAND...: one command that is one test.
check_counted() {
  local stage=$1 name=$2
  shift 2
  if "$@"; then count "$stage" passed "$name"; else count "$stage" failed "$name" "(exit $?)"; fi
}

# Sums all results; prints the failed ones and, last and alone on a line, "N passed, N failed".
print_totals() {
  "$PYTHON" - "$RESULTS" <<'PY'
import pathlib, re, sys
import xml.etree.ElementTree as ElementTree


def reasons(case):
    """What a failed C++ program says of its reasons, at most ten lines (a log that is cut has lost them)."""
    lines = (case.findtext("system-out") or "").splitlines()
    marks = re.compile(r"(: (FATAL )?ERROR:|Sanitizer|runtime error|terminate called|what\(\)|crashed|Unable to)")
    found = [line for at, line in enumerate(lines) if any(marks.search(near) for near in lines[max(at - 3, 0) : at + 1])]
    why = [each.get("message") or "" for kind in ("failure", "error") if (each := case.find(kind)) is not None]
    return [line for line in why + (found or lines[-5:]) if line.strip()][:10]


passed = failed = skipped = 0
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            print(f"failed: {file.stem}: {case.get('classname', '')} {case.get('name')}")
            print("".join(f"    {line[:300]}\n" for line in reasons(case)), end="")
        elif case.find("skipped") is not None:
            skipped += 1
            print(f"skipped: {file.stem}: {case.get('name')}: {(case.find('skipped').get('message') or '').strip()}")
        else:
            passed += 1
counts = pathlib.Path(sys.argv[1], "counts")
for line in counts.read_text().splitlines() if counts.exists() else []:
    outcome, name, why = line.split("\t")
    passed, failed, skipped = (n + (outcome == o) for n, o in
                               ((passed, "passed"), (failed, "failed"), (skipped, "skipped")))
    if outcome != "passed":
        print(f"{outcome}: {name} {why}")
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
PY
}

# programs_of PRESET PREFIX: the programs named PREFIX_* that a configured preset builds, as bin/NAME.
programs_of() { ninja -C "build/$1" -t targets all | sed -n "s,^\(bin/$2_[a-z0-9_]*\): CXX_EXECUTABLE_LINKER.*,\1,p"; }

# run_ctest STAGE PRESET [FILTER [EXCEPT]]
run_ctest() {
  ctest --test-dir "build/$2" --output-on-failure --parallel "$(nproc)" --no-tests=ignore \
    --output-junit "$RESULTS/$1.xml" ${3:+-R "$3"} ${4:+-E "$4"} >"$RESULTS/$1.log" 2>&1 ||
    { cat "$RESULTS/$1.log" && return 1; }
}

stage_lint() {
  local check
  for check in layers cpp_format python types page bash; do check_counted lint "$check" "check_$check"; done
}

# The formal model of the round changes: one test for each case it prints.
stage_model() {
  local status=0 name verdict
  ledger/consensus/model/check >"$RESULTS/model.log" || status=$?
  while read -r name verdict _; do
    if [[ $verdict == ok ]]; then count model passed "$name"; else count model failed "$name" "see $RESULTS/model.log"; fi
  done <"$RESULTS/model.log"
  ((status < 2)) || count model failed "the verification itself" "(exit $status)"
}

stage_build() { check_counted build release build release; }

# Programs that simulate for minutes; with a filter they are unit tests like others.
SIMULATING='^test_(simulator|siege)$'
stage_unit() { if [[ $FILTER ]]; then run_ctest unit release "$FILTER"; else run_ctest unit release "" "$SIMULATING"; fi; }

# Those programs, some networks of the abstract chain, and of the real one; thousands are for `./run sim` by hand.
stage_sim() {
  run_ctest sim release "$SIMULATING"
  check_counted sim "300 networks" run_sim --seeds 300 --hours 0.01
  check_counted sim "6 networks of real chains" run_sim --seeds 6 --hours 0.005 --chain
  check_counted sim "2 sieges" run_sim --siege --seeds 2 --honest-sns 2
}

# What the stages asan and fuzz run, from one build with both kinds of instrumentation.
sanitized_programs() { programs_of asan test && programs_of asan fuzz; }

# The sanitized programs are built and run until minute SANITIZED_MINUTES of the whole run. Without a compiler cache their
# build takes longer than all the rest, so it is not even begun when the other one has not ended by SANITIZED_BY.
SANITIZED_MINUTES=${SWARM_SANITIZED_MINUTES:-56} SANITIZED_BY=15
seconds_left() { echo $((SANITIZED_MINUTES * 60 - SECONDS)); }

# Begins that build while the Python tests have the machine before it; what is not built in time is skipped by name.
SANITIZED_BUILD="" SANITIZED_CUT=false
begin_sanitized_build() {
  local programs
  ((SECONDS < SANITIZED_BY * 60)) || { SANITIZED_CUT=true && return; }
  configure asan || return 1
  mapfile -t programs < <(sanitized_programs)
  in_background nice -n 19 ninja -C build/asan -k 0 -j "$(job_count)" "${programs[@]}" >"$RESULTS/asan-build.log" 2>&1
  SANITIZED_BUILD=$!
}
end_sanitized_build() {
  while [[ -n $SANITIZED_BUILD ]] && kill -0 "$SANITIZED_BUILD" 2>/dev/null; do
    (($(seconds_left) > 0)) || { SANITIZED_CUT=true && kill -- "-$SANITIZED_BUILD"; } || true
    sleep 1
  done
  SANITIZED_BUILD=""
}

# take_ready STAGE test|fuzz: sets `ready` to the programs that are built. The others are skipped when the build was cut
# short; else it has failed.
take_ready() {
  local program
  ready=()
  if $SANITIZED_CUT && [[ ! -f build/asan/build.ninja ]]; then
    count "$1" skipped "all sanitized programs" "there is no time to build them without a compiler cache" && return
  fi
  if ! configure asan || [[ -z $(programs_of asan "$2") ]]; then count "$1" failed "the sanitized build"; fi
  for program in $(programs_of asan "$2"); do
    if [[ $(ninja -C build/asan -n "$program") == *"no work to do"* ]]; then
      ready+=("$program")
    elif $SANITIZED_CUT; then
      count "$1" skipped "${program#bin/}" "not built in time"
    else
      count "$1" failed "${program#bin/}" "not built, see $RESULTS/asan-build.log"
    fi
  done
}

# The unit tests once more under the address and undefined-behaviour sanitizers, as many at a time as there are
# processors. What is not done in time is skipped by name.
stage_asan() {
  local ready program until
  if grep -qs '^FAILED: ' "$RESULTS/asan-build.log"; then
    grep -A 30 -m 1 '^FAILED: ' "$RESULTS/asan-build.log" >&2
    count asan failed build
  fi
  take_ready asan test
  until=$((SANITIZED_MINUTES * 60))
  for program in "${ready[@]#bin/}"; do
    (($(jobs -rp | wc -l) < $(job_count))) || wait -n || true
    run_sanitized "$program" $((until - SECONDS)) &
  done
  wait
}

# run_sanitized PROGRAM SECONDS
run_sanitized() {
  local log=$RESULTS/asan-$1.log status=0
  (($2 > 0)) || { count asan skipped "$1" "no time was left for it" && return; }
  (cd "$RESULTS" && UBSAN_OPTIONS=print_stacktrace=1 timeout "$2" "$ROOT/build/asan/bin/$1" >"$log" 2>&1) || status=$?
  case $status in
    0) count asan passed "$1" ;;
    124) count asan skipped "$1" "not done in the $2 s that were left" ;;
    *) tail -n 60 "$log" >&2 && count asan failed "$1" "(exit $status), see $log" ;;
  esac
}

# run_pytest STAGE PRESET PATH...: without a filter two files beside each other, as most tests wait, in the order of
# tests/conftest.py.
run_pytest() {
  local stage=$1 preset=$2 status=0 beside=(-n 2 --dist loadfile --no-loadscope-reorder)
  shift 2
  [[ -z $FILTER ]] || beside=(-p no:xdist)
  # An hour only bounds a hang; no test waits for the clock.
  SWARM_BIN=$ROOT/build/$preset/bin NODE_PATH=$NPM_DIR/node_modules timeout 3600 "$VENV/bin/python" -m pytest -q --durations=40 "${beside[@]}" \
    -o junit_family=xunit1 --junitxml "$RESULTS/$stage.xml" ${FILTER:+-k "$FILTER"} "$@" || status=$?
  case $status in
    0 | 1 | 5) ;; # counted from the file; 5: the filter left none
    *) count "$stage" failed pytest "(exit $status)" ;;
  esac
}

stage_python() { run_pytest python release tests/integration tests/python; }

# The tests once more against programs that scramble the text of every error: what passes reacts to codes.
stage_scramble() {
  local programs
  configure scramble
  mapfile -t programs < <(programs_of scramble test)
  check_counted scramble build build scramble "${programs[@]}" swarmd swarm-inspect dump_contracts
  run_ctest scramble-unit scramble "${FILTER:-^test_}"
  SWARM_SCRAMBLED=1 run_pytest scramble-python scramble tests/integration tests/python/test_with_swarmd.py
}

# build_fuzzers: all of them; sets `targets`.
build_fuzzers() {
  configure asan || return 1
  mapfile -t targets < <(programs_of asan fuzz)
  ((${#targets[@]})) || { warn "tests/fuzz builds no fuzzers" && return 1; }
  build asan "${targets[@]}"
}

# run_fuzzers SECONDS PROGRAM...: each starts from its corpus in the tree and keeps what it finds in build/fuzz.
run_fuzzers() {
  local seconds=$1 fuzzer name failed=0 corpus
  shift
  for fuzzer in "$@"; do
    name=${fuzzer#bin/}
    mkdir -p "build/fuzz/corpus/$name"
    corpus=("build/fuzz/corpus/$name")
    [[ -d tests/fuzz/corpus/${name#fuzz_} ]] && corpus+=("tests/fuzz/corpus/${name#fuzz_}")
    say "$name for $seconds s"
    if "build/asan/$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
      -artifact_prefix="build/fuzz/$name-" "${corpus[@]}" >"build/fuzz/$name.log" 2>&1; then
      [[ -d ${RESULTS:-} ]] && count fuzz passed "$name"
    else
      tail -n 40 "build/fuzz/$name.log" >&2
      warn "$name failed; the input is in build/fuzz/$name-*, run it with build/asan/bin/$name FILE"
      [[ -d ${RESULTS:-} ]] && count fuzz failed "$name"
      failed=1
    fi
  done
  return $failed
}

stage_fuzz() {
  local ready
  take_ready fuzz fuzz
  run_fuzzers 5 "${ready[@]}"
}

# in_background COMMAND...: with a process group of its own, which ends with this run. Bash lets nothing that runs in the
# background hear of Ctrl-C.
BACKGROUND=()
in_background() {
  set -m
  { set +m && "$@"; } &
  set +m
  BACKGROUND+=("-$!")
  trap end_background EXIT
}
end_background() { ((${#BACKGROUND[@]} == 0)) || kill -- "${BACKGROUND[@]}" 2>/dev/null || true; }

# run_stage STAGE: in a subshell with errors off: each stage counts its own failures, none may end the run.
run_stage() {
  local started=$SECONDS
  say "test stage: $1"
  if ! (set +e; "stage_$1") && ! failure_noted "$1"; then
    count "$1" failed "the stage as a whole"
  fi
  say "test stage $1 took $((SECONDS - started)) s"
}

# Simulations, which know no real time, keep the processors busy while most Python tests wait: they run beside each other.
BESIDE=""
run_beside() {
  renice -n 10 "$BASHPID" >/dev/null
  run_stage sim
}
begin_beside() {
  in_background run_beside >"$RESULTS/beside.log" 2>&1
  BESIDE=$!
}
end_beside() {
  wait "$BESIDE" || true
  cat "$RESULTS/beside.log" >&2
}

command_test() {
  local stages=(lint model build unit python asan fuzz) stage
  if [[ ${1:-} == --scramble ]]; then
    stages=(scramble)
    shift
  elif [[ ${1:-} ]]; then
    stages=(build unit python)
  fi
  FILTER=${1:-}
  need test
  rm -rf "$RESULTS"
  mkdir -p "$RESULTS"
  for stage in "${stages[@]}"; do
    if [[ $stage == python && -z $FILTER ]]; then
      begin_beside
      begin_sanitized_build || warn "the sanitized build cannot begin"
    fi
    [[ $stage != asan ]] || end_sanitized_build
    run_stage "$stage"
    [[ $stage != python || -z $BESIDE ]] || end_beside
  done
  BACKGROUND=()
  print_totals
}
