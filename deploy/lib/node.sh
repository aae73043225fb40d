# shellcheck shell=bash disable=SC2034,SC2154
# What the four run scripts have in common. Sourced by them, after `role` is set; sources the rest.
#
# A script adds its options to own_values and own_flags, defines `prepare`, and calls run_node "$@".

# shellcheck source=deploy/lib/common
source "$(dirname "$(dirname "$(readlink -f "$0")")")/lib/common"
# shellcheck source=deploy/lib/engine-options.sh
source "$lib/engine-options.sh"
# shellcheck source=deploy/lib/options.sh
source "$lib/options.sh"
# shellcheck source=deploy/lib/sidecars.sh
source "$lib/sidecars.sh"
# shellcheck source=deploy/lib/container.sh
source "$lib/container.sh"
# shellcheck source=deploy/lib/process.sh
source "$lib/process.sh"
# shellcheck source=deploy/lib/ml-process.sh
source "$lib/ml-process.sh"

own_values=(
  [--cacert]=SWARM_ID_CACERT [--capath]=SWARM_ID_CAPATH [--cert]=SWARM_ID_CERT [--key]=SWARM_ID_KEY
  [--socket-path]=- [--image]=- [--sidecar]=-
  [--apls-ip]=- [--apls-port]=- [--primary-apls-ip]=- [--primary-apls-port]=-
  [--secondary-apls-ip]=- [--secondary-apls-port]=-
)
own_flags=([--sudo]=- [--no-container]=- [--dry-run]=-)

settings=()     # NAME=VALUE for the node; swarmd reads these names
mounts=()       # SOURCE:TARGET[:MODE] for its container
publish=()      # HOST-PORT:PORT
own_ports=()    # flags of swarmd that name the same ports, for a container in the host's network
more_options=() # of the engine
as_container=true

needs() { # OPTION WHY
  [[ -n ${given[$1]:-} ]] || die "$1 is needed${2:+: $2}"
}

# Gives swarmd what the options say that have a variable.
set_from_options() {
  local option
  for option in $(printf '%s\n' "${!own_values[@]}" | sort); do
    [[ ${own_values[$option]} != - && -n ${given[$option]:-} ]] || continue
    case $option in
    --cacert | --capath | --cert | --key)
      local path
      path=$(absolute "${given[$option]}")
      [[ -e $path ]] || die "$option: ${given[$option]} does not exist"
      settings+=("${own_values[$option]}=$path") mounts+=("$path:$path:ro")
      ;;
    *) settings+=("${own_values[$option]}=${given[$option]}") ;;
    esac
  done
}

# Says of what the original's licence server needed that nothing here does.
answer_licences() {
  local option said=()
  for option in "${!given[@]}"; do [[ $option != *apls-* || $option == *' '* ]] || said+=("$option"); done
  ((${#said[@]} == 0)) || note "$(printf '%s\n' "${said[@]}" | sort | paste -sd ' '): no licence is needed"
}

# A SPIRE agent's socket: a file, VOLUME:PATH, a volume, or a container that has it.
set_spire_socket() {
  local spire=${given[--socket-path]:-} inside=/tmp/spire-agent socket=api.sock
  [[ -n $spire ]] || return 0
  if [[ -e $spire ]]; then
    spire=$(absolute "$spire")
    if ! $as_container; then
      settings+=("SWARM_SPIFFE_WORKLOAD_API_SOCKET_PATH=$spire")
      return
    fi
    socket=${spire##*/}
    mounts+=("${spire%/*}:$inside")
  elif [[ $spire == *:* ]]; then
    socket=${spire#*:}
    mounts+=("${spire%%:*}:$inside")
  elif $as_container && "${engine[@]}" container inspect "$spire" >/dev/null 2>&1; then
    more_options+=(--volumes-from "$spire")
  else
    mounts+=("$spire:$inside")
  fi
  more_options+=(--label "swarm-node-type=$role")
  settings+=("SWARM_SPIFFE_WORKLOAD_API_SOCKET_PATH=$inside/$socket")
}

# The user's folder of a SWOP or a SWCI, and a file in it.
set_usr_dir() { # OPTION-OF-THE-FILE
  local folder
  folder=$(absolute "${given[--usr-dir]}")
  [[ -d $folder ]] || die "--usr-dir: ${given[--usr-dir]} is no folder"
  [[ -z ${given[$1]:-} || -f $folder/${given[$1]} ]] || die "$1: there is no ${given[$1]} in ${given[--usr-dir]}"
  if $as_container; then
    mounts+=("$folder:/platform/swarm/usr")
    settings+=(USR_DIR=/platform/swarm/usr)
  else
    settings+=("USR_DIR=$folder")
  fi
}

# publish_port OPTION SERVICE-OPTION PORT-INSIDE FLAG: as the original does. OPTION's port leads to PORT-INSIDE, or to
# itself when that is empty; a service's port, or PORT-INSIDE, leads there too.
publish_port() {
  local port=${given[$1]:-} service=${given[$2]:-}
  if [[ -n $port ]]; then
    publish+=("$port:${3:-$port}")
    own_ports+=("$4" "$port")
  elif [[ -n $service ]]; then
    local inside=${3:-30304}
    port=$inside
    [[ $service != *:* ]] || port=${service##*:}
    publish+=("$port:$inside")
  fi
}

run_node() {
  find_engine
  parse_options "$@"
  ! ${given[--dry-run]:-false} || dry_run=true
  if ${given[--no-container]:-false}; then
    as_container=false
  elif ((${#engine[@]} == 0)); then
    as_container=false
    note "no engine on this host: the node is started as a process"
  fi
  check_sidecars "$as_container"
  if $as_container; then
    use_sudo "${given[--sudo]:-false}"
    $dry_run || need_engine_up
  fi
  set_from_options
  answer_licences
  set_spire_socket
  [[ -z ${given["node --name"]:-} ]] || settings+=("SWARMD_NODE_NAME=${given["node --name"]}")
  prepare
  if $as_container; then run_containers; else run_process; fi
}
