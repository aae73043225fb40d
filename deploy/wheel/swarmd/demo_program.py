"""One node's training of `swarmd demo`: a linear classifier in numpy, which gives its weights to the SL beside it.

python -m swarmd.demo_program NODE NODES RESULT; the SL's pipes are named by the environment, as for every program.
"""

import json
import os
import sys

import numpy as np
from swarmlearning._session.arrays import pack, unpack
from swarmlearning._session.channel import Channel
from swarmlearning._session.messages import SessionRequest
from swarmlearning._session.session import Session

CLASSES, FEATURES, EXAMPLES = 10, 16, 4000
ROUNDS, STEPS, RATE = 12, 25, 0.5


def data(node, nodes):
    """Training data of one node, which has never seen three of the classes, and a test set of all."""
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(CLASSES, FEATURES))
    labels = rng.integers(CLASSES, size=EXAMPLES)
    points = centers[labels] + rng.normal(scale=0.9, size=(EXAMPLES, FEATURES))
    unseen = [(node * CLASSES // nodes + each) % CLASSES for each in range(3)]
    mine = (np.arange(EXAMPLES) % (nodes + 1) == node) & ~np.isin(labels, unseen)
    test = np.arange(EXAMPLES) % (nodes + 1) == nodes
    return (points[mine], labels[mine]), (points[test], labels[test])


def probabilities(model, points):
    scores = points @ model["weights"] + model["bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def train(model, points, labels):
    wanted = np.eye(CLASSES)[labels]
    for _ in range(STEPS):
        error = (probabilities(model, points) - wanted) / len(points)
        model["weights"] -= RATE * points.T @ error
        model["bias"] -= RATE * error.sum(axis=0)


def loss(model, points, labels):
    return float(-np.log(probabilities(model, points)[np.arange(len(labels)), labels] + 1e-12).mean())


def accuracy(model, points, labels):
    return float((probabilities(model, points).argmax(axis=1) == labels).mean())


def new_model():
    return {"weights": np.zeros((FEATURES, CLASSES)), "bias": np.zeros(CLASSES)}


def main(node, nodes, result):
    mine, test = data(node, nodes)
    alone = new_model()
    for _ in range(ROUNDS):
        train(alone, *mine)
    model, done = new_model(), 0

    def take(merged):
        model.update({name: np.array(unpack(array)) for name, array in merged.items()})
        return loss(model, *test), accuracy(model, *test), done, ROUNDS

    pipes = (os.environ["SL_REQUEST_CHANNEL"], os.environ["SL_RESPONSE_CHANNEL"])
    request = SessionRequest(
        syncInterval=STEPS, minPeers=nodes, maxPeers=0, useAdaptiveSync=False, checkinModelOnTrainEnd="snapshot",
        nodeWeightage=1, trainingContract="defaultbb.cqdb.sml.hpe", mergeMethod="mean",
    )  # fmt: skip
    session = Session(Channel(*pipes, log=lambda text: None), request)
    for done in range(1, ROUNDS + 1):
        train(model, *mine)
        shared = {name: pack(array) for name, array in model.items()}
        (session.sync if done < ROUNDS else session.close)(shared, 1, take)
    with open(result, "w") as file:
        json.dump({"alone": accuracy(alone, *test), "swarm": accuracy(model, *test)}, file)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
