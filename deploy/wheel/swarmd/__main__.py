"""python -m swarmd is the command swarmd."""

from . import run_swarmd

run_swarmd()
