"""What an experiment tracker must be able to do, and which ones there are by name."""

from __future__ import annotations

import importlib
import os
from typing import Any, Dict, List, Mapping, Protocol, Sequence

from ..errors import SwarmArgumentError

TRACKER_VARIABLE = "SWARM_TRACKER"  # names with commas between them
TRACKING_MAX = 8  # trackers of one program

#: Of a run: the network and the generation of the training. A node that comes back goes on in the run that has it.
TRAINING_TAG = "swarm.training"

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
        `swarm.syncFrequency` and so on; tags are `swarm.contract`, `swarm.node` and, where the SL tells it,
        `swarm.training`, which is the same when a program comes back to its training, and another one after a reset.
        After an error it is called again, and after `end` where the training was reset meanwhile."""

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


def make_trackers(wanted: Any) -> List[Any]:
    """The tracker of that name, or `wanted` itself, an object of the user's, or all of a list of those; what
    SWARM_TRACKER names where it is None. Raises SwarmArgumentError."""
    argument = "tracker"
    if wanted is None:
        names = os.environ.get(TRACKER_VARIABLE, "").split(",")
        wanted, argument = [name.strip() for name in names if name.strip()], TRACKER_VARIABLE
    all_wanted = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
    if len(all_wanted) > TRACKING_MAX:
        raise SwarmArgumentError(f"{argument}: {TRACKING_MAX} at most, got {len(all_wanted)}")
    twice = [name for at, name in enumerate(all_wanted) if name in all_wanted[:at]]
    if twice:
        raise SwarmArgumentError(f"{argument}: {twice[0]!r} is there twice")
    return [_make_one(argument, one) for one in all_wanted]


def _make_one(argument: str, wanted: Any) -> Any:
    if isinstance(wanted, str):
        return _named(argument, wanted)
    missing = [name for name in METHODS if not callable(getattr(wanted, name, None))]
    if missing:
        raise SwarmArgumentError(
            f"tracker: wanted one of {', '.join(TRACKERS)}, a list, or an object with {', '.join(METHODS)}; a "
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
