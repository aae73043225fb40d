"""One line at the bottom of a terminal that says how far training is and what is being waited for."""

from __future__ import annotations

import sys
import time
from typing import Optional

REDRAW_SECONDS = 0.1
BAR_WIDTH = 20


class ProgressLine:
    """Draws on standard error when that is a terminal, and nowhere otherwise."""

    def __init__(self, enabled: bool = True):
        self.enabled = enabled and sys.stderr.isatty()
        self._drawn_at = 0.0

    def training(
        self, epoch: int, epochs: int, round_num: int, done: int, interval: int, loss: Optional[float]
    ) -> None:
        """`done` of `interval` batches to the next sync; `epochs` is 0 when unknown."""
        if not self.enabled or time.monotonic() - self._drawn_at < REDRAW_SECONDS:
            return
        filled = BAR_WIDTH * min(done, interval) // max(interval, 1)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        quality = "" if loss is None else f"  loss {loss:.4g}"
        total = f"/{epochs}" if epochs else ""
        self._draw(f"epoch {epoch}{total}  round {round_num}  [{bar}] {done}/{interval} batches{quality}")

    def waiting(self, text: str, seconds: float) -> None:
        if self.enabled:
            self._draw(f"{text}: waiting {seconds:.0f} s")

    def clear(self) -> None:
        """Makes room for other output."""
        if self.enabled and self._drawn_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn_at = 0.0

    def _draw(self, text: str) -> None:
        sys.stderr.write("\r\x1b[K" + text)
        sys.stderr.flush()
        self._drawn_at = time.monotonic()
