"""idle_*: what an SN costs that has nothing to do, alone, as one of four, and with thousands of registered nodes: the
share of a core and the resident memory."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from figures import figure, options, run_json  # noqa: E402
from swarms import BIN, Swarm, until  # noqa: E402

CPU_TARGET = 1.0  # percent of a core
MEMORY_TARGET = 64.0  # MiB
NODES = 4_000


def measure(swarm, name, seconds):
    """All SNs of the swarm, for so many seconds."""
    time.sleep(0 if seconds < 3 else 3)  # what went before has its aftermath
    before = swarm.cpu()
    time.sleep(seconds)
    percent = (swarm.cpu() - before) / seconds / len(swarm.sns) * 100
    memory = max(sn.memory() for sn in swarm.sns) / 2**20
    figure(f"idle_cpu_{name}", percent, "% of a core", target=CPU_TARGET, met=percent < CPU_TARGET)
    figure(f"idle_memory_{name}", memory, "MiB", target=MEMORY_TARGET, met=memory < MEMORY_TARGET)


def measure_with_nodes(swarm, nodes, seconds):
    """A sentinel alone, whose registry is full of nodes that do not run."""
    sn = swarm.start_sn()
    until(lambda: sn.block_num() >= 1, "the sentinel registers", alive=[sn])
    sn.stop()
    run_json(BIN / "make_nodes", sn.home, nodes)
    sn.start().wait_up()
    measure(swarm, f"{nodes}nodes", seconds)


def main():
    given = options(__doc__)
    seconds = 1 if given.smoke else 20
    nodes = 50 if given.smoke else NODES
    counts = [sns for sns in ((1,) if given.smoke else (1, 4)) if given.wants(f"idle_cpu_{sns}sn")]
    with Swarm() as swarm:
        for sns in counts:
            swarm.grow(sns)
            measure(swarm, f"{sns}sn", seconds)
    if given.wants(f"idle_cpu_{nodes}nodes"):
        with Swarm() as swarm:
            measure_with_nodes(swarm, nodes, seconds)


main()
