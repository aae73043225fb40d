"""SwarmCallback for the Trainer of transformers."""

from __future__ import annotations

import math
from typing import Any, Dict

from transformers import TrainerCallback

from ._torch.hosted import HostedSwarm
from ._training.options import DEFAULT_CONTRACT
from .errors import SwarmArgumentError, SwarmError

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]


class SwarmCallback(TrainerCallback):
    """Lets a program that trains with the `Trainer` of transformers take part in a swarm:

        swarm = SwarmCallback(syncFrequency=128, minPeers=2)
        Trainer(model, args, train_dataset=data, callbacks=[swarm]).train()

    Arguments are those of `swarmlearning.pyt.SwarmCallback`, but for the model, which is the trainer's. Of a model of
    PEFT only what is trained is shared, its adapters: sharedParameters is "trainable" then, if not given.
    totalEpochs is the trainer's num_train_epochs, if not given. Batches are those of one device, also with
    gradient_accumulation_steps.

    When the swarm has finished before this node, the trainer is told to stop. With load_best_model_at_end the best
    model of this node is what it gives to the last merge; training ends with that merge.

    Attributes:
        swarm: the `swarmlearning.pyt.SwarmCallback` at work, e.g. for modelDigest(); None before training.

    Raises SwarmArgumentError for an argument that cannot be, SwarmError when the session with the SL fails.
    """

    def __init__(self, syncFrequency: int, minPeers: int, trainingContract: str = DEFAULT_CONTRACT, **arguments: Any):
        self._hosted = HostedSwarm(
            dict(arguments, syncFrequency=syncFrequency, minPeers=minPeers, trainingContract=trainingContract)
        )

    @property
    def swarm(self) -> Any:
        return self._hosted.swarm

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        model = kwargs["model"]
        defaults: Dict[str, Any] = {"sharedParameters": "trainable"} if _has_adapters(model) else {}
        batches = _count_batches(kwargs.get("train_dataloader"))
        self._hosted.begin(model, math.ceil(args.num_train_epochs), batches, **defaults)

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After each batch whose gradient is only added to others."""
        self._batch(control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._batch(control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._hosted.epoch()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._hosted.end()

    def _batch(self, control: Any) -> None:
        if self._hosted.batch():
            control.should_training_stop = True


def _count_batches(loader: Any) -> Any:
    try:
        return len(loader)
    except TypeError:  # there is none, or its data set is a stream
        return None


def _has_adapters(model: Any) -> bool:
    try:
        from peft import PeftModel
    except ImportError:
        return False
    return isinstance(model, PeftModel)
