# shellcheck shell=bash
# ./run sim. Sourced by ./run.

# run_sim ARGUMENTS: many seeds are shared out among the processors, each part printing its own summary.
run_sim() {
  local program=$ROOT/build/release/bin/swarm-sim seed=1 seeds=1 others=() jobs share part status=0 pids=()
  while (($#)); do
    case $1 in
      --seed | --seeds)
        [[ ${2:-} =~ ^[0-9]+$ ]] || die "sim: '$1 ${2:-}': not a number"
        if [[ $1 == --seed ]]; then seed=$2; else seeds=$2; fi
        shift 2
        ;;
      *) others+=("$1") && shift ;;
    esac
  done
  jobs=$(job_count)
  ((jobs > seeds)) && jobs=$seeds
  ((jobs > 0)) || die "sim: no seeds"
  if ((jobs == 1)); then
    "$program" --seed "$seed" --seeds "$seeds" "${others[@]}"
    return
  fi
  for ((part = 0; part < jobs; ++part)); do
    share=$((seeds * (part + 1) / jobs - seeds * part / jobs))
    "$program" --seed "$((seed + seeds * part / jobs))" --seeds "$share" --quiet "${others[@]}" &
    pids+=($!)
  done
  for part in "${pids[@]}"; do wait "$part" || status=1; done
  return $status
}
