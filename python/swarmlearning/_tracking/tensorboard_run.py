"""Rounds in an event file for TensorBoard."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Dict, Sequence

from .tracker import TRAINING_TAG, NamedTracker, of_kind, table

FOLDER_VARIABLE = "TENSORBOARD_LOGGING_DIR"  # as transformers has it
DEFAULT_FOLDER = "runs"  # as PyTorch has it


def make() -> TensorboardTracker:
    """Raises ImportError."""
    return TensorboardTracker(_writer())


def _writer() -> Any:
    """A class that writes event files. That of PyTorch comes second: on the way it imports TensorFlow where there is
    one."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ImportError("neither tensorboardX nor torch.utils.tensorboard can be imported") from None
    return SummaryWriter


class TensorboardTracker(NamedTracker):
    """A folder for each run, by its name and its training, in which a node that comes back goes on; where the SL does
    not tell the training, the time of its beginning instead. A writer of a Lightning Trainer is used as well."""

    label = "TensorBoard"
    remedy = f"Can this program write to the folder {DEFAULT_FOLDER}, or to the one that {FOLDER_VARIABLE} names?"

    def __init__(self, writer: Any) -> None:
        self._make = writer
        self._writer: Any = None
        self._folder = ""
        self._text = ""  # what the run begins with
        self._is_own = True

    def adopt(self, loggers: Sequence[Any]) -> None:
        logger = of_kind(loggers, "TensorBoardLogger")
        if logger is not None:
            self._writer, self._is_own = logger.experiment, False

    def begin(self, name: str, parameters: Dict[str, Any], tags: Dict[str, str]) -> None:
        folder = os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER
        which = tags.get(TRAINING_TAG) or time.strftime("%Y%m%d-%H%M%S")
        run = re.sub(r"[^\w.-]+", "_", f"{name}_{which}")
        self._folder = os.path.join(os.path.expanduser(folder), run)
        self._text = table({**tags, **parameters})

    def log_round(self, number: int, values: Dict[str, float], tags: Dict[str, str]) -> None:
        if self._writer is None:  # what an earlier program has written of this round does not count
            unique = f".{time.time_ns()}"  # a file is named by its second alone, and replaces another one of that name
            self._writer = self._make(self._folder, purge_step=number, filename_suffix=unique)
        if self._text:
            self._writer.add_text("swarm/parameters", self._text, number)
            self._text = ""
        self._writer.add_scalar("swarm/round", number, number)
        for name, value in values.items():
            self._writer.add_scalar(name, value, number)
        for name, text in tags.items():
            if name != "swarm.round":
                self._writer.add_text(name.replace(".", "/"), text, number)
        self._writer.flush()

    def end(self, finished: bool) -> None:
        if self._is_own:
            self._writer.close()
            self._writer = None
        else:
            self._writer.flush()
