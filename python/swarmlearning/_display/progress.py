"""How far training is and what is being waited for: one line at the bottom of a terminal, a small view in a notebook.

Programs put all kinds of objects in the place of sys.stderr, and None; whatever cannot be drawn on is left alone.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any, Optional, Protocol

REDRAW_SECONDS = 0.1
BAR_WIDTH = 20


class Progress(Protocol):
    """Where progress is shown."""

    #: Something else draws how far training is, on the same terminal: Keras, a Trainer's bar.
    has_bar_beside: bool

    def training(
        self, epoch: int, epochs: int, round_num: int, done: int, interval: int, loss: Optional[float]
    ) -> None:
        """`done` of `interval` batches to the next sync; `epochs` is 0 when unknown."""

    def waiting(self, text: str, seconds: float) -> None:
        """`text` says for what, or for whom."""

    def ended(self, rounds: int, loss: Optional[float]) -> None:
        """The final model is there."""

    def clear(self) -> None:
        """Makes room for other output."""


def make_progress() -> Progress:
    """What suits the place where the program runs."""
    from .notebook import NotebookView, in_notebook

    return NotebookView() if in_notebook() else ProgressLine()


def describe(epoch: int, epochs: int, round_num: int, done: int, interval: int, loss: Optional[float]) -> str:
    """Progress in one line."""
    filled = BAR_WIDTH * min(done, interval) // max(interval, 1)
    bar = "#" * filled + "." * (BAR_WIDTH - filled)
    quality = "" if loss is None else f"  loss {loss:.4g}"
    total = f"/{epochs}" if epochs else ""
    return f"epoch {epoch}{total}  round {round_num}  [{bar}] {done}/{interval} batches{quality}"


class ProgressLine:
    """Draws on standard error when that is a terminal, and nowhere otherwise. Beside another's bar it shows waits only,
    during which that one stands still."""

    def __init__(self, enabled: bool = True):
        self.enabled = enabled and _is_terminal(sys.stderr)
        self.has_bar_beside = False
        self._drawn_at = 0.0

    def training(
        self, epoch: int, epochs: int, round_num: int, done: int, interval: int, loss: Optional[float]
    ) -> None:
        if not self.enabled or self.has_bar_beside or time.monotonic() - self._drawn_at < REDRAW_SECONDS:
            return
        self._draw(describe(epoch, epochs, round_num, done, interval, loss))

    def waiting(self, text: str, seconds: float) -> None:
        if self.enabled:
            self._draw(f"waiting {seconds:.0f} s: {text}")

    def ended(self, rounds: int, loss: Optional[float]) -> None:
        self.clear()

    def clear(self) -> None:
        if self.enabled and self._drawn_at:
            self._drawn_at = 0.0
            self._write("\r\x1b[K")

    def _draw(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        self._drawn_at = time.monotonic()
        self._write("\r\x1b[K" + text[: max(columns - 1, 1)])

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (AttributeError, OSError, ValueError):  # replaced meanwhile, broken, or closed
            self.enabled = False


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):
        return False
