"""ml_memory_*: a model of 500 MB from a program to its SL and a merge back, through shared memory and through the
FIFOs, by the real client package."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "python")]
from figures import figure, options  # noqa: E402
from swarmlearning._session.arrays import pack, unpack  # noqa: E402
from swarmlearning._session.channel import Channel  # noqa: E402
from swarmlearning._session.memory import MEMORY_VARIABLE  # noqa: E402
from swarmlearning._session.messages import SessionRequest  # noqa: E402
from swarmlearning._session.session import Session  # noqa: E402

BIN = pathlib.Path(os.environ.get("SWARM_BIN", HERE.parents[2] / "build/release/bin"))
MEBIBYTE = 1 << 20
TARGET = 10.0


class Way:
    """One program and its SL."""

    def __init__(self, folder, mebibytes, what, shared):
        folder.mkdir()
        self.times = []
        self.sl = subprocess.Popen([BIN / "ml_end", folder, str(mebibytes), what])
        os.environ[MEMORY_VARIABLE] = str(shared)
        self.channel = Channel(str(folder / "request"), str(folder / "response"), lambda text: None)
        self.session = Session(self.channel, SessionRequest(syncInterval=1, minPeers=1, nodeWeightage=1))
        assert (self.session._memory is not None) == shared
        self.kept = None  # as a callback keeps the last merge

    def sync(self, params):
        begin = time.perf_counter()

        def merged(theirs):
            self.times.append(time.perf_counter() - begin)
            assert len(theirs) == len(params) and unpack(theirs["layer.00000"])[-1] > 0.7
            self.kept = theirs
            return 0.0, 0.0, 0, 0

        self.session.sync(params, 1, merged)

    def end(self):
        assert self.session._memory is None or not self.session._memory.failure, self.session._memory.failure
        self.channel.close()
        if self.sl.wait(60) != 0:
            raise SystemExit("ml_end failed")


def compare(name, folder, mebibytes, what, rounds, target):
    values = np.random.default_rng(7).random((mebibytes, MEBIBYTE // 4), np.float32)
    params = {f"layer.{i:05}": pack(row) for i, row in enumerate(values)}
    memory, fifo = (Way(folder / f"{what}-{way}", mebibytes, what, way == "memory") for way in ("memory", "fifo"))
    for _ in range(rounds + 1):
        values[:, 0] += 1  # another model each time
        fifo.sync(params)
        memory.sync(params)
    for way in (memory, fifo):
        way.end()
    taken, reference = (statistics.median(way.times[1:]) * 1000 for way in (memory, fifo))
    figure(name, taken, "ms", "the same through the FIFOs", reference, target,
           None if target is None else reference / taken >= target, reference / taken)


def main():
    given = options(__doc__)
    mebibytes, rounds = (2, 2) if given.smoke else (477, 7)
    where = "/dev/shm" if os.path.isdir("/dev/shm") else None  # the store's disk is not what is measured
    with tempfile.TemporaryDirectory(dir=where) as folder:
        for name, what, target in (("ml_memory_moved", "move", TARGET), ("ml_memory_synced", "store", None)):
            if given.wants(name):
                compare(name, pathlib.Path(folder), mebibytes, what, rounds, target)


main()
