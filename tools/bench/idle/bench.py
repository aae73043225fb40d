"""idle_*: what an SN costs that has nothing to do, alone and as one of four: share of a core, resident memory."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from figures import figure, options  # noqa: E402
from swarms import Swarm  # noqa: E402

CPU_TARGET = 1.0  # percent of a core
MEMORY_TARGET = 64.0  # MiB


def main():
    given = options(__doc__)
    seconds = 1 if given.smoke else 20
    with Swarm() as swarm:
        for sns in (1,) if given.smoke else (1, 4):
            swarm.grow(sns)
            time.sleep(0 if given.smoke else 3)  # joining has its aftermath
            before = swarm.cpu()
            time.sleep(seconds)
            percent = (swarm.cpu() - before) / seconds / sns * 100
            memory = max(sn.memory() for sn in swarm.sns) / 2**20
            figure(f"idle_cpu_{sns}sn", percent, "% of a core", target=CPU_TARGET, met=percent < CPU_TARGET)
            figure(f"idle_memory_{sns}sn", memory, "MiB", target=MEMORY_TARGET, met=memory < MEMORY_TARGET)


main()
