"""What the callbacks of training frameworks on top of PyTorch share: a `swarmlearning.pyt.SwarmCallback` that is made
when training begins, as only then the framework shows its model."""

from __future__ import annotations

import inspect
from typing import Any, Dict, Optional, Sequence

from .. import pyt
from .._tracking.tracker import make_trackers
from ..errors import SwarmArgumentError


class HostedSwarm:
    """Holds the arguments until training begins, and the session from then on.

    Attributes:
        swarm: the `swarmlearning.pyt.SwarmCallback` of the training under way or of the last one; None before.
    """

    def __init__(self, arguments: Dict[str, Any]):
        known = set(inspect.signature(pyt.SwarmCallback.__init__).parameters) - {"self", "model"}
        for name in arguments:
            if name == "model":
                raise SwarmArgumentError("model: it is the trainer's, and not given to this callback")
            if name not in known:
                raise SwarmArgumentError(f"{name}: there is no such argument; there are {', '.join(sorted(known))}")
        make_trackers(arguments.get("tracker"))  # what is wrong with it is said at once
        self.swarm: Optional[pyt.SwarmCallback] = None
        self._arguments = arguments

    def begin(
        self,
        model: Any,
        totalEpochs: Optional[int],
        epoch_batches: Any,
        has_bar: bool,
        loggers: Sequence[Any] = (),
        **defaults: Any,
    ) -> None:
        """Opens a session for `model` and loads what all nodes start from. `epoch_batches` is how many an epoch has, as
        far as a number says so; `has_bar` whether the framework draws how far training is; in one of `loggers` the
        user may have a run open; `defaults` are for what the user left out."""
        if self.swarm is not None:
            self.swarm.close()  # of a training before, which an error may have ended
        arguments = {"totalEpochs": totalEpochs, **defaults, **self._arguments}
        self.swarm = pyt.SwarmCallback(model=model, **arguments)
        self.swarm._progress.has_bar_beside = has_bar
        self.swarm._loggers = loggers
        self.swarm._epoch_batches = epoch_batches if isinstance(epoch_batches, int) else None
        self.swarm.on_train_begin()

    def batch(self) -> bool:
        """One batch is done; syncs when it is time. True when the swarm has finished and training should end."""
        assert self.swarm is not None
        self.swarm.on_batch_end()
        return self.swarm.trainingOver

    def epoch(self) -> None:
        assert self.swarm is not None
        self.swarm.on_epoch_end()

    def end(self) -> None:
        """Waits for the other nodes and loads the final model."""
        assert self.swarm is not None
        self.swarm.on_train_end()

    def leave(self) -> None:
        """The training failed: the SL sees the end of the session."""
        if self.swarm is not None:
            self.swarm.close()
