"""What both programs have in common: the numbers of the training, the command line, the result."""

import argparse
import json
import os
from typing import Callable

BATCHES_PER_EPOCH = 15
SYNC_FREQUENCY = 4  # batches between two merges
LEARNING_RATE = 0.06  # falls to 0 towards the end
EPOCHS = 30


def parse(argv=None) -> argparse.Namespace:
    """Flags, with defaults from the environment as the tasks of a swarm set them."""
    env = os.environ.get
    parser = argparse.ArgumentParser(description="Learn to read digits together with other nodes.")
    parser.add_argument("--node", type=int, default=int(env("NODE", 0)), help="whose data, from 0; -1: all of it")
    parser.add_argument("--nodes", type=int, default=int(env("NODES", 4)), help="how many nodes share the data")
    parser.add_argument("--epochs", type=int, default=int(env("MAX_EPOCHS", EPOCHS)))
    parser.add_argument("--min-peers", type=int, default=int(env("MIN_PEERS", 2)), help="nodes that a merge needs")
    parser.add_argument("--contract", default=env("CONTRACT", "defaultbb.cqdb.sml.hpe"), help="training contract")
    parser.add_argument("--seed", type=int, default=int(env("SEED", 1)), help="the same on all nodes")
    parser.add_argument("--result", default=env("RESULT"), help="JSON file to write")
    return parser.parse_args(argv)


def result(args: argparse.Namespace, swarm, accuracy: float) -> dict:
    """What a program reports at its end. The digest is computed from the parameters that the model has now."""
    return {
        "node": args.node,
        "accuracy": float(accuracy),
        "digest": swarm.modelDigest(),
        "rounds": swarm.syncs,
        "seconds_in_sync": swarm.syncSeconds,
        "bytes_to_sl": swarm.bytesSent,
        "bytes_from_sl": swarm.bytesReceived,
    }


def run(main: Callable[[argparse.Namespace], dict]) -> None:
    args = parse()
    outcome = main(args)
    print(f"node {args.node}: accuracy on the common test set {outcome['accuracy']:.4f}")
    if args.result:
        with open(args.result, "w") as file:
            json.dump(outcome, file)
