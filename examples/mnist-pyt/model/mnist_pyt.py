"""Learns to read handwritten digits together with other nodes (PyTorch), on a GPU where there is one.

`--cuda`, as the original's task for GPUs of AMD says, is an error where there is none.
"""

import sys

import mnist_data
import torch
from programs import place_for, run, tell_data, tell_saved
from settings import Fault, read_settings
from shares import batch_size
from swarmlearning.pyt import SwarmCallback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SYNC_FREQUENCY = 128
BATCH = 128


def make_model() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 10))


def data_set(images, labels) -> TensorDataset:
    return TensorDataset(torch.from_numpy(images).float() / 255, torch.from_numpy(labels))


def choose_device() -> torch.device:
    found = torch.cuda.is_available()  # true for AMD's as well
    if "--cuda" in sys.argv[1:] and not found:
        raise Fault("--cuda: PyTorch finds no GPU; leave it out, or give the container one (usrcontaineropts)")
    return torch.device("cuda" if found else "cpu")


def main() -> None:
    settings = read_settings(max_epochs=5)
    device = choose_device()
    train, test, told = mnist_data.load(settings.data_dir, settings.node, settings.nodes)
    tell_data(f"{told}; on {device}")
    size = batch_size(BATCH, len(train[0]), SYNC_FREQUENCY)
    loader = DataLoader(data_set(*train), batch_size=size, shuffle=True)
    test_loader = DataLoader(data_set(*test), batch_size=BATCH)

    torch.manual_seed(1)
    model = make_model().to(device)
    optimizer = torch.optim.Adam(model.parameters())
    loss_function = nn.CrossEntropyLoss()
    swarm = SwarmCallback(
        syncFrequency=SYNC_FREQUENCY,
        minPeers=settings.min_peers,
        useAdaptiveSync=False,
        model=model,
        adsValData=test_loader,
        adsValBatchSize=BATCH,
        totalEpochs=settings.max_epochs,
        lossFunction="CrossEntropyLoss",
        lossFunctionArgs={"reduction": "sum"},
        metricFunction="F1Score",
        metricFunctionArgs={"task": "multiclass", "num_classes": 10},
    )
    swarm.on_train_begin()
    for epoch in range(settings.max_epochs):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = loss_function(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            swarm.on_batch_end()
        swarm.on_epoch_end(epoch)
        print(f"epoch {epoch + 1}/{settings.max_epochs}, loss {loss.item():.4f}", flush=True)
    swarm.on_train_end()

    path = place_for(settings.scratch_dir / "mnist_pyt" / "saved_model.pt")
    torch.save(model.state_dict(), path)
    tell_saved(swarm, path)
    print(f"accuracy {accuracy_of(model, test_loader, device):.4f}", flush=True)


@torch.no_grad()
def accuracy_of(model: nn.Module, loader: DataLoader, device: torch.device) -> float:
    model.eval()
    right = sum((model(images.to(device)).argmax(1).cpu() == labels).sum().item() for images, labels in loader)
    return right / len(loader.dataset)


if __name__ == "__main__":
    run(main)
