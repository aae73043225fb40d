"""A real Slurm of a test's own: of this host alone, or of nodes that are hosts of `own_networks`."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import BIN, free_port, until
from launcher.operators import lives
from launcher.processes import ROOT, Failure
from own_networks import SWITCH

OWN_SLURM = ROOT / "actors" / "swop" / "managers" / "slurm" / "testing" / "own-slurm"


def why_no_slurm():
    if os.geteuid() != 0:
        return "a Slurm of one's own needs root"
    names = ("munged", "slurmctld", "slurmd", "sbatch")
    missing = [name for name in names if not shutil.which(name, path="/usr/sbin:/usr/bin")]
    return f"{missing[0]} is not there: install slurm-wlm and munge" if missing else ""


class OwnSlurm:
    """`where`: words of `own-slurm start` that name its nodes."""

    def __init__(self, *where):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-slurm-"))
        self.conf = str(self.folder / "slurm.conf")
        self._order("start", f"{free_port()},{free_port()}", *where)

    def _order(self, action, *words):
        done = subprocess.run([OWN_SLURM, action, self.folder, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{action}: {done.stdout}{done.stderr}")

    def run(self, *words):
        environment = {**os.environ, "SLURM_CONF": self.conf}
        done = subprocess.run(words, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def jobs(self, *states):
        """Their names."""
        return self.run("squeue", "--noheader", f"--states={','.join(states)}", "--format=%j").split()

    def nodes_of_jobs(self):
        """Of all that run, node by name."""
        lines = self.run("squeue", "--noheader", "--states=running", "--format=%j %N").splitlines()
        return dict(line.split() for line in lines)

    def kill_scheduler(self):
        number = int((self.folder / "slurmctld.pid").read_text())
        start = int(pathlib.Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[19])
        os.kill(number, 9)
        until(lambda: not lives((number, start)), "the scheduler to be gone")

    def start_scheduler(self):
        self.run("slurmctld")

    def stop(self):
        self._order("stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class SlurmNodes(OwnSlurm):
    """The scheduler is at the switch of `network`, each of `names` a host there, which sees `shared` of this /tmp."""

    def __init__(self, network, names, shared):
        self.hosts = {name: network.host(name) for name in names}
        self.shared = [*shared, BIN, ROOT]
        self.nodes = {}
        super().__init__(SWITCH, *(f"{name}={host.address}" for name, host in self.hosts.items()))
        for name in names:
            self.start_node(name)
        self._order("idle", str(len(names)))

    def start_node(self, name):
        command = [*self.hosts[name].enter, OWN_SLURM, "node", self.folder, name, *self.shared]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.nodes[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def kill_node(self, name):
        """With all its processes."""
        node = self.nodes.pop(name)
        node.kill()
        node.wait()
        node.stdin.close()

    def give_up(self, name):
        """Says that a node has failed, which Slurm finds out by itself half a minute later."""
        self.run("scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=dead")

    def tell(self, name, order):
        """`kill`: its slurmd alone is killed. `start`: it is started again."""
        self.nodes[name].stdin.write(f"{order}\n".encode())
        self.nodes[name].stdin.flush()

    def disk(self, name):
        """What SWOPs have on the disk of a node."""
        return list((self.folder / "disks" / name).glob("swarm-*"))

    def stop(self):
        for name in list(self.nodes):
            self.kill_node(name)
        super().stop()
