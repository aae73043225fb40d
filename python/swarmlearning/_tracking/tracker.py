"""What an experiment tracker must be able to do, and which ones there are by name."""

from __future__ import annotations

import importlib
import os
from typing import Any, Dict, Mapping, Optional, Protocol, Sequence

from ..errors import SwarmArgumentError

TRACKER_VARIABLE = "SWARM_TRACKER"

#: By the name that a user gives: the module of this folder, and what is to be installed.
TRACKERS = {
    "mlflow": ("mlflow_run", "mlflow (or the smaller mlflow-skinny)"),
    "tensorboard": ("tensorboard_run", "tensorboardX (or, beside PyTorch, tensorboard)"),
    "wandb": ("wandb_run", "wandb"),
}
METHODS = ("begin", "log_round", "end")


class Tracker(Protocol):
    """Takes the rounds of one training. All calls come from one thread, one after the other, which is not the
    training's: one that is slow, or raises, does not harm the training."""

    def begin(self, name: str, parameters: Dict[str, Any], tags: Dict[str, str]) -> None:
        """The training begins: `name` has the contract and the node, `parameters` are those of the callback, by
        `swarm.syncFrequency` and so on; tags are `swarm.contract` and `swarm.node`. After an error it is called
        again."""

    def log_round(self, number: int, values: Dict[str, float], tags: Dict[str, str]) -> None:
        """A merge was loaded. `values` has, as far as they are known, `swarm/loss` and `swarm/metric` that this node
        reported, `swarm/mean_loss` and `swarm/mean_metric` over what the peers reported last; tags are `swarm.round`
        and `swarm.digest`."""

    def end(self, finished: bool) -> None:
        """No more rounds: the training is over, or else it failed or was left. Not called where `begin` has failed."""


class NamedTracker:
    """Base of those that have a name: a run of their own, or one that the user has open.

    Attributes:
        label: in messages.
        remedy: where to look when it fails.
    """

    label: str
    remedy: str

    def adopt(self, loggers: Sequence[Any]) -> None:
        """Looks, in the training's thread, for a run that is open there; `loggers` are those of a Lightning Trainer."""


def make_tracker(wanted: Any) -> Optional[Any]:
    """The tracker of that name, or `wanted` itself, an object of the user's; what SWARM_TRACKER names where it is None.
    Raises SwarmArgumentError."""
    argument = "tracker"
    if wanted is None:
        wanted, argument = os.environ.get(TRACKER_VARIABLE, "").strip() or None, TRACKER_VARIABLE
    if wanted is None:
        return None
    if isinstance(wanted, str):
        return _named(argument, wanted)
    missing = [name for name in METHODS if not callable(getattr(wanted, name, None))]
    if missing:
        raise SwarmArgumentError(
            f"tracker: wanted one of {', '.join(TRACKERS)}, or an object with the methods {', '.join(METHODS)}; a "
            f"{type(wanted).__name__} has no {' and no '.join(missing)}"
        )
    return wanted


def _named(argument: str, wanted: str) -> Any:
    name = wanted.lower()
    if name not in TRACKERS:
        raise SwarmArgumentError(f"{argument}: wanted one of {', '.join(TRACKERS)}, got {wanted!r}")
    module, package = TRACKERS[name]
    try:
        return importlib.import_module(f"{__package__}.{module}").make()
    except ImportError as error:
        raise SwarmArgumentError(
            f"{argument} {name} needs a package that is not installed, or does not work, here ({error}): pip install "
            f"{package}, or leave {argument} out"
        ) from None


def of_kind(loggers: Sequence[Any], name: str) -> Any:
    """The first of a Lightning Trainer's loggers whose class, or a class that it comes from, has this name; or None."""
    return next((one for one in loggers if any(cls.__name__ == name for cls in type(one).__mro__)), None)


def table(rows: Mapping[str, Any]) -> str:
    """Markdown."""
    return "\n".join(["| name | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])
