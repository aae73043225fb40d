"""A PyTorch program that learns to read digits together with others.

What makes it a swarm program is the SwarmCallback and the four calls of its methods; all else is an ordinary training
loop. Run next to an SL, whose pipes the environment names:

    SL_REQUEST_CHANNEL=... SL_RESPONSE_CHANNEL=... python digits_pyt.py --node 0

or by itself, on this node's data only:

    SWARM_LOOPBACK=True python digits_pyt.py --node 0
"""

import data
import options
import torch
from swarmlearning.pyt import SwarmCallback
from torch import nn


def make_model() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8)),  # [n, 8, 8] to [n, 1, 8, 8]: one colour
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 64),
        nn.ReLU(),
        nn.Linear(64, data.CLASSES),
    )


def main(args) -> dict:
    (x, y), (x_test, y_test) = data.load(args.node, args.nodes)
    x, y, x_test, y_test = map(torch.from_numpy, (x, y, x_test, y_test))

    torch.manual_seed(args.seed)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), options.LEARNING_RATE, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    loss_function = nn.CrossEntropyLoss()

    swarm = SwarmCallback(
        syncFrequency=options.SYNC_FREQUENCY,
        minPeers=args.min_peers,
        trainingContract=args.contract,
        adsValData=(x_test, y_test),
        totalEpochs=args.epochs,
        model=model,
        lossFunction="CrossEntropyLoss",
    )

    swarm.on_train_begin()
    for epoch in range(args.epochs):
        # As many batches on every node, however much data it has: so all come to each sync together.
        for rows in torch.randperm(len(x)).tensor_split(options.BATCHES_PER_EPOCH):
            optimizer.zero_grad()
            loss = loss_function(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            swarm.on_batch_end()
        swarm.on_epoch_end(epoch)
        schedule.step()
        print(f"epoch {epoch + 1}/{args.epochs}  loss {loss.item():.4f}", flush=True)
    swarm.on_train_end()

    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).double().mean().item()
    return options.result(args, swarm, accuracy)


if __name__ == "__main__":
    options.run(main)
