"""Real swarmd processes (tests/launcher) with small programs beside them.

Everything waits for a condition and gives up after `PATIENCE` seconds with the logs of all processes; no test passes
or fails by the clock.
"""

import json
import shutil
import struct
import threading

import launcher.nodes
import launcher.swarm
import numpy as np
from launcher.certificates import Certs
from launcher.chain import DEFAULT_CONTRACT, EVENTS, NODE_REGISTRY, Chain, Merge
from launcher.nodes import SN
from launcher.nodes import Swarmd as Process
from launcher.processes import BIN, PATIENCE, ROOT, Failure, free_port, says, shown, until
from wire_client import WireClient

__all__ = [
    "BIN", "DEFAULT_CONTRACT", "EVENTS", "NODE_REGISTRY", "PATIENCE", "ROOT",
    "Certs", "Chain", "Failure", "Meeting", "Merge", "Process", "Program", "SL", "SN", "Swarm",
    "free_port", "inspect_program", "read_safetensors", "says", "shown", "trains", "until",
]  # fmt: skip


class SL(launcher.nodes.SL):
    def connect(self):
        """A program's end of its channel."""
        self.wait_ready()
        until(lambda: self.pipes() == "waiting", f"{self.name} to wait for a program", alive=[self])
        return WireClient(str(self.request), str(self.response), PATIENCE)

    def model(self, digest):
        """The arrays of a model, from this node's store."""
        return read_safetensors(self.model_file(digest))


class Swarm(launcher.swarm.Swarm):
    sl_type = SL


def read_safetensors(raw):
    size = struct.unpack("<Q", raw[:8])[0]
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
    out = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        first, end = entry["data_offsets"]
        array = np.frombuffer(raw[8 + size + first : 8 + size + end], kinds[entry["dtype"]])
        out[name] = array.reshape(entry["shape"])
    return out


class Program(threading.Thread):
    """Runs `work(client)` against one SL in a thread; `result()` gives what it returned or raises what it raised."""

    def __init__(self, sl, work, connect=True):
        super().__init__(daemon=True, name=f"program of {sl.name}")
        self.sl, self.work, self.client, self.connects = sl, work, None, connect
        self.value = self.error = None
        self.start()

    def run(self):
        try:
            if not self.connects:
                self.value = self.work(None)
                return
            self.client = self.sl.connect()
            with self.client:
                self.value = self.work(self.client)
        except BaseException as error:
            self.error = error

    def result(self, patience=PATIENCE):
        self.join(patience)
        assert not self.is_alive(), f"{self.name} hangs\n{self.sl.tail()}\n{self.sl.round()}"
        if self.error is not None:
            raise self.error
        return self.value

    def failure(self, patience=PATIENCE):
        """The exception it ended with."""
        self.join(patience)
        assert not self.is_alive(), f"{self.name} hangs\n{self.sl.tail()}"
        assert self.error is not None, f"{self.name} ended well, with {self.value}"
        return self.error


def trains(values, final=None, between=None, loss=None, **session):
    """A program's work: open, one sync for each array dict of `values`, close with `final` (default: the last).

    Returns the client, whose `merged` has the models it got. `between(number, client)` runs before each sync.
    """

    def work(client):
        client.open(**session)
        params = None
        for number, params in enumerate(values, 1):
            if between:
                between(number, client)
            client.sync(params, loss=loss)
        if between:
            between(len(values) + 1, client)
        weightage = 0 if session.get("checkinModelOnTrainEnd") == "inactive" else 1
        client.close(params if final is None else final, loss=loss, weightage=weightage)
        return client

    return work


class Meeting:
    """As `between` of `trains`: lets programs go on once all of them have opened their sessions."""

    def __init__(self, programs):
        self.barrier = threading.Barrier(programs)

    def __call__(self, number, client):
        if number == 1:
            self.barrier.wait(PATIENCE)


def reported(request, swarm):
    """What a fixture yields: the swarm, which tells of its nodes after a test that has failed, and is cleaned up."""
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()


def inspect_program():
    path = BIN / "swarm-inspect"
    return path if path.exists() else shutil.which("swarm-inspect")
