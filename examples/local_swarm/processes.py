"""Processes of a local swarm, with their logs; everything is ended by its own process id."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from launcher import processes  # noqa: E402
from launcher.processes import BIN as programs_folder  # noqa: E402
from launcher.processes import Failure, Process, stop_all  # noqa: E402

__all__ = ["Failure", "Process", "ask_admin", "free_ports", "programs_folder", "stop_all"]


def free_ports(count):
    """`count` ports on which nobody listens."""
    return [processes.free_port() for _ in range(count)]


def ask_admin(data_dir, method, **params):
    """The result of a request on the admin socket in `data_dir`; None while nobody serves it."""
    answer = processes.ask_admin(data_dir, method, params, patience=5)
    return None if answer is None else answer.get("result")
