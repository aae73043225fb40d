"""What the nodes reach without a swarm: each alone on its own data, and all data in one place.

One process trains them one after the other, with the programs of the demo and SWARM_LOOPBACK set.
"""

import argparse
import importlib
import json
import logging
import os

import options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="digits_pyt", help="module: digits_pyt or digits_keras")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=options.EPOCHS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", required=True, help="JSON file to write")
    args = parser.parse_args()

    os.environ["SWARM_LOOPBACK"] = "True"
    logging.getLogger("SwarmCallback").addHandler(logging.NullHandler())
    program = importlib.import_module(args.program)

    def accuracy(node: int) -> float:
        common = ["--nodes", str(args.nodes), "--epochs", str(args.epochs), "--seed", str(args.seed)]
        return program.main(options.parse(["--node", str(node), *common]))["accuracy"]

    outcome = {"alone": [accuracy(node) for node in range(args.nodes)], "central": accuracy(-1)}
    with open(args.result, "w") as file:
        json.dump(outcome, file)


if __name__ == "__main__":
    main()
