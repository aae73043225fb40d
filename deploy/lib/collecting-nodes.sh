# shellcheck shell=bash disable=SC2034,SC2154
# What swarmLogCollector takes of containers and of processes. Sourced.

# Run in a container: what doctor says of its node. That is the first process or, with --init, a child of the first one.
# shellcheck disable=SC2016
readonly doctor_of_node='first=0
for folder in /proc/[0-9]*; do
  read -r program <"$folder/comm" && [[ $program == swarmd ]] || continue
  number=${folder#/proc/}
  ((first && first < number)) || first=$number
done 2>/dev/null
exec swarmd doctor --json --process "$first"'

collect_containers() {
  local role id count tag name
  ((${#engine[@]})) || return 0
  for role in "${roles[@]}"; do
    count=0
    for id in $(node_ids "$role"); do
      count=$((count + 1))
      tag=$("${engine[@]}" container inspect --format '{{.Config.Image}}' "$id")
      tag=${tag##*:}
      name=$("${engine[@]}" container inspect --format '{{.Name}}' "$id")
      "${engine[@]}" container logs "$id" 2>&1 | redact >"$into/${role}_${tag}_$count.log"
      "${engine[@]}" container inspect "$id" | redact >"$into/${role}_inspect_${tag}_$count.log"
      collect_inspection "${name#/}" "${engine[@]}" exec "$id"
      [[ $role != sn ]] || environment_of "$id" | collect_blocks "${name#/}"
      if "${quick[@]}" "${engine[@]}" exec "$id" swarmd --help 2>/dev/null | grep '^ *doctor' >/dev/null; then
        "${quick[@]}" "${engine[@]}" exec "$id" bash -c "$doctor_of_node" 2>&1 | redact >"$into/${name#/}.doctor.json" || true
      fi
    done
  done
  count=0
  [[ -n $ml_image ]] || return 0
  for id in $(engine_ids "ancestor=$ml_image"); do
    count=$((count + 1))
    "${engine[@]}" container logs "$id" 2>&1 | redact >"$into/user_$count.log"
    "${engine[@]}" container inspect "$id" | redact >"$into/ml_inspect_$count.log"
  done
}

collect_processes() {
  local folder name pid role_there data variables arguments program
  for folder in "$state_root"/*/; do
    folder=${folder%/} name=$(basename "$folder")
    [[ -r $folder/process ]] || continue
    [[ ! -r $folder/log ]] || redact <"$folder/log" >"$into/$name.log"
    lives "$folder" || continue
    [[ $role_there != ml ]] || continue
    mapfile -t arguments < <(words_of "$pid" cmdline)
    mapfile -t variables < <(words_of "$pid" environ)
    printf '%s\n' "${arguments[@]}" | redact >"$into/$name.flags"
    program=$(readlink "/proc/$pid/exe") || continue
    data=$(printf '%s\n' "${arguments[@]}" | sed -n '/^--data-dir$/{n;p;q}')
    collect_inspection "$name" env PATH="$(dirname "$program"):$PATH" SWARMD_DATA_DIR="$data"
    [[ $role_there != sn ]] || printf '%s\n' "${variables[@]}" | collect_blocks "$name"
    if "$program" --help | grep '^ *doctor' >/dev/null; then
      "${quick[@]}" env -i "${variables[@]}" "$program" doctor --json "${arguments[@]:1}" 2>&1 | redact >"$into/$name.doctor.json" || true
    fi
  done
}
