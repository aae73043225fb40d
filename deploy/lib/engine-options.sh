# shellcheck shell=bash disable=SC2034,SC2154
# What `docker container create` and `podman container create` take, and what kind of option each is. Sourced.

docker_values=" --add-host --annotation --attach --blkio-weight --blkio-weight-device --cap-add --cap-drop
 --cgroup-parent --cgroupns --cidfile --cpu-count --cpu-percent --cpu-period --cpu-quota --cpu-rt-period
 --cpu-rt-runtime --cpu-shares --cpus --cpuset-cpus --cpuset-mems --device --device-cgroup-rule --device-read-bps
 --device-read-iops --device-write-bps --device-write-iops --dns --dns-opt --dns-option --dns-search --domainname
 --entrypoint --env --env-file --expose --gpus --group-add --health-cmd --health-interval --health-retries
 --health-start-interval --health-start-period --health-timeout --hostname --io-maxbandwidth --io-maxiops --ip --ip6
 --ipc --isolation --kernel-memory --label --label-file --link --link-local-ip --log-driver --log-opt --mac-address
 --memory --memory-reservation --memory-swap --memory-swappiness --mount --name --net --net-alias --network
 --network-alias --oom-score-adj --pid --pids-limit --platform --publish --pull --restart --runtime --security-opt
 --shm-size --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --ulimit --user --userns --uts --volume
 --volume-driver --volumes-from --workdir "
docker_flags=" --detach --disable-content-trust --init --interactive --no-healthcheck --oom-kill-disable --privileged
 --publish-all --quiet --read-only --rm --tty --use-api-socket "
docker_run_only=" --detach-keys --sig-proxy "
podman_values=" --arch --authfile --cgroup-conf --cgroups --chrootdirs --conmon-pidfile --env-merge --gidmap
 --health-on-failure --hostuser --image-volume --init-ctr --init-path --os --passwd-entry --personality --pidfile --pod
 --pod-id-file --requires --sdnotify --seccomp-policy --secret --subgidname --subuidname --systemd --timeout --tz
 --uidmap --umask --unsetenv --variant "
podman_flags=" --env-host --http-proxy --no-hosts --read-only-tmpfs --replace --rootfs --tls-verify --unsetenv-all "
declare -A short_options=(
  [a]=--attach [c]=--cpu-shares [d]=--detach [e]=--env [h]=--hostname [i]=--interactive [l]=--label [m]=--memory
  [P]=--publish-all [p]=--publish [q]=--quiet [t]=--tty [u]=--user [v]=--volume [w]=--workdir
)
docker_values=${docker_values//$'\n'/} docker_flags=${docker_flags//$'\n'/}
podman_values=${podman_values//$'\n'/} podman_flags=${podman_flags//$'\n'/}

# kind_of OPTION: value, flag, or nothing when the engine has no such option.
kind_of() {
  if [[ $docker_values == *" $1 "* ]]; then
    echo value
  elif [[ $docker_flags == *" $1 "* ]]; then
    echo flag
  elif $podman && [[ $podman_values == *" $1 "* ]]; then
    echo value
  elif $podman && [[ $podman_flags == *" $1 "* ]]; then
    echo flag
  fi
}

# Whose option this is, as the end of an error message.
whose_option() { # OPTION
  local other
  if [[ $docker_run_only == *" $1 "* ]]; then
    echo "it is an option of docker run, but not of docker container create"
  elif [[ $podman_values$podman_flags == *" $1 "* ]]; then
    echo "it is an option of podman, but the engine here is ${engine[*]:-none}"
  elif other=$(grep -lF -- "[$1]=" "$bin"/run-* | head -n 1) && [[ -n $other ]]; then
    echo "it is an option of ${other##*/}"
  else
    echo "neither $script nor docker container create knows it; see $script --help; options of swarmd itself go after --"
  fi
}
