"""SwarmCallback for the Trainer of transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Dict

import numpy as np
from torch.utils.data import DataLoader
from transformers import TrainerCallback, default_data_collator

from ._torch.hosted import HostedSwarm
from ._training.options import DEFAULT_CONTRACT
from ._training.validation import TARGET_NAMES
from .errors import SwarmArgumentError, SwarmError

DEFAULT_BATCH_SIZE = 32

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]


class SwarmCallback(TrainerCallback):
    """Lets a program that trains with the `Trainer` of transformers take part in a swarm:
    `Trainer(model, args, ..., callbacks=[SwarmCallback(...)]).train()`.

    Arguments are those of `swarmlearning.pyt.SwarmCallback`, but for the model, which is the trainer's. Of a model of
    PEFT only what is trained is shared, its adapters: sharedParameters is "trainable" then, if not given.
    adsValData may also have rows, as a Trainer's own data sets have them: dicts whose input_ids are one row, or whose
    labels are one number. totalEpochs is the trainer's num_train_epochs, if not given. Batches are those of one device,
    also with gradient_accumulation_steps.

    When the swarm has finished before this node, the trainer is told to stop. With load_best_model_at_end the best
    model of this node is what it gives to the last merge; training ends with that merge.

    Attributes:
        swarm: the `swarmlearning.pyt.SwarmCallback` at work, e.g. for modelDigest(); None before training.

    Raises SwarmArgumentError for an argument that cannot be, SwarmError when the session with the SL fails.

    A whole program beside an SL:

        >>> import tempfile
        >>> from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
        >>> from swarmlearning.hf import SwarmCallback
        >>> model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_positions=8, n_embd=8, n_layer=1, n_head=2))
        >>> data = [{"input_ids": [1, 2, 3, 4], "labels": [1, 2, 3, 4]}] * 64
        >>> settings = TrainingArguments(tempfile.mkdtemp(), num_train_epochs=2, per_device_train_batch_size=4,
        ...                              save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True)
        >>> swarm = SwarmCallback(syncFrequency=16, minPeers=2, adsValData=data[:8], adsValBatchSize=4)
        >>> result = Trainer(model, settings, train_dataset=data, callbacks=[swarm]).train()  # doctest: +ELLIPSIS
        {'train_runtime': ...}
        >>> swarm.swarm.syncs  # at the start, after 16 batches, and at the end
        3
    """

    def __init__(self, syncFrequency: int, minPeers: int, trainingContract: str = DEFAULT_CONTRACT, **arguments: Any):
        if "adsValData" in arguments:
            size = arguments.get("adsValBatchSize") or DEFAULT_BATCH_SIZE
            arguments["adsValData"] = _in_batches(arguments["adsValData"], size)
        self._hosted = HostedSwarm(
            dict(arguments, syncFrequency=syncFrequency, minPeers=minPeers, trainingContract=trainingContract)
        )

    @property
    def swarm(self) -> Any:
        return self._hosted.swarm

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Opens the session; all nodes start from the same merged model."""
        model = kwargs["model"]
        defaults: Dict[str, Any] = {"sharedParameters": "trainable"} if _has_adapters(model) else {}
        defaults["optimizer"] = kwargs.get("optimizer")
        batches = _count_batches(kwargs.get("train_dataloader"))
        self._hosted.begin(model, math.ceil(args.num_train_epochs), batches, not args.disable_tqdm, **defaults)

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After each batch whose gradient is only added to others."""
        self._batch(control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After each batch that the optimiser followed; syncs when it is time."""
        self._batch(control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Counts epochs."""
        self._hosted.epoch()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Waits until all nodes have finished, and loads the final model."""
        self._hosted.end()

    def _batch(self, control: Any) -> None:
        if self._hosted.batch():
            control.should_training_stop = True


def _in_batches(data: Any, size: Any) -> Any:
    """Rows come in batches as the Trainer makes them, when it is not told otherwise; all else stays as it is."""
    try:
        first, count = data[0], len(data)
    except (AttributeError, IndexError, KeyError, TypeError):
        return data
    if not count or not isinstance(first, Mapping):
        return data
    target = next((first[name] for name in TARGET_NAMES if name in first), None)
    is_row = (target is not None and np.ndim(target) == 0) or np.ndim(first.get("input_ids", 0)) == 1
    if not is_row or not isinstance(size, int):
        return data
    return DataLoader(data, batch_size=size, collate_fn=default_data_collator)


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
