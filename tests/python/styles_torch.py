"""Twelve ways in which PyTorch programs train. Each takes a function that makes the SwarmCallback and returns it."""

import copy

import older
import torch
from swarmlearning.pyt import SwarmCallback
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset

X = torch.randn(40, 6, generator=torch.Generator().manual_seed(3))
Y = (X.sum(1) > 0).long()


def make_callback(model, **options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=1, model=model, totalEpochs=2), **options})


def mlp(middle=None):
    return nn.Sequential(nn.Linear(6, 8), middle or nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))


def loop(model, swarm, step=None, forward=None, epochs=2, after_epoch=lambda: None):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, 0.05, momentum=0.9)
    forward = forward or model
    swarm.on_train_begin()
    for epoch in range(epochs):
        model.train()
        for number, (x, y) in enumerate(DataLoader(TensorDataset(X, Y), 10)):
            loss = nn.functional.cross_entropy(forward(x), y)
            if step:
                step(number, loss, optimizer)
            else:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            swarm.on_batch_end(number)
        swarm.on_epoch_end(epoch)
        after_epoch()
    swarm.on_train_end()
    return swarm


def plain():
    model = mlp()
    return loop(model, make_callback(model))


def validation():
    model = mlp()
    data = DataLoader(TensorDataset(X, Y), 8)
    return loop(model, make_callback(model, adsValData=data, lossFunction="CrossEntropyLoss"))


def batch_norm():
    model = mlp(nn.BatchNorm1d(8))
    return loop(model, make_callback(model, adsValData=(X, Y), lossFunction="CrossEntropyLoss"))


def bfloat16():
    model = mlp().bfloat16()
    swarm = make_callback(model, adsValData=(X.numpy(), Y.numpy()), lossFunction="CrossEntropyLoss")
    return loop(model, swarm, forward=lambda x: model(x.bfloat16()).float())


def accumulation():
    model = mlp()

    def step(number, loss, optimizer):
        loss.backward()
        if number % 2:
            optimizer.step()
            optimizer.zero_grad()

    return loop(model, make_callback(model), step)


def compiled():
    model = older.compiled(mlp())
    return loop(model, make_callback(model, adsValData=(X, Y), lossFunction="CrossEntropyLoss"))


def trainable_only():
    model = mlp()
    model[0].requires_grad_(False)
    return loop(model, make_callback(model, sharedParameters="trainable"))


def tied():
    model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.Linear(6, 2))
    model[2].weight = model[0].weight
    return loop(model, make_callback(model))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTM(2, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.out(self.cell(x.reshape(len(x), 3, 2))[0][:, -1])


def recurrent():
    model = Recurrent()
    return loop(model, make_callback(model, adsValData=(X, Y), lossFunction="CrossEntropyLoss"))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.out = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(8, 2)

    def forward(self, a, b):
        return self.out(torch.cat([self.left(a), self.right(b)], 1).relu())


def several_inputs():
    model = Two()
    data = ((X[:, :3], X[:, 3:]), Y)
    swarm = make_callback(model, adsValData=data, lossFunction="CrossEntropyLoss")
    return loop(model, swarm, forward=lambda x: model(x[:, :3], x[:, 3:]))


def averaged():
    """What is shared is the average of the weights, which has a counter of its own."""
    model = mlp()
    average = AveragedModel(model)
    swarm = make_callback(average)
    loop(model, swarm, after_epoch=lambda: average.update_parameters(model))
    return swarm


def restore_best():
    """The best model of this node is restored before the end, and merged."""
    model, best = mlp(), {}
    swarm = make_callback(model)
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    swarm.on_train_begin()
    for number in range(8):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), Y)
        loss.backward()
        optimizer.step()
        swarm.on_batch_end(number)
        if not best or float(loss) < best["loss"]:
            best = {"loss": float(loss), "state": copy.deepcopy(model.state_dict())}
    model.load_state_dict(best["state"])
    swarm.on_epoch_end(0)
    swarm.on_train_end()
    return swarm


STYLES = [plain, validation, batch_norm, bfloat16, accumulation, compiled, trainable_only, tied, recurrent,
          several_inputs, averaged, restore_best]  # fmt: skip
