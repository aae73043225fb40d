"""Taking back a merge that was given before it was checked, and found to be false."""

from __future__ import annotations

from typing import Callable, Optional

FALSE_MERGE = "The last merge was found to be false: the training goes back, and on from the right one"


class Undo:
    """`kept_state` keeps the model and its optimiser as they are and returns what puts them back."""

    def __init__(self, kept_state: Callable[[], Callable[[], None]], warn: Callable[[str], None]):
        self._kept_state, self._warn = kept_state, warn
        self._put_back: Optional[Callable[[], None]] = None

    def keep(self) -> None:
        """A merge is loaded that may be taken back."""
        self._put_back = self._kept_state()

    def go_back(self) -> None:
        """To what was kept last, once."""
        put_back, self._put_back = self._put_back, None
        if put_back is not None:
            put_back()
        self._warn(FALSE_MERGE)
