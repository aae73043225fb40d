# shellcheck shell=bash disable=SC2034,SC2154
# What swarmLogCollector takes from this host, each into the folder $into and through `redact`. Sourced.

roles=(sn swop sl swci ui)
readonly blocks=10 # of the youngest
readonly quick=(timeout 20)

engine_ids() { # FILTER
  "${engine[@]}" container ls --all --quiet --no-trunc --filter "$1"
}

# The containers of a role, by label and by image, whatever its tag.
node_ids() { # ROLE
  local image
  {
    engine_ids "label=swarmd.role=$1"
    while read -r image; do engine_ids "ancestor=$image"; done < <(
      "${engine[@]}" image ls --format '{{.Repository}}:{{.Tag}}' "$images/$1" | grep -v '<none>'
    )
  } | sort -u
}

environment_of() { # ID
  "${engine[@]}" container inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1"
}

# The variables and flags of a process; empty when it has ended.
words_of() { # PID FILE-IN-PROC
  tr '\0' '\n' <"/proc/$1/$2" 2>/dev/null || true
}

collect_keys() {
  local role id file folder pid role_there
  for file in "$state_root"/{*/data,.containers/*/swarmd}/*/node.key; do hide_key "$file"; done
  for folder in "$state_root"/*/; do
    lives "${folder%/}" || continue
    while read -r file; do hide_key "$file"; done < <(words_of "$pid" environ | sed -n 's/^SWARM_ID_KEY=//p')
  done
  ((${#engine[@]})) || return 0
  for role in "${roles[@]}"; do
    for id in $(node_ids "$role"); do
      while read -r file; do hide_key "$file"; done < <(environment_of "$id" | sed -n 's/^SWARM_ID_KEY=//p')
    done
  done
}

# section COMMAND...: its output under its own name; one that is not here is passed over.
section() {
  command -v "$1" >/dev/null || return 0
  printf '\n=== %s\n' "$*"
  "${quick[@]}" "$@" 2>&1 || echo "(ended with $?)"
}

collect_system() {
  date --utc '+%Y-%m-%d %H:%M:%S UTC'
  section uname -a
  section cat /etc/os-release
  section nproc
  section free -h
  section df -h
  section timedatectl
  section nvidia-smi
  section rocm-smi
  section ip -brief address
  ((${#engine[@]})) || { printf '\n(no engine)\n' && return; }
  section "${engine[@]}" version
  section "${engine[@]}" info
  section "${engine[@]}" container ls --all --no-trunc
  section "${engine[@]}" image ls
  section "${engine[@]}" network ls
  section "${engine[@]}" volume ls
}

# What a node says of itself, by a prefix of commands that reach it.
collect_inspection() { # NAME WORD...
  local name=$1 view
  shift
  for view in tree chain round; do
    "${quick[@]}" "$@" swarm-inspect --json "$view" 2>/dev/null | redact >"$into/$name.$view.json" || true
    [[ -s $into/$name.$view.json ]] || rm -f "$into/$name.$view.json"
  done
}

# The last blocks of an SN, over its API with its own certificate, which never leaves this host.
collect_blocks() { # NAME < VARIABLES
  local name=$1 line host=127.0.0.1 port=30304 key='' cert='' newest number
  while read -r line; do
    case $line in
    THIS_NODE_IP=*) host=${line#*=} ;;
    SN_API_SERVER_PORT=*) port=${line#*=} ;;
    SWARM_ID_KEY=*) key=${line#*=} ;;
    SWARM_ID_CERT=*) cert=${line#*=} ;;
    esac
  done
  command -v curl >/dev/null && [[ -r $key && -r $cert ]] || return 0
  [[ $host != *:* ]] || host="[$host]"
  ask() {
    curl --silent --insecure --noproxy '*' --max-time 10 --cert "$cert" --key "$key" -H 'Content-Type: application/json' \
      --data "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "https://$host:$port/"
  }
  newest=$(ask eth_blockNumber '[]' | sed -nE 's/.*"result":"(0x[0-9a-f]+)".*/\1/p') || return 0
  [[ -n $newest ]] || return 0
  for ((number = newest; number >= 0 && number > newest - blocks; number--)); do
    ask eth_getBlockByNumber "[\"$(printf '0x%x' "$number")\",true]" && echo
  done | redact >"$into/$name.blocks.json"
}
