"""Learns with other hospitals to tell malignant from benign tumours (PyTorch).

Each hospital has its own cases, which stay with it. The first layer scales the measures by running averages; these are
merged like all else, so the hospitals agree on one scale.
"""

import data
import torch
from programs import place_for, run, tell_data, tell_saved
from settings import read_settings
from shares import batch_size
from swarmlearning.pyt import SwarmCallback
from torch import nn

SYNC_FREQUENCY = 26
BATCH = 32


def make_model() -> nn.Module:
    return nn.Sequential(nn.BatchNorm1d(data.FEATURES), nn.Linear(data.FEATURES, 16), nn.ReLU(), nn.Linear(16, 2))


def main() -> None:
    settings = read_settings(max_epochs=256)
    (x, y), test, told = data.load(settings.data_dir, settings.node, settings.nodes)
    tell_data(told)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    x_test, y_test = map(torch.from_numpy, test)

    torch.manual_seed(1)
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    loss_function = nn.CrossEntropyLoss()
    size = batch_size(BATCH, len(x), SYNC_FREQUENCY)

    swarm = SwarmCallback(
        syncFrequency=SYNC_FREQUENCY,
        minPeers=settings.min_peers,
        model=model,
        adsValData=(x_test, y_test),
        adsValBatchSize=35,
        totalEpochs=settings.max_epochs,
        lossFunction="CrossEntropyLoss",
    )
    swarm.on_train_begin()
    for epoch in range(settings.max_epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(size):
            if len(rows) < 2:
                continue  # a batch of one has no spread to scale by
            optimizer.zero_grad()
            loss_function(model(x[rows]), y[rows]).backward()
            optimizer.step()
            swarm.on_batch_end()
        swarm.on_epoch_end(epoch)
    swarm.on_train_end()

    path = place_for(settings.scratch_dir / "breast-cancer" / "saved_model.pt")
    torch.save(model.state_dict(), path)
    tell_saved(swarm, path)
    tell_quality(model, x_test, y_test)


@torch.no_grad()
def tell_quality(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    """In a doctor's terms: how many of the ill are found, how many of the healthy are let go."""
    model.eval()
    found = model(x).argmax(1)
    ill, healthy = found[y == 1], found[y == 0]
    print(f"sensitivity {(ill == 1).double().mean():.3f}, specificity {(healthy == 0).double().mean():.3f}", flush=True)


if __name__ == "__main__":
    run(main)
