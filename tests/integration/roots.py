"""Roots of a test's own, to install packages into: this system with a layer over it in memory, which is gone with it.

Each is a host with a network of its own, at one switch; all have one mount and process namespace, which ends with
`Roots`, however that ends. Not every system allows them, and only root has them (`why_none`).
"""

import functools
import pathlib
import re
import subprocess
import tempfile

from launcher.processes import BIN, ROOT, Failure

HERE = pathlib.Path(__file__).resolve().parent
# Arguments: a folder, the names of the roots. Says the process that keeps the network of each.
MAKE = """
set -e
mount -t tmpfs roots "$1"
ip link add switch type bridge
ip link set switch up
keepers=()
for name in ${@:2}; do
  mkdir -p "$1/$name"/{over,work,root}
  mount -t overlay root -o "lowerdir=/,upperdir=$1/$name/over,workdir=$1/$name/work" "$1/$name/root"
  mount -t proc proc "$1/$name/root/proc"
  mount --rbind /dev "$1/$name/root/dev"
  mount -t tmpfs run "$1/$name/root/run"
  mount -t tmpfs tmp -o mode=1777 "$1/$name/root/tmp"
  unshare --net sleep infinity &
  keepers+=($!)
  until [[ $(readlink /proc/$!/ns/net) != $(readlink /proc/self/ns/net) ]]; do sleep 0.01; done
  ip link add "p$!" type veth peer name eth0 netns "$!"
  ip link set "p$!" master switch up
  nsenter -t $! --net ip link set lo up
  nsenter -t $! --net ip link set eth0 up
done
echo "made ${keepers[*]}"
exec cat
"""


class Roots:
    def __init__(self, *names):
        self.folder = tempfile.TemporaryDirectory(prefix="swarmd-roots-")
        own = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self.holder = subprocess.Popen(
            ["unshare", *own, "bash", "-c", MAKE, "roots", self.folder.name, *names], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = self.holder.stdout.readline()
        word, *keepers = said.split() or [""]
        if word != "made":
            raise Failure(f"no roots of one's own: {said}{self.holder.stdout.read()}")
        self.keepers = dict(zip(names, keepers))
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
        self._enter(root, ["ip", "address", "add", address, "dev", "eth0"])

    def share(self, root, other, where):
        """Has a root see the other one."""
        base = self.folder.name
        self._enter(root, ["mount", "--bind", f"{base}/{other}/root", f"{base}/{root}/root{where}"])

    def run(self, root, script, check=True, **environment):
        """Has bash carry out a script in a root; gives what it says, with `check=False` its exit code before."""
        words = [f"{name}={value}" for name, value in environment.items()]
        inner = ["chroot", f"{self.folder.name}/{root}/root", "env", "-i", "HOME=/root", "LC_ALL=C.UTF-8",
                 "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 *words, "bash", "-euo", "pipefail", "-c", script]  # fmt: skip
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


def build_packages(out, programs=BIN, quick=("--quick",)):
    """The Debian packages of the programs under test: of swarmd, of the Python package."""
    done = subprocess.run(
        [ROOT / "deploy" / "deb" / "build", programs, out, *quick], capture_output=True, text=True,
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
def why_none():
    """Why there can be no roots here; empty when they can."""
    try:
        with Roots("tried") as roots:
            roots.run("tried", "true")
    except (Failure, OSError) as error:
        return str(error)
    return ""
