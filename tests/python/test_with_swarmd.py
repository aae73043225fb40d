"""The package against real SLs: what the demo's model does not have."""

import functools
import re

import pytest

pytest.importorskip("torch")

from launcher.chain import DEFAULT_CONTRACT
from launcher.processes import BIN

pytestmark = pytest.mark.skipif(not (BIN / "swarmd").exists(), reason=f"{BIN} has no swarmd")

HEAD = """
import json, logging, sys
import torch
from torch import nn
from swarmlearning.pyt import SwarmCallback
node, result = int(sys.argv[1]), sys.argv[2]
torch.manual_seed(node)
x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
"""
TRAIN = """
swarm = SwarmCallback(syncFrequency=2, minPeers=2, model=model, totalEpochs=1, checkinModelOnTrainEnd={mode!r})
optimizer = torch.optim.SGD(model.parameters(), 0.1)
swarm.on_train_begin()
for _ in range({batches}):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x.to(model[0].weight.dtype)).float(), y).backward()
    optimizer.step()
    swarm.on_batch_end()
swarm.on_train_end()
counts = [int(value) for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")]
json.dump({{"digest": swarm.modelDigest(), "counts": counts, "rounds": swarm.syncs}}, open(result, "w"))
"""
BATCH_NORM = "model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))"
BFLOAT16 = "model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).bfloat16()"


@pytest.fixture
def run(start_programs):
    """Runs one program text per node; returns the swarm."""
    return functools.partial(start_programs, HEAD)


@pytest.mark.parametrize("model", [BATCH_NORM, BFLOAT16], ids=["BatchNorm", "bfloat16"])
@pytest.mark.parametrize("mode", ["snapshot", "active"])
def test_both_nodes_load_what_the_chain_names(run, model, mode):
    swarm = run(*[model + TRAIN.format(batches=8, mode=mode)] * 2)
    first, second = swarm.results()
    chain_digest = swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest
    assert first["digest"] == second["digest"] == chain_digest
    if model == BATCH_NORM:  # batches 3, 5 and 7 end with a sync; "active" gives back what the last one brought
        assert first["counts"] == second["counts"] == [8 if mode == "snapshot" else 7]


def test_models_that_travel_in_fewer_bits(run):
    text = BATCH_NORM + TRAIN.replace("model=model", "model=model, transferType='bfloat16'")
    text = text.format(batches=8, mode="snapshot") + "assert model[0].weight.dtype == torch.float32"
    swarm = run(text, text)
    first, second = swarm.results()
    assert first["digest"] == second["digest"] == swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest
    header = swarm.pairs[0].sl.model_file(first["digest"])[:4096]
    assert b'"0.weight":{"dtype":"BF16"' in header and b'"F32"' not in header


def test_uneven_programs_end_together(run):
    """One has three times the batches of the other, which stays in the swarm with its last model."""
    swarm = run(
        *[BATCH_NORM.replace("nn.BatchNorm1d(8), ", "") + TRAIN.format(batches=b, mode="snapshot") for b in (5, 15)]
    )
    first, second = swarm.results()
    assert first["rounds"] < second["rounds"]
    assert first["digest"] == second["digest"] == swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest


def test_another_model_is_refused_with_its_difference_named(run):
    text = TRAIN.format(batches=3, mode="snapshot")
    swarm = run(BATCH_NORM + text, BATCH_NORM.replace("8", "9") + text)
    refused = []

    def one_refused():
        refused[:] = [pair for pair in swarm.pairs if pair.program.has_ended()]
        return refused

    swarm.wait(one_refused, "one program to be refused", [swarm.sn])
    log = refused[0].program.log()
    assert refused[0].program.exit_code == 1
    assert "SwarmError: Sync call to SL container failed - SL error: " in log and "shape" in log
    assert refused[0].sl.admin("tree") is not None  # the SL waits for the next program


MASKS = """
class Masked(nn.Linear):
    def __init__(self):
        super().__init__(4, 2)
        self.register_buffer("mask", torch.full((3, 3), float("-inf")).triu(1))
        self.register_buffer("prime", torch.tensor((1 << 61) - 1))
        self.register_buffer("table", torch.tensor([(1 << 61) - 1, -3]))
        self.register_buffer("flags", torch.tensor([True, False]))
        self.register_buffer("steps", torch.tensor(100 + node))

model = nn.Sequential(Masked())
"""
AFTER = """
buffers = {name: str(value.tolist()) for name, value in model.named_buffers()}
json.dump({"digest": swarm.modelDigest(), "buffers": buffers}, open(result, "w"))
"""


def test_what_is_no_quantity_passes_through_a_merge(run):
    swarm = run(*[MASKS + TRAIN.format(batches=4, mode="snapshot") + AFTER] * 2)
    first, second = swarm.results()
    assert first["digest"] == second["digest"] == swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest
    prime = (1 << 61) - 1
    assert first["buffers"] == second["buffers"] == {
        "0.mask": "[[0.0, -inf, -inf], [0.0, 0.0, -inf], [0.0, 0.0, 0.0]]",
        "0.prime": str(prime),
        "0.table": f"[{prime}, -3]",
        "0.flags": "[True, False]",
        "0.steps": "101",
    }


def test_a_node_with_nan_is_left_out_and_told(run):
    model = "model = nn.Sequential(nn.Linear(4, 2))\n"
    text = TRAIN.format(batches=4, mode="snapshot").replace("minPeers=2", "minPeers=3")
    bad = text.replace(".backward()", ".mul(float('nan')).backward()")
    swarm = run(model + bad, model + text, model + text)
    outcomes = swarm.results()
    chain_digest = swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest
    assert [one["digest"] for one in outcomes] == [chain_digest] * 3

    def told(pair):
        return [line for line in pair.program.log().splitlines() if "left out" in line]

    own = re.compile(
        r"this node's model was left out of the merge of round ([0-9]+): not finite; "
        r"no numbers in this node's model: 0.bias has 2 NaN of 2 values"
    )
    rounds = [own.search(line)[1] for line in told(swarm.pairs[0])]
    assert rounds and len(rounds) == len(set(rounds))
    for pair in swarm.pairs[1:]:  # they hear of it, once
        (line,) = told(pair)
        assert re.search(r"the model of \S+ \(\S+:[0-9]+\) was left out of the merge of round 2: not finite$", line)


ADAPTER = """
class Adapted(nn.Sequential):
    def state_dict(self, *args, **kwargs):
        return {k: v for k, v in super().state_dict(*args, **kwargs).items() if k.startswith("1")}

model = Adapted(nn.Linear(4, 8).requires_grad_(False), nn.Linear(8, 2))
optimized = [p for p in model.parameters() if p.requires_grad]
"""


def test_wrapped_and_bare_nodes_train_one_model(run):
    """One compiles, one runs in parallel; one gives its adapter by its state_dict, the other by a pattern."""
    train = TRAIN.format(batches=4, mode="snapshot").replace("model.parameters()", "optimized")
    plain = "model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))\noptimized = list(model[1].parameters())\n"
    pattern = train.replace("model=model", "model=nn.DataParallel(model), sharedParameters=['1.*']")
    compiled = train.replace("model=model", "model=torch.compile(model, backend='eager')")
    swarm = run(ADAPTER + compiled, plain + pattern)
    first, second = swarm.results()
    assert first["digest"] == second["digest"] == swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest
