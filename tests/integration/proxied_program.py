"""Stands in for the programs of the examples behind a reverse proxy, under their names, and needs no framework: its
model is a few numbers. What it is told, what it prints last and where it saves are as theirs."""

import logging
import pathlib

import numpy as np
from dict_program import DictCallback, train
from programs import place_for, run, tell_saved
from settings import read_settings

SAVES = {"mnist_tf": "mnist_tf/saved_model.pb", "cifar10": "saved_models/cifar10.h5"}


def main():
    settings = read_settings()
    values = {"w": np.full(1000, settings.node, np.float32)}
    swarm = DictCallback(values, minPeers=settings.min_peers, totalEpochs=settings.max_epochs)
    swarm.logger.setLevel(logging.DEBUG)
    train(swarm, 3, settings.max_epochs)
    path = place_for(pathlib.Path(SAVES[pathlib.Path(__file__).stem]))
    path.write_bytes(swarm.values["w"].tobytes())
    tell_saved(swarm, path)


if __name__ == "__main__":
    run(main)
