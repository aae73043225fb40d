"""Rounds of a real swarm in a tracker that the environment names: as the chain has them."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("tensorboardX")

from launcher.chain import DEFAULT_CONTRACT
from launcher.processes import BIN
from tracker_files import tensorboard_values

pytestmark = pytest.mark.skipif(not (BIN / "swarmd").exists(), reason=f"{BIN} has no swarmd")

HEAD = """
import json, sys
import torch
from swarmlearning.pyt import SwarmCallback
node, result = int(sys.argv[1]), sys.argv[2]
"""
PROGRAM = """
torch.manual_seed(node)
x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
model = torch.nn.Linear(4, 2)
swarm = SwarmCallback(4, 2, model=model, totalEpochs=1, adsValData=(x, y), lossFunction="CrossEntropyLoss")
optimizer = torch.optim.SGD(model.parameters(), 0.1)
swarm.on_train_begin()
for _ in range(14):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    swarm.on_batch_end()
swarm.on_train_end()
json.dump(swarm.modelDigest(), open(result, "w"))
"""


def test_both_nodes_have_the_rounds_that_the_chain_has(start_programs, tmp_path):
    swarm = start_programs(
        HEAD, PROGRAM, PROGRAM, SWARM_TRACKER="tensorboard", TENSORBOARD_LOGGING_DIR=str(tmp_path)
    )
    final = set(swarm.results())
    merges = {merge.round_num: merge.digest for merge in swarm.sn.merges(DEFAULT_CONTRACT)}
    folders = sorted(tmp_path.iterdir())
    genesis = swarm.sn.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    training = f"{genesis[2:10]}-1"
    assert [folder.name for folder in folders] == [f"{DEFAULT_CONTRACT}_sl-{n}_{training}" for n in (1, 2)]
    losses = []
    for folder in folders:
        found = tensorboard_values(folder)
        assert dict(found["swarm/digest"]) == merges and final == {found["swarm/digest"][-1][1]}
        assert [step for step, _ in found["swarm/loss"]] == sorted(merges)
        losses.append(dict(found["swarm/loss"]))
        means = dict(found["swarm/mean_loss"])
    last = max(means)
    both = [mine[number] for mine in losses for number in (last - 1, last)]
    assert last >= 2 and min(both) - 1e-5 <= means[last] <= max(both) + 1e-5
