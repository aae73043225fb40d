"""`python -m swarmlearning check program.py`, see `swarmlearning._check.command`."""

import sys

from ._check.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
