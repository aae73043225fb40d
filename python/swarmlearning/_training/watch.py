"""Somebody who looks on while callbacks work, as `python -m swarmlearning check` does."""

from __future__ import annotations

from typing import Any, List


class Watcher:
    """Told of each step of every callback in this process, before it is taken. What it raises goes to the program."""

    def made(self, callback: Any) -> None:
        """Its arguments are in order."""

    def begins(self, callback: Any) -> None:
        """on_train_begin: the model is there."""

    def batches(self, callback: Any, count: int) -> None:
        """`count` more have passed."""

    def epoch_ends(self, callback: Any) -> None:
        """on_epoch_end."""

    def ends(self, callback: Any) -> None:
        """on_train_end."""

    def fails(self, callback: Any, error: BaseException) -> None:
        """`error` is about to be raised in the program."""


watchers: List[Watcher] = []


def tell(event: str, callback: Any, *details: Any) -> None:
    """Calls the method `event` of all watchers."""
    for watcher in watchers:
        getattr(watcher, event)(callback, *details)
