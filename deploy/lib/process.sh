# shellcheck shell=bash disable=SC2034,SC2154
# A node, and what stands beside it, as processes of this host. Sourced.
#
# The folder of a node, $state_root/NAME, has `process` (number, start, role), `log`, and `data`; an SL's has `channel`.

find_swarmd() {
  local folder
  for folder in "${SWARM_BIN:-}" "$root/build/release/bin" "$root/bin" "$root/../bin"; do
    [[ -z $folder || ! -x $folder/swarmd ]] || { swarmd=$(absolute "$folder/swarmd") && return; }
  done
  swarmd=$(command -v swarmd) || die "there is neither an engine nor swarmd on this host; build it, or name its folder in SWARM_BIN"
}

# The folder of a name that no living process has, with what a dead one has left unless that was begun with --rm; without
# a name a new one, such as sn-1.
take_folder() { # NAME PREFIX; sets name and folder
  local number=1
  name=${1:-$2-1}
  while [[ -z $1 && -e $state_root/$name ]]; do
    number=$((number + 1))
    name=$2-$number
  done
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$ ]] || die "--name $name: letters, digits, '_', '.' and '-' are needed"
  folder=$state_root/$name
  ! lives "$folder" || die "$name runs already as process $pid; stop-swarm stops it"
  ! $dry_run || return 0
  [[ ! -e $folder/remove ]] || rm -rf "$folder"
  (umask 077 && mkdir -p "$folder" 2>/dev/null) || die "$folder cannot be made"
}

# start_process FOLDER ROLE COMMAND...: in the background, in a session of its own; sets pid.
start_process() {
  setsid "${@:3}" </dev/null >"$1/log" 2>&1 &
  pid=$!
  local start
  start=$(start_of "$pid")
  echo "$pid ${start:-0} $2" >"$1/process"
}

data_folder() { # what the container has in /platform/swarm/SMLNODE, when a folder is mounted there
  local volume target
  for volume in "${node_volumes[@]}"; do
    target=${volume#*:}
    target=${target%%:*}
    if [[ ${target%/} == /platform/swarm/SMLNODE && $volume == /* ]]; then
      echo "${volume%%:*}/swarmd"
      return
    fi
  done
  echo "$folder/data"
}

note_engine_options() {
  local option left=()
  for option in "${!given[@]}"; do
    case $option in
    *' --env' | *' --name' | *' --detach' | *' --rm' | *' --volume' | *' --interactive' | *' --tty' | *' --image') ;;
    'ml --workdir' | 'ml --entrypoint' | 'ml --cmd' | 'ml --user') ;;
    node\ *) left+=("${option#node }") ;;
    *' --'*) left+=("--${option/ --/-}") ;;
    esac
  done
  ((${#left[@]} == 0)) || note "for containers only, so without effect on processes: ${left[*]}"
}

# Follows a node that is in the foreground, and ends with its exit code; Ctrl-C stops the node.
follow() { # FOLDER PID
  local code follower interrupted=true node=$2
  trap 'interrupted=true; kill -TERM "$node" 2>/dev/null || true' INT TERM HUP
  tail -n +1 -f --pid="$node" "$1/log" &
  follower=$!
  while $interrupted; do
    interrupted=false code=0
    wait "$node" || code=$?
  done
  wait "$follower" || true
  [[ ${given["node --rm"]:-} != true ]] || rm -rf "$1"
  exit "$code"
}

# run_process: the node with `settings`, then its sidecars.
run_process() {
  local swarmd name folder pid role_there command data setting
  find_swarmd
  note_engine_options
  take_folder "${given["node --name"]:-}" "$role"
  data=$(data_folder)
  command=(env "${settings[@]}")
  for setting in "${node_environment[@]}"; do
    if [[ $setting == *=* ]]; then command+=("$setting"); fi
  done
  command+=("$swarmd" --role "$role" --node-name "$name" --data-dir "$data")
  if [[ $role == sl ]]; then
    command+=(--request-channel "$folder/channel/request.channel" --response-channel "$folder/channel/response.channel")
    [[ -z ${given["ml --user"]:-} ]] || command+=(--channel-open)
  fi
  command+=("${words[@]}")
  prepare_sidecar_processes "$folder"
  if $dry_run; then
    act "${command[@]}"
    start_sidecar_processes
    return
  fi
  [[ ${given["node --rm"]:-} != true ]] || touch "$folder/remove"
  local said
  if ! said=$("${command[@]}" --check 2>&1 >/dev/null); then
    # Folders that were made for this call; others have been begun in.
    for setting in "$folder" "${ml_folder:-$folder}"; do [[ -e $setting/process ]] || rm -rf "$setting"; done
    die "${said#swarmd: }"
  fi
  if [[ $role == swci ]] && ! $detach; then
    echo "$$ $(start_of $$) $role" >"$folder/process"
    exec "${command[@]}"
  fi
  start_process "$folder" "$role" "${command[@]}"
  local node=$pid
  note "$name is process $node; its log is $folder/log"
  wait_begun "$folder" "$data" "$node"
  start_sidecar_processes
  ! $detach || { echo "$name" && return; }
  follow "$folder" "$node"
}

# Until the node answers swarm-inspect; who ends before has said why.
wait_begun() { # FOLDER DATA PID
  local tries=200
  until [[ -S $2/admin.sock ]] || ((tries-- == 0)); do
    [[ -n $(start_of "$3") ]] || die "$(tail -n 3 "$1/log")"
    sleep 0.1
  done
}
