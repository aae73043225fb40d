"""Looks on while a program trains alone, notes what it would share, and stops it after a few batches."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from typing import Any, Dict, List, Optional

import numpy as np

from .. import __version__
from .._session.arrays import Params, unpack
from .._training.callback import SwarmCallbackBase
from .._training.inventory import Inventory
from .._training.validation import describe_failure
from .._training.watch import Watcher
from ..errors import SwarmArgumentError, SwarmError

FRAMEWORKS = (
    "torch", "keras", "tensorflow", "jax", "lightning", "pytorch_lightning", "transformers", "peft", "accelerate",
    "torchmetrics", "numpy",
)  # fmt: skip


class Stopped(BaseException):
    """The check has seen enough. Not an Exception, so that a program does not take it for a failure of its own."""


class Recorder(Watcher):
    """Keeps `record`, which can be written as JSON, in the file `path` from the first event on."""

    def __init__(self, path: str, batches_max: int, seconds_max: float):
        self._path = path
        self._batches_max = batches_max
        self._seconds_max = seconds_max
        self._began_at = 0.0
        self._epoch_began = 0  # batches before the epoch under way
        self._callback: Optional[SwarmCallbackBase] = None  # that trains
        self._made: List[int] = []  # callbacks, by their identity
        self._digest = ""
        self.record: Dict[str, Any] = {
            "callbacks": 0, "platform": None, "versions": versions(), "session": None, "shared": [], "local": [],
            "wrappers": [], "validation": None, "errors": [], "failure": None, "not_finite": [], "unchanged": False,
            "run": {"began": False, "ended": False, "batches": 0, "epochs": 0, "epoch_batches": None, "stopped": None},
        }  # fmt: skip

    # What a callback tells --------------------------------------------------------------------------------------

    def made(self, callback: SwarmCallbackBase) -> None:
        self.record["callbacks"] += 1
        self._look_at(callback)
        self.write()

    def begins(self, callback: SwarmCallbackBase) -> None:
        if self._callback is None:
            self._callback = callback
            self._look_at(callback)
            self._look_at_model(callback)
            self._judge(callback)
            self._run["began"] = True
            self._began_at = time.monotonic()
            self.write()

    def batches(self, callback: SwarmCallbackBase, count: int) -> None:
        if callback is not self._callback:
            return
        self._run["batches"] += count
        if self._run["batches"] >= self._batches_max:
            self.stop(f"after {self._run['batches']} batches")
        if time.monotonic() - self._began_at >= self._seconds_max:
            self.stop(f"after {self._seconds_max:g} s of training")

    def epoch_ends(self, callback: SwarmCallbackBase) -> None:
        if callback is not self._callback:
            return
        self._run["epochs"] += 1
        self._run["epoch_batches"] = self._run["batches"] - self._epoch_began
        self._epoch_began = self._run["batches"]
        if self._run["batches"]:
            self.stop("after its first epoch")

    def ends(self, callback: SwarmCallbackBase) -> None:
        if callback is self._callback:
            self._run["ended"] = True
            self.stop("at the end of its training")

    def fails(self, callback: SwarmCallbackBase, error: BaseException) -> None:
        self.note_error(error)
        if self._callback is None:
            self._look_at_model(callback)
        self.write()

    # What is noted ----------------------------------------------------------------------------------------------

    def note_error(self, error: BaseException) -> None:
        """Something for which a callback would refuse the program."""
        text = str(error)
        if isinstance(error, SwarmError) and not any(text.endswith(known) for known in self.record["errors"]):
            self.record["errors"].append(text)

    def stop(self, when: str) -> None:
        """Ends the program, wherever it is."""
        self._run["stopped"] = when
        if self._callback is not None and self._digest and self._run["batches"] > 1:
            self.record["unchanged"] = self._callback.modelDigest() == self._digest
        self.record["versions"] = versions()
        self.write()
        raise Stopped

    def write(self) -> None:
        temporary = f"{self._path}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.record, file)
        os.replace(temporary, self._path)

    @property
    def _run(self) -> Dict[str, Any]:
        run: Dict[str, Any] = self.record["run"]
        return run

    def _look_at(self, callback: SwarmCallbackBase) -> None:
        options = dict(vars(callback.options))
        data = options.pop("adsValData")
        self.record["session"] = options
        self.record["platform"] = callback.platforms[0] if callback.platforms else None
        self.record["versions"] = versions()
        self._run["epoch_batches"] = callback._epoch_batches
        if data is not None:
            has_loss = getattr(callback, "_loss_function", self) is not None
            self.record["validation"] = {"data": kind_of(data), "loss_function": has_loss, "works": False}

    def _look_at_model(self, callback: SwarmCallbackBase) -> None:
        """Also of a model that cannot be shared as a whole, as far as that goes."""
        found = Inventory()
        try:
            found = callback._inventory()
            callback._check_model()
            params = callback._get_parameters()
            self.record["not_finite"] = not_finite(params)
            self._digest = callback.modelDigest()
        except SwarmError as error:
            self.note_error(error)
        self.record["shared"] = [dict(vars(tensor), shape=list(tensor.shape)) for tensor in found.shared]
        self.record["local"] = [dict(vars(part)) for part in found.local]
        self.record["wrappers"] = found.wrappers

    def _judge(self, callback: SwarmCallbackBase) -> None:
        validation = self.record["validation"]
        if validation is None:
            return
        started = time.monotonic()
        try:
            loss, metric = callback._judge_first_batch()
        except Exception as error:
            self.note_error(SwarmArgumentError(f"adsValData cannot be judged: {describe_failure(error)}"))
            return
        validation.update(works=True, loss=number(loss), metric=number(metric), seconds=time.monotonic() - started)


def kind_of(data: Any) -> str:
    """`a tuple of 2`, or the name of a type; nothing of the data."""
    if isinstance(data, (tuple, list)):
        return f"a {type(data).__name__} of {len(data)}"
    return f"{type(data).__module__}.{type(data).__name__}".replace("builtins.", "")


def number(value: float) -> Any:
    """As JSON can say it."""
    return float(value) if np.isfinite(value) else str(value)


def not_finite(params: Params) -> List[str]:
    """Names of floating tensors that have NaN or infinite values."""
    found = []
    for name, array in params.items():
        if "float" in array.dtype:
            with np.errstate(all="ignore"):
                if not np.isfinite(unpack(array)).all():
                    found.append(name)
    return found


def versions() -> Dict[str, str]:
    """Of the frameworks that the program has imported so far."""
    loaded = {name: str(getattr(sys.modules[name], "__version__", "?")) for name in FRAMEWORKS if name in sys.modules}
    return {"swarmlearning": __version__, "Python": platform.python_version(), **loaded}
