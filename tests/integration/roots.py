"""Roots of a test's own, to install packages into: this system with a layer over it in memory, which is gone with it.

Each is a host with a network of its own, several are at one switch; all have one mount and process namespace, which
ends with `Roots`, however that ends. Not every system allows them, and only root has them (`why_none`).

By hand they can be of another Debian: SWARM_ROOT is the folder of one, with systemd and what packages depend on, and
SWARM_ROOT_PACKAGES that of packages which were made there.
"""

import functools
import os
import pathlib
import re
import subprocess
import tempfile

from launcher.processes import BIN, ROOT, Failure

SYSTEM = os.environ.get("SWARM_ROOT", "/")
# Arguments: a folder, the system, whether systemd runs in each root, the names of the roots. Says for each the process
# that keeps its network, then for each the one that is its first.
MAKE = """
set -e
base=$1 system=$2 booted=$3 names=("${@:4}") keepers=() firsts=()
mount -t tmpfs roots "$base"
if ((${#names[@]} > 1)); then
  ip link add switch type bridge
  ip link set switch up
fi
for name in "${names[@]}"; do
  mkdir -p "$base/$name"/{over,work,root}
  mount -t overlay root -o "lowerdir=$system,upperdir=$base/$name/over,workdir=$base/$name/work" "$base/$name/root"
  unshare --net sleep infinity &
  keepers+=($!)
  until [[ $(readlink /proc/$!/ns/net) != $(readlink /proc/self/ns/net) ]]; do sleep 0.01; done
  nsenter -t $! --net ip link set lo up
  ((${#names[@]} > 1)) || continue
  ip link add "plug$!" type veth peer name "own$!"
  ip link set "plug$!" master switch up
  ip link set "own$!" netns "$!"
  nsenter -t $! --net ip link set "own$!" up
done
boot() { # NAME KEEPER: without the services of this system
  local bind=() other
  for other in "${names[@]}"; do [[ $other == "$1" ]] || bind+=("--bind=$base/$other/root:/peers/$other"); done
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
  exec systemd-nspawn --quiet --boot --register=no --keep-unit --link-journal=no --console=pipe --machine="$1" \
    --directory="$base/$1/root" --network-namespace-path="/proc/$2/ns/net" "${bind[@]}" systemd.unit=basic.target \
    </dev/null >"$base/$1/boot.log" 2>&1
}
is_up() { # OF BOOT: sets `first`
  read -r first rest <"/proc/$1/task/$1/children"
  [[ $first && $(<"/proc/$first/comm") == systemd ]] &&
    nsenter --all -t "$first" systemctl is-system-running | grep -qxE 'running|degraded'
}
for at in "${!names[@]}"; do
  name=${names[at]} root=$base/${names[at]}/root
  if [[ $booted == yes ]]; then
    boot "$name" "${keepers[at]}" &
    until is_up $! 2>/dev/null; do
      kill -0 $! 2>/dev/null && ((SECONDS < 120)) || { echo "no systemd: $(<"$base/$name/boot.log")"; exit 1; }
      sleep 0.1
    done
    firsts+=("$first")
    continue
  fi
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs run "$root/run"
  mount -t tmpfs tmp -o mode=1777 "$root/tmp"
  for other in "${names[@]}"; do
    [[ $other != "$name" ]] || continue
    mkdir -p "$root/peers/$other"
    mount --bind "$base/$other/root" "$root/peers/$other"
  done
  firsts+=("${keepers[at]}")
done
echo "made ${keepers[*]} ${firsts[*]}"
exec cat
"""


class Roots:
    """`booted`: systemd runs in each, by systemd-nspawn. Each sees the others' files below /peers/NAME."""

    def __init__(self, *names, booted=False):
        self.folder = tempfile.TemporaryDirectory(prefix="swarmd-roots-")
        self.booted = booted
        own = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self.holder = subprocess.Popen(
            ["unshare", *own, "bash", "-c", MAKE, "roots", self.folder.name, SYSTEM, "yes" if booted else "no", *names],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = self.holder.stdout.readline()
        word, *processes = said.split() or [""]
        if word != "made":
            raise Failure(f"no roots of one's own: {said}{self.holder.stdout.read()}")
        self.keepers = dict(zip(names, processes))
        self.firsts = dict(zip(names, processes[len(names) :]))
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.inside = children[0]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stdin.close()
        self.folder.cleanup()

    def path(self, root, where):
        """A path of a root, as this process sees it."""
        return pathlib.Path(f"/proc/{self.inside}/root{self.folder.name}/{root}/root/{where.lstrip('/')}")

    def add_address(self, root, address):
        self._enter(root, ["ip", "address", "add", address, "dev", f"own{self.keepers[root]}"])

    def run(self, root, script, check=True, **environment):
        """Has bash carry out a script in a root; gives what it says, with `check=False` its exit code before."""
        words = [f"{name}={value}" for name, value in environment.items()]
        inner = ["env", "-i", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 *words, "bash", "-euo", "pipefail", "-c", script]  # fmt: skip
        if self.booted:
            inner = ["nsenter", "--all", "-t", self.firsts[root], *inner]
        else:
            inner = ["chroot", f"{self.folder.name}/{root}/root", *inner]
        done = self._enter(root, inner, check=False)
        if not check:
            return done.returncode, done.stdout
        if done.returncode != 0:
            raise Failure(f"{root}: exit code {done.returncode} of\n{script}\n{done.stdout}")
        return done.stdout

    def _enter(self, root, words, check=True):
        network = f"--net=/proc/{self.inside}/root/proc/{self.keepers[root]}/ns/net"
        done = subprocess.run(
            ["nsenter", "-t", self.inside, "--mount", "--pid", network, *words], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise Failure(f"{words}: {done.stdout}")
        return done


def build_packages(out, programs=BIN):
    """The Debian packages of the programs under test: of swarmd, of the Python package."""
    if made := os.environ.get("SWARM_ROOT_PACKAGES"):
        return sorted(pathlib.Path(made).glob("*.deb"), reverse=True)
    done = subprocess.run(
        [ROOT / "deploy" / "deb" / "build", programs, out, "--quick"], capture_output=True, text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    if done.returncode != 0:
        raise Failure(f"no packages: {done.stderr}")
    return [pathlib.Path(line) for line in done.stdout.split()]


def later_package(package, out):
    """The same one of a later version."""
    tree, later = out / "tree", out / package.name.replace("_", "_later_", 1)
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub("^(Version: .*)", r"\1+later1", control.read_text(), flags=re.MULTILINE))
    words = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, later]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return later


@functools.cache
def why_none(booted=False):
    """Why there can be no roots here; empty when they can."""
    try:
        with Roots("tried", booted=booted) as roots:
            roots.run("tried", "true")
    except (Failure, OSError) as error:
        return str(error)
    return ""
