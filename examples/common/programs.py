"""What the programs of all examples do at their beginning and end."""

import pathlib
import sys
from typing import Callable

from settings import Fault


def run(main: Callable[[], None]) -> None:
    """Runs a program; what is wrong with its settings or data is one line, and exit code 2."""
    try:
        main()
    except Fault as fault:
        print(f"{sys.argv[0]}: {fault}", file=sys.stderr)
        sys.exit(2)


def place_for(path: pathlib.Path) -> pathlib.Path:
    """`path`, whose folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def tell_data(text: str) -> None:
    print(f"data: {text}", flush=True)


def tell_saved(swarm, path) -> None:
    """Where the final model is, and its digest: the same on all nodes and on the chain."""
    swarm.logger.info(f"Saved the trained model - {path}")
    if not swarm.loopback:
        print(f"final model {swarm.modelDigest()}", flush=True)
