# shellcheck shell=bash disable=SC2034,SC2154
# Takes the command line of run-* apart. Sourced.
#
# In: own_values and own_flags, a script's own options and the variables by which swarmd reads them (a dash where there
# is none). Out: `given` has the script's own by name, and those of an engine as "OWNER --name"; OWNER_options are those
# of the engine as they were given, OWNER_environment and OWNER_volumes the words of -e and -v; OWNER is `node`, or a
# sidecar, such as `ml`. `words` go to the command in the container.

declare -A given own_values own_flags
words=() sidecars=() detach=false
node_options=() node_environment=() node_volumes=()

parse_options() {
  local taken
  while (($#)); do
    is_help "$1" && help "$lib/run-help"
    taken=1
    case $1 in
    --) words+=("${@:2}") && return ;;
    --?*) parse_long "$@" ;;
    -?*) parse_short node "${1#-}" "$@" ;;
    *) words+=("$1") ;;
    esac
    shift "$taken"
  done
}

# value_for OPTION ARGUMENT NEXT...: sets value and taken. ARGUMENT may hold it, behind an equals sign.
value_for() {
  if [[ $2 == --*=* ]]; then
    value=${2#*=}
    [[ -n $value ]] || die "$1 needs a value"
  else
    [[ $# -gt 2 && -n $3 && $3 != -* ]] || die "$1 needs a value"
    value=$3 taken=2
  fi
}

# flag_for OPTION ARGUMENT: sets value to true or false.
flag_for() {
  value=true
  [[ $2 != --*=* ]] || value=${2#*=}
  case ${value,,} in
  true | 1 | yes) value=true ;;
  false | 0 | no) value=false ;;
  *) die "$1=$value: true or false is needed" ;;
  esac
}

parse_long() { # ARGUMENT NEXT...
  local option=${1%%=*} value owner
  option=${option,,}
  if [[ -v own_values[$option] ]]; then
    value_for "$option" "$@"
    [[ $value != -* ]] || die "$option needs a value"
    [[ $option != --sidecar ]] || add_sidecar "$value"
    given[$option]=$value
  elif [[ -v own_flags[$option] ]]; then
    flag_for "$option" "$1"
    given[$option]=$value
  else
    for owner in "${sidecars[@]}"; do
      if [[ $option == --$owner-?* ]]; then
        parse_of_sidecar "$owner" "${option#--"$owner"-}" "$@"
        return
      fi
    done
    parse_of_engine node "$option" "$@"
  fi
}

# parse_of_engine OWNER OPTION ARGUMENT NEXT...
parse_of_engine() {
  local owner=$1 option=$2 value
  case $(kind_of "$option") in
  value) value_for "$option" "${@:3}" ;;
  flag) flag_for "$option" "$3" ;;
  *) die "$option: $(whose_option "$option")" ;;
  esac
  keep "$owner" "$option" "$value"
}

# parse_short OWNER LETTERS ARGUMENT NEXT...: -e a=b, -ea=b, -dt.
parse_short() {
  local owner=$1 letters=$2 option value
  while [[ -n $letters ]]; do
    option=${short_options[${letters:0:1}]:-}
    [[ -n $option ]] || die "-${letters:0:1}: $(whose_option "-${letters:0:1}")"
    letters=${letters:1}
    if [[ $(kind_of "$option") == flag ]]; then
      keep "$owner" "$option" true
    elif [[ -n $letters && $3 != --* ]]; then
      keep "$owner" "$option" "${letters#=}"
      return
    else
      value_for "-${option:2:1}" "${@:3}"
      keep "$owner" "$option" "$value"
      return
    fi
  done
}

# keep OWNER OPTION VALUE
keep() {
  local -n options=${1}_options environment=${1}_environment volumes=${1}_volumes
  local value=$3
  given["$1 $2"]=$value
  case $2 in
  --detach) [[ $1 != node ]] || detach=$value ;;
  --name | --hostname | --user) ;; # written by those who make the container
  --env) environment+=("$value") && options+=(-e "$value") ;;
  --volume)
    value=$(volume_of "$value")
    volumes+=("$value") && options+=(-v "$value")
    ;;
  *) if [[ $(kind_of "$2") == flag ]]; then options+=("$2=$value"); else options+=("$2" "$value"); fi ;;
  esac
}

# A source with a slash is a path of this host, which must exist; any other is the name of a volume.
volume_of() { # SOURCE:TARGET[:MODE]
  [[ $1 == */*:* ]] || { echo "$1" && return; }
  local source=${1%%:*}
  [[ $source == */* ]] || { echo "$1" && return; }
  [[ -e $source ]] || die "-v $1: $source does not exist"
  echo "$(absolute "$source"):${1#*:}"
}
