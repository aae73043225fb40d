# shellcheck shell=bash disable=SC2034,SC2154
# A node, and what stands beside it, as containers. Sourced.

# Where the engine's own words about starting go; a dry run shows its commands.
exec {shown}>/dev/null

in_network_of_host() { [[ ${given["node --network"]:-${given["node --net"]:-}} == host ]]; }

create_container() { # NAME ARGUMENT...; sets id
  if $dry_run; then
    act "${engine[@]}" container create "${@:2}"
    id=${1:-CONTAINER}
    return
  fi
  if ! id=$("${engine[@]}" container create "${@:2}"); then
    ((${#created[@]} == 0)) || "${engine[@]}" container rm --volumes "${created[@]}" >/dev/null
    die "the container cannot be made; the engine says why above"
  fi
  id=${id##*$'\n'}
  created+=("$id")
}

# So that those who run without containers' own users can read the caller's keys: they run as the caller.
user_arguments() {
  if [[ -n ${given["node --user"]:-} ]]; then
    arguments+=(--user "${given["node --user"]}")
    return
  fi
  arguments+=(--user "$(id -u):$(id -g)")
  if $podman && [[ $(id -u) != 0 && -z ${given["node --userns"]:-} ]]; then arguments+=(--userns keep-id); fi
}

# Three lines by which a SWOP knows the registry and version of its own image.
copy_info_file() { # ID IMAGE
  local file image_id
  image_id=$("${engine[@]}" image inspect --format '{{.Id}}' "$2")
  [[ $image_id == sha256:* ]] || image_id=sha256:$image_id
  file=$(mktemp)
  printf '%s\n' "$1" "$2" "$image_id" >"$file"
  chmod 644 "$file"
  "${engine[@]}" cp "$file" "$1:/tmp/container_info_file" >/dev/null
  rm -f "$file"
}

check_image() { # IMAGE
  $dry_run && return
  "${engine[@]}" image inspect "$1" >/dev/null 2>&1 && return
  [[ $1 != localhost/* ]] || die "there is no image $1; deploy/docker/build makes it"
}

# run_containers: the node with `settings` (NAME=VALUE), `mounts` and `publish`, then its sidecars.
run_containers() {
  local id created=() sidecar_ids arguments setting image=${given[--image]:-$images/$role:$swarmVer}
  local name=${given["node --name"]:-}
  ! $dry_run || shown=1
  check_image "$image"
  arguments=(--label "swarmd.role=$role" --interactive)
  [[ -z $name ]] || arguments+=(--name "$name")
  local hostname=${given["node --hostname"]:-$name}
  [[ -z $hostname ]] || in_network_of_host || arguments+=(--hostname "$hostname")
  [[ ! -t 0 || ! -t 1 ]] || arguments+=(--tty)
  user_arguments
  for setting in "${settings[@]}"; do arguments+=(-e "$setting"); done
  for setting in "${mounts[@]}"; do arguments+=(-v "$setting"); done
  # The ports of a container in the host's network are those of the host.
  if in_network_of_host; then
    words=("${own_ports[@]}" "${words[@]}")
  else
    for setting in "${publish[@]}"; do arguments+=(-p "$setting"); done
  fi
  create_container "$name" "${arguments[@]}" "${more_options[@]}" "${node_options[@]}" "$image" "${words[@]}"
  $dry_run || copy_info_file "$id" "$image"
  local node=$id
  create_sidecar_containers "$node"
  if ! $detach && ((${#sidecar_ids[@]} == 0)); then
    $dry_run || echo "$node"
    act exec "${engine[@]}" container start --attach --interactive "$node"
    return
  fi
  act "${engine[@]}" container start "$node" "${sidecar_ids[@]}" >&"$shown"
  $dry_run || printf '%s\n' "$node" "${sidecar_ids[@]}"
  $detach || act exec "${engine[@]}" container attach "$node"
}
