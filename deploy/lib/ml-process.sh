# shellcheck shell=bash disable=SC2034,SC2154
# A training program as a process beside its SL. Sourced.

# The mounts of --ml-v need a view of the files of its own, which bubblewrap gives.
view_of() { # sets view, the words before the program
  local volume source target options mode
  view=()
  ((${#ml_volumes[@]})) || return 0
  command -v bwrap >/dev/null || die "--ml-v without containers needs bubblewrap (Debian: apt install bubblewrap)"
  view=(bwrap --dev-bind / /)
  for volume in "${ml_volumes[@]}"; do
    IFS=: read -r source target options <<<"$volume"
    [[ $source == /* ]] || die "--ml-v $volume: a process has no volumes; name a folder"
    mode=--bind
    [[ ,$options, != *,ro,* ]] || mode=--ro-bind
    view+=("$mode" "$source" "$target")
  done
  view+=(--die-with-parent)
}

# Another user's program, which only root can start.
switch_of() { # sets switch
  local user
  switch=()
  user=$(user_of_sidecar ml)
  [[ $user != "$(id -u):$(id -g)" ]] || return 0
  [[ $(id -u) == 0 ]] || { note "--ml-user has no effect: a process runs as you" && return 0; }
  switch=(setpriv --reuid "${user%%:*}" --regid "${user#*:}" --clear-groups)
}

# Sets ml_process, the whole command, and ml_folder; before the SL starts, so that what is wrong is said in time.
prepare_sidecar_processes() { # FOLDER-OF-THE-SL
  local owner view switch setting name folder pid role_there workdir=${given["ml --workdir"]:-$PWD}
  ml_process=()
  for owner in "${sidecars[@]}"; do
    wanted_sidecar "$owner" || continue
    [[ $owner == ml ]] || die "--sidecar $owner: other sidecars than the training program need an engine"
    take_folder "${given["ml --name"]:-${1##*/}-ml}" ml
    ml_folder=$folder
    view_of
    switch_of
    mapfile -t ml_process < <(channel_settings "$1/channel")
    ml_process=(env "${ml_process[@]}")
    for setting in "${ml_environment[@]}"; do
      if [[ $setting == *=* ]]; then ml_process+=("$setting"); fi
    done
    if ((${#view[@]})); then view+=(--chdir "$workdir"); else switch=(env -C "$workdir" "${switch[@]}"); fi
    ml_process+=("${view[@]}" "${switch[@]}")
    [[ -z ${given["ml --entrypoint"]:-} ]] || ml_process+=("${given["ml --entrypoint"]}")
    ml_process+=("${ml_command[@]}")
  done
}

start_sidecar_processes() {
  local pid
  ((${#ml_process[@]})) || return 0
  if $dry_run; then
    act "${ml_process[@]}"
    return
  fi
  # shellcheck disable=SC2016  # for the inner shell
  start_process "$ml_folder" ml bash -c '"${@:2}"; echo $? >"$1"' ml "$ml_folder/exit" "${ml_process[@]}"
  note "${ml_folder##*/} is process $pid; its log is $ml_folder/log, its exit code $ml_folder/exit"
  echo "${ml_folder##*/}"
}
