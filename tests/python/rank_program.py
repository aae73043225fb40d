"""One rank of a training with torch.distributed: rank_program.py RANK COUNT STORE CALLBACKS SWARM.

Writes one line of JSON to standard output: the parameters' sum, the digest, the rounds, warnings, and an error if any.
"""

import json
import os
import sys

rank, count, store, callbacks, swarm = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
sys.path[:0] = swarm.split(os.pathsep)

import torch
import torch.distributed as dist
from swarmlearning.pyt import SwarmCallback
from torch import nn


class Logger(list):
    debug = error = info = warning = list.append


def model_of():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    model.register_buffer("spectrum", torch.tensor([1 + 2j, 3j]))
    return nn.parallel.DistributedDataParallel(model)


def train(model, logger):
    swarm = None
    if str(rank) in callbacks:
        swarm = SwarmCallback(syncFrequency=2, minPeers=1, model=model, totalEpochs=1, logger=logger)
        swarm.on_train_begin()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    torch.manual_seed(rank)
    x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
    for _ in range(6):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        if swarm:
            swarm.on_batch_end()
    if swarm:
        swarm.on_train_end()
    return swarm


dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=count)
logger, found = Logger(), {}
model = model_of()
try:
    swarm = train(model, logger)
    found = {"digest": swarm.modelDigest(), "rounds": swarm.syncs} if swarm else {}
except Exception as error:
    found = {"error": str(error)}
found["sum"] = [float(tensor.abs().double().sum()) for tensor in model.module.state_dict().values()]
found["warned"] = [text for text in logger if "torch.distributed" in text]
print(json.dumps(found), flush=True)
if "error" in found:
    os._exit(0)  # no farewell to the other ranks, which may be gone
dist.barrier()
