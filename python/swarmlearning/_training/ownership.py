"""A callback as the owner of a session: how that ends before its time, and why a copy of the callback has none."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, NoReturn, Optional, Tuple, TypeVar

from .._display.logger import make_logger
from .._display.progress import Progress, make_progress
from .._session.channel import ENDED, Channel
from .._tracking.mirror import Mirrors
from ..errors import SwarmError

COPIED = (
    "this SwarmCallback is a copy of the one that has the session with the SL, and has none itself: call that one, or "
    "make a new SwarmCallback"
)

Self = TypeVar("Self", bound="SessionOwner")


class NoSession:
    """In the place of the session, in a copy."""

    def sync(self, *unused: Any) -> NoReturn:
        raise SwarmError(COPIED)

    close = kill = sync


class SessionOwner:
    """Base of the callbacks, with what makes them owners."""

    #: Attributes that copies do not get, but None in their place: they belong to the session.
    not_copied: Tuple[str, ...] = ("_channel", "_session", "_progress", "_last_merged", "logger", "_mirror", "_loggers")

    _channel: Optional[Channel]
    _session: Any
    _last_merged: Any
    _mirror: Optional[Mirrors]
    _progress: Progress
    logger: Any

    def close(self) -> None:
        """Ends the session with the SL, if it still has one, as the end of a `with` block does: after an error, or to
        train no further. The other nodes go on without this one; another SwarmCallback may follow in this program.
        Not needed after on_train_end."""
        self._clear()
        self._close_channel()
        self._end_tracking(False)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, where: Any) -> None:
        if error is None and self._channel is not None and self._channel.is_open:
            self._warn("on_train_end was not called: the model is not the swarm's final one")
        self.close()

    def __getstate__(self) -> Dict[str, Any]:
        """Of a copy, by copy and deepcopy or through pickle, e.g. with a model that refers to its callback."""
        state = {name: value for name, value in self.__dict__.items() if name not in self.not_copied}
        if "options" in state:
            state["options"] = dataclasses.replace(state["options"], adsValData=None)
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(dict.fromkeys(self.not_copied), **state)
        self.logger = make_logger()
        self._session = NoSession()
        self._progress = make_progress()

    def _close_channel(self, why: str = ENDED) -> None:
        if self._channel is not None:
            self._channel.close(why)

    def _end_tracking(self, finished: bool) -> None:
        if self._mirror is not None:
            self._mirror.end(finished)
            self._tell_of_tracker()

    def _tell_of_tracker(self) -> None:
        for text in self._mirror.news() if self._mirror is not None else ():
            self._warn(text)

    # The callback's part

    def _clear(self) -> None:
        raise NotImplementedError

    def _warn(self, text: str) -> None:
        raise NotImplementedError
