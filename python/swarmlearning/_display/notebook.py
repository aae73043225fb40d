"""A notebook: is this program one, and a small live view in the output of its cell."""

from __future__ import annotations

import html
import sys
import time
from typing import Any, Optional

from .progress import describe

REDRAW_SECONDS = 0.5


def in_notebook() -> bool:
    """Whether the program runs in an IPython kernel. Does not import IPython: a kernel has done so."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return getattr(get_shell() if get_shell else None, "kernel", None) is not None


class NotebookView:
    """Round, loss, and for whom is being waited; one output that is redrawn in place."""

    def __init__(self) -> None:
        self.enabled = True
        self.has_bar_beside = False  # which has an output of its own here
        self._handle: Any = None
        self._shown = ""
        self._drawn_at = 0.0
        self._state = "waiting for the Swarm Learning node (SL)"

    def training(
        self, epoch: int, epochs: int, round_num: int, done: int, interval: int, loss: Optional[float]
    ) -> None:
        self._state = describe(epoch, epochs, round_num, done, interval, loss)
        if time.monotonic() - self._drawn_at >= REDRAW_SECONDS:
            self._show(self._state)

    def waiting(self, text: str, seconds: float) -> None:
        self._show(f"{self._state}\nwaiting {seconds:.0f} s: {text}")

    def ended(self, rounds: int, loss: Optional[float]) -> None:
        self._state = f"ended after {rounds} rounds" + ("" if loss is None else f", loss {loss:.4g}")
        self._show(self._state)

    def clear(self) -> None:
        """Other output has its own place; what is no longer waited for goes."""
        if self._handle is not None and self._shown != self._state:
            self._show(self._state)

    def _show(self, text: str) -> None:
        if not self.enabled or text == self._shown:
            return
        self._shown, self._drawn_at = text, time.monotonic()
        data = {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"}
        try:
            if self._handle is None:
                from IPython.display import display

                self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
            else:
                self._handle.update(data, raw=True)
        except Exception:  # a front end that cannot show it must not end the training
            self.enabled = False
