"""What the environment says to the program of an example, by the names that tasks and run-sl use."""

import os
import pathlib
from typing import NamedTuple


class Fault(Exception):
    """A setting or a data file that will not do; the text says which, why, and what to do."""


class Settings(NamedTuple):
    model_dir: pathlib.Path
    data_dir: pathlib.Path
    scratch_dir: pathlib.Path  # where this node saves what it has learnt
    max_epochs: int
    min_peers: int
    node: int  # whose share of a data set that has to be dealt out, from 1
    nodes: int  # how many shares there are


def read_settings(
    model_dir: str = "model",
    data_dir: str = "/platform/data",
    scratch_dir: str = "/platform/scratch",
    max_epochs: int = 5,
    min_peers: int = 2,
) -> Settings:
    """The arguments are what counts where the environment says nothing. There are as many shares as MIN_PEERS unless
    NODES says otherwise."""
    peers = _number("MIN_PEERS", min_peers)
    nodes = _number("NODES", peers)
    node = _number("NODE", 1)
    if node > nodes:
        raise Fault(f"NODE={node}: the data is dealt out to {nodes}; NODES (else MIN_PEERS) says to how many")
    return Settings(
        *(pathlib.Path(_text(name, usual)) for name, usual in
          (("MODEL_DIR", model_dir), ("DATA_DIR", data_dir), ("SCRATCH_DIR", scratch_dir))),
        _number("MAX_EPOCHS", max_epochs), peers, node, nodes,
    )  # fmt: skip


def _text(name: str, usual: str) -> str:
    return os.environ.get(name, "").strip() or usual


def _number(name: str, usual: int) -> int:
    text = _text(name, str(usual))
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000):
        raise Fault(f"{name}={text!r}: wanted a whole number from 1")
    return int(text)
