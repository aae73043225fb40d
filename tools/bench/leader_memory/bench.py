"""leader_memory: the most that the node which leads a round has in memory, whatever the size of the models; in that
round it takes its program's model, makes its part of the merge, checks others' parts, gathers the merge and gives it to
its program. leader_memory_others: the most that any other node of that round has had until then.

SWARM_BENCH_PEERS nodes (16) with models of SWARM_BENCH_MIB MiB (256), each a process of its own. They take twice as
much room on the disk as all models have; one program after the other has its model in memory.
"""

import ctypes
import fcntl
import mmap
import os
import pathlib
import struct
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), *(str(HERE.parents[2] / each) for each in ("python", "tests"))]
from exchanges import CONTRACT  # noqa: E402
from figures import figure, memory_bytes, options  # noqa: E402
from launcher.processes import until  # noqa: E402
from swarmlearning._session.arrays import NDArray  # noqa: E402
from swarmlearning._session.channel import Channel  # noqa: E402
from swarmlearning._session.digest import safetensors_layout  # noqa: E402
from swarmlearning._session.memory import SLOTS, SharedMemory  # noqa: E402
from swarmlearning._session.messages import MemoryPlace, SessionRequest  # noqa: E402
from swarmlearning._session.session import Session  # noqa: E402
from swarms import Swarm  # noqa: E402

MEBIBYTE = 1 << 20
TARGET = 256 * MEBIBYTE
GAP = 400_000  # bytes from one number that is not zero to the next, so that each chunk of 1 MiB has some
PATIENCE = 3600  # seconds
F_SEAL_WRITE = 8  # of linux/fcntl.h; Python has no name for it before 3.14


class HollowMemory(SharedMemory):
    """A program's memory which it gives back once its SL has stored the model. Unless `takes` nobody can put a merge
    into it: the merges of all programs would not have room in the memory of one machine."""

    value, takes = 0.0, False

    def put(self, params):
        header, pieces = safetensors_layout(params)
        size = len(header) + sum(len(piece) for piece in pieces)
        if not self._region:
            self._make_hollow(header, size)
        return MemoryPlace(self._region, 0, size)

    def _make_hollow(self, header, size):
        self._slot_size = slot_size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        self.fd = fd = os.memfd_create("hollow", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, SLOTS * slot_size)
        os.posix_fallocate(fd, 0, slot_size)  # an SL takes no memory that is not there
        os.pwrite(fd, header, 0)
        for at in range(len(header), size - 3, GAP):
            os.pwrite(fd, struct.pack("<f", self.value), at)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self._send(fd, 1)
        self._region, self._free_slot = 1, 0
        if self.takes:
            mapped = memoryview(mmap.mmap(fd, SLOTS * slot_size))
            self._slots = [mapped[slot * slot_size : (slot + 1) * slot_size] for slot in range(SLOTS)]

    def give_back(self):
        """The SL has the model."""
        keep_size, punch_hole = 1, 2  # of fallocate(2)
        size = ctypes.c_int64(self._slot_size)
        if ctypes.CDLL(None, use_errno=True).fallocate(self.fd, keep_size | punch_hole, ctypes.c_int64(0), size) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")
        if not self.takes:
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, F_SEAL_WRITE)


class Program(threading.Thread):
    """Syncs once. `merged` is set when it has got the merge; one that does not take it ends with an error then."""

    def __init__(self, sl, number, peers, params):
        super().__init__(daemon=True)
        self.sl, self.number, self.peers, self.params = sl, number, peers, params
        self.merged = threading.Event()
        self.failure = None

    def run(self):
        try:
            self.sync()
        except Exception as error:
            self.failure = error

    def sync(self):
        channel = Channel(str(self.sl.request), str(self.sl.response), lambda text: None)
        session = Session(channel, SessionRequest(
            syncInterval=1, minPeers=self.peers, checkinModelOnTrainEnd="snapshot", nodeWeightage=1,
            trainingContract=CONTRACT, mergeMethod="mean"))
        self.memory = session._memory
        self.memory.__class__ = HollowMemory
        self.memory.value, self.memory.takes = float(self.number), self.number == 1

        def merged(params):
            data = params["w"].data
            assert struct.unpack_from("<f", data)[0] == (self.peers + 1) / 2, "the merge is not the mean"
            self.merged.set()
            return 0.0, 0.0, 0, 0

        session.sync(self.params, 1, merged)


def measure(peers, mebibytes):
    size = mebibytes * MEBIBYTE
    params = {"w": NDArray("dtype('float32')", (size // 4,), memoryview(mmap.mmap(-1, size)))}
    with Swarm(("sn-1", "sl-1")) as swarm:
        swarm.start_sn()
        programs = []
        for number in range(1, peers + 1):
            sl = swarm.add_sl().wait_ready()  # one after the other: the first one leads the first round
            programs.append(Program(sl, number, peers, params))
            programs[-1].start()
            until(lambda sl=sl: list(sl.store.glob("*.safetensors")), f"{sl.name} to store its model", PATIENCE, [sl])
            programs[-1].memory.give_back()
        first = programs[0]
        until(lambda: first.merged.is_set() or first.failure, "the merge", PATIENCE, alive=swarm.sls)
        if first.failure:
            raise SystemExit(f"the first program failed: {first.failure}")
        most = [memory_bytes(sl.pid, "VmHWM") for sl in swarm.sls]
    reference = f"all models of a round of {peers} peers with {mebibytes} MiB each"
    figure("leader_memory", most[0], "bytes", reference, peers * size, TARGET, most[0] <= TARGET)
    figure("leader_memory_others", max(most[1:]), "bytes", reference, peers * size, TARGET, max(most[1:]) <= TARGET)


given = options(__doc__)
environment = os.environ.get
if given.smoke:
    measure(3, 4)
else:
    measure(int(environment("SWARM_BENCH_PEERS", "16")), int(environment("SWARM_BENCH_MIB", "256")))
