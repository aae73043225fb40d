# shellcheck shell=bash disable=SC2034,SC2154
# Containers, or processes, beside a node: the training program (`ml`) of run-sl, and what --sidecar adds. Sourced.

add_sidecar() { # NAME
  [[ $1 =~ ^[a-z][a-z0-9_]*$ && $1 != node ]] || die "--sidecar $1: a name of small letters and digits is needed"
  [[ " ${sidecars[*]} " != *" $1 "* ]] || return 0
  sidecars+=("$1")
  declare -ga "$1_options=()" "$1_environment=()" "$1_volumes=()" "$1_command=()"
}

# parse_of_sidecar OWNER WORD ARGUMENT NEXT...: --ml-name is --name, --ml-v is -v, --ml-it is -it.
parse_of_sidecar() {
  local owner=$1 word=$2 value
  case $word in
  image | cmd)
    value_for "--$owner-$word" "${@:3}"
    given["$owner --$word"]=$value
    [[ $word == image ]] || add_command "$owner" "$value"
    ;;
  *)
    if [[ -n $(kind_of "--$word") ]]; then
      parse_of_engine "$owner" "--$word" "${@:3}"
    elif [[ $word =~ ^[acdehilmPpqtuvw]+$ ]]; then
      parse_short "$owner" "$word" "${@:3}"
    else
      die "--$owner-$word: docker container create has no option --$word"
    fi
    ;;
  esac
}

# The words of a command, split at blanks as a shell does, but with nothing expanded.
add_command() { # OWNER TEXT
  local -n command_words=${1}_command
  local split
  split=$(xargs -n 1 printf '%s\n' <<<"$2" 2>/dev/null) || die "--$1-cmd=$2: its quotes do not match"
  mapfile -t -O "${#command_words[@]}" command_words <<<"$split"
}

# What a sidecar needs to be one, once the command line is read.
check_sidecars() { # AS-CONTAINERS
  local owner
  for owner in "${sidecars[@]}"; do
    wanted_sidecar "$owner" || continue
    if $1; then
      [[ -n ${given["$owner --image"]:-} ]] || die "--$owner-image is needed with other --$owner options"
    else
      [[ -n ${given["$owner --entrypoint"]:-}${given["$owner --cmd"]:-} ]] \
        || die "--$owner-entrypoint or --$owner-cmd is needed: what to run"
    fi
  done
}

wanted_sidecar() { # NAME; whether any of its options is given
  local option
  for option in "${!given[@]}"; do [[ $option != "$1 --"* ]] || return 0; done
  return 1
}

# The user that a sidecar runs as: the caller, unless told otherwise; with a user alone, that one's primary group.
user_of_sidecar() { # NAME
  local user=${given["$1 --user"]:-} group
  [[ -n $user ]] || user=$(id -u):$(id -g)
  if [[ $user != *:* ]] && group=$(id -g "$user" 2>/dev/null); then user+=:$group; fi
  echo "$user"
}

# What the training program and its SL share: the pipes.
channel_settings() { # FOLDER
  echo "SL_REQUEST_CHANNEL=$1/request.channel"
  echo "SL_RESPONSE_CHANNEL=$1/response.channel"
}

create_sidecar_containers() { # ID-OF-THE-NODE; sets sidecar_ids
  local owner id line arguments
  sidecar_ids=()
  for owner in "${sidecars[@]}"; do
    wanted_sidecar "$owner" || continue
    local -n options=${owner}_options words_after=${owner}_command
    arguments=(--hostname "${given["$owner --hostname"]:-${given["$owner --name"]:-$owner}}")
    arguments+=(--user "$(user_of_sidecar "$owner")" --interactive)
    [[ -z ${given["$owner --name"]:-} ]] || arguments+=(--name "${given["$owner --name"]}")
    if [[ $owner == ml ]]; then
      arguments+=(--volumes-from "$1")
      while read -r line; do arguments+=(-e "$line"); done < <(channel_settings /tmp/channel)
    fi
    arguments+=("${options[@]}" "${given["$owner --image"]}" "${words_after[@]}")
    create_container "${given["$owner --name"]:-}" "${arguments[@]}"
    sidecar_ids+=("$id")
  done
}
