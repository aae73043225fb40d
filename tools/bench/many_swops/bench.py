"""many_swops_*: one machine with many SWOPs, 4 nodes each; all of their programs train in one round together and end.

SWARM_BENCH_SWOPS says how many (5; by hand 25). Figures: from ASSIGN TASK to the first program, to the last one, to the
end of the task; memory of all processes when the last program has begun, and CPU time of everything until the end.
It fails unless every pair completes, and all hold the same model in the end.
"""

import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "operators"), str(ROOT / "tests")]
from figures import cpu_seconds, figure, memory_bytes, options
from launcher.operators import (
    DEFAULT_TASKRUNNER,
    OperatorSwarm,
    node_definition,
    run_task,
    swop_profile,
    why_no_sandboxes,
)
from session import begin_session
from swarms import Swarm, until

NODES = 4
PATIENCE = 1800.0  # seconds; bounds a hang
VENV = pathlib.Path(sys.prefix).resolve()


def names_of(swops):
    return [f"swop-{number}" for number in range(1, swops + 1)]


class ManySwops(OperatorSwarm):
    def begin(self, swops):
        (self.usr / "marks").mkdir()
        self.start_sn()
        for swop, name in enumerate(names_of(swops)):
            definitions = []
            for i in range(NODES):
                number = NODES * swop + i
                definitions.append(node_definition(self.certs, i, None, {"NAME": f"n{number}", "VALUE": number}))
            flags = [word for path in (ROOT / "python", HERE, VENV) for word in ("--allow-path", path)]
            self.add_swop(swop_profile(definitions), name, flags=flags)
        self.make_task(run_task(
            "tiny", "/tmp/test/programs/tiny_ml.py", VENV / "bin" / "python",
            {"PYTHONPATH": "/tmp/test/lib", "PEERS": NODES * swops, "MARKS": "/tmp/test/marks", "OMP_NUM_THREADS": 1,
             "OPENBLAS_NUM_THREADS": 1},
            shared=[(HERE, "/tmp/test/programs"), (ROOT / "python", "/tmp/test/lib"), (VENV, VENV),
                    ("/platform/swarm/usr/marks", "/tmp/test/marks")]))
        self.session = begin_session(self, self.usr, "swci-2")

    def status(self):
        return self.session.order(f"GET TASKRUNNER STATUS {DEFAULT_TASKRUNNER}")

    def running(self):
        """How many training programs have begun."""
        return sum(name.endswith(".ml") for swop in self.swops for name in swop.programs())

    def wait_for(self, condition, what):
        """A look twice a second, as the machine has better things to do."""
        def seen():
            time.sleep(0.5)
            return condition()

        return until(seen, what, PATIENCE, self.swops)

    def ended(self):
        return self.status()["task_state"] not in ("ENROLLING", "RUNNING")

    def why(self):
        """What became of each pair that did not complete."""
        lines = []
        for index in range(len(self.swops)):
            answer = self.session.order(f"GET TASKRUNNER PEER STATUS {DEFAULT_TASKRUNNER} {index}")
            lines.append(json.dumps(answer))
        return "\n".join(lines)


def cpu_of_all():
    """Seconds that all processes of this machine have worked so far."""
    fields = pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields[:8])) - idle) / os.sysconf("SC_CLK_TCK")


def processes_below(roots):
    """These processes and all that they have started, by way of whatever else."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def own_memory(pids):
    """What they have in memory, each page counted once."""
    total = 0
    for pid in pids:
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


def main():
    given = options(__doc__)
    if why := why_no_sandboxes():
        sys.exit(why)
    swops = int(os.environ.get("SWARM_BENCH_SWOPS", 2 if given.smoke else 5))
    peers = NODES * swops
    with Swarm(("sn-1", "sl-1", "swci-1", "swci-2", *names_of(swops))) as base:
        swarm = ManySwops(base.folder, base.certs)
        try:
            swarm.begin(swops)
            measure(swarm, peers)
        finally:
            swarm.clean_up()


def measure(swarm, peers):
    before, begun = cpu_of_all(), time.time()
    swarm.session.order(f"ASSIGN TASK tiny TO {DEFAULT_TASKRUNNER} WITH {peers} PEERS")
    swarm.wait_for(lambda: swarm.running() == peers or swarm.ended(), f"{peers} programs to begin")
    shims = [state["shim"]["pid"] for swop in swarm.swops for state in swop.programs().values() if "shim" in state]
    everything = processes_below([process.pid for process in swarm.processes() if process.running()] + shims)
    memory, count = own_memory(everything), len(everything)
    sn_memory = memory_bytes(swarm.sn.pid)
    swarm.wait_for(swarm.ended, "the task to end")
    ended = time.time()
    status = swarm.status()
    marks = {file.name: file.read_text().split() for file in (swarm.usr / "marks").iterdir()}
    models = {tuple(words[2:]) for words in marks.values()}
    if status["task_state"] != "COMPLETE" or status["completed_peers"] != peers:
        sys.exit(f"not all pairs completed: {json.dumps(status)}\n{swarm.why()}")
    if len(marks) != peers or len(models) != 1:
        sys.exit(f"{len(marks)} of {peers} programs came to their end, with {len(models)} different models")
    beginnings = sorted(float(words[0]) - begun for words in marks.values())
    name = "many_swops"
    figure(f"{name}_first", beginnings[0], f"s from ASSIGN, {len(swarm.swops)} SWOPs of {NODES} nodes")
    figure(f"{name}_last", beginnings[-1], "s from ASSIGN to the last program")
    figure(f"{name}_end", ended - begun, "s from ASSIGN to COMPLETE")
    figure(f"{name}_memory", memory / 2**20, f"MiB, {count} processes")
    figure(f"{name}_memory_sn", sn_memory / 2**20, "MiB, resident")
    figure(f"{name}_cpu", cpu_of_all() - before, "s of the machine, whatever else it did")
    figure(f"{name}_cpu_sn", cpu_seconds(swarm.sn.pid), "s of the SN")


main()
