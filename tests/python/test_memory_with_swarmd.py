"""Models through shared memory with real SLs."""

import functools
import os
import pathlib

import pytest

pytest.importorskip("torch")

from launcher.chain import DEFAULT_CONTRACT
from launcher.processes import BIN

pytestmark = pytest.mark.skipif(not (BIN / "swarmd").exists(), reason=f"{BIN} has no swarmd")

HEAD = """
import json, os, sys
import torch
from torch import nn
node, result = int(sys.argv[1]), sys.argv[2]
torch.manual_seed(node)
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 400_000))
model.register_buffer("brain", torch.ones(3).bfloat16())
"""
SWITCHED_OFF = "os.environ['SWARM_SHARED_MEMORY'] = 'false'\n"
TRAIN = """
from swarmlearning.pyt import SwarmCallback
swarm = SwarmCallback(syncFrequency=2, minPeers=2, model=model, totalEpochs=1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
swarm.on_train_begin()
for _ in range(6):
    optimizer.zero_grad()
    model(torch.randn(16, 4)).square().mean().backward()
    optimizer.step()
    swarm.on_batch_end()
memory = swarm._session._memory
shares = memory is not None and not memory.failure
swarm.on_train_end()
json.dump({"digest": swarm.modelDigest(), "shares": shares, "sent": swarm.bytesSent, "got": swarm.bytesReceived},
          open(result, "w"))
"""


@pytest.fixture
def run(start_programs):
    return functools.partial(start_programs, HEAD)


def test_a_program_that_shares_memory_and_one_that_does_not_end_with_the_merge_of_the_chain(run):
    swarm = run(TRAIN, SWITCHED_OFF + TRAIN)
    first, second = swarm.results()
    assert (first["shares"], second["shares"]) == (True, False)
    assert first["digest"] == second["digest"] == swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest
    model = 400_000 * 9 * 4
    assert first["sent"] > 3 * model and first["got"] > 3 * model


DIES = """
import signal
from swarmlearning.pyt import SwarmCallback
swarm = SwarmCallback(syncFrequency=2, minPeers=1, model=model, totalEpochs=1)
swarm.on_train_begin()
signal.pause()
"""


def test_the_memory_of_a_program_that_is_killed_goes_with_it(run):
    swarm = run(DIES)
    (pair,) = swarm.pairs

    def held():
        folder = pathlib.Path(f"/proc/{pair.sl.pid}/fd")
        return [fd for fd in folder.iterdir() if os.path.islink(fd) and "swarm-model" in _target(fd)]

    swarm.wait(held, "the SL to hold the program's memory", [pair.sl, pair.program])
    assert len(held()) == 1
    pair.program.kill9()
    swarm.wait(lambda: not held(), "the SL to let go of it", [pair.sl])


def _target(fd):
    try:
        return os.readlink(fd)
    except OSError:  # closed meanwhile
        return ""
