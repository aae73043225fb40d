"""The threads between a training and its trackers: rounds go in at once, whatever the trackers do with them."""

from __future__ import annotations

import atexit
import os
import queue
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from .._session.messages import SyncResponse
from .tracker import TRAINING_TAG, NamedTracker

ROUNDS_WAITING_MAX = 1000
FLUSH_SECONDS = 10.0
ERROR_TEXT_MAX = 300


@dataclass
class Round:
    """As `Tracker.log_round` takes it; `training` says of what it is a round, empty where that is not known."""

    number: int
    values: Dict[str, float]
    tags: Dict[str, str]
    training: str


class Mirrors:
    """Hands rounds to trackers, to each by a thread of its own, so that one that fails harms no other.

    Attributes:
        has_begun: `begin` was called.
    """

    def __init__(self, trackers: Sequence[Any]):
        self.has_begun = False
        self._mirrors = [Mirror(tracker) for tracker in trackers]

    def begin(self, contract: str, node: str, parameters: Dict[str, Any], loggers: Sequence[Any] = ()) -> None:
        self.has_begun = True
        for mirror in self._mirrors:
            mirror.begin(contract, node, parameters, loggers)

    def add(self, response: SyncResponse, count: int, judged: Optional[Tuple[float, float]]) -> None:
        for mirror in self._mirrors:
            mirror.add(response, count, judged)

    def end(self, finished: bool) -> None:
        """As that of each; FLUSH_SECONDS are for all together."""
        until = time.monotonic() + FLUSH_SECONDS
        left = [mirror for mirror in self._mirrors if mirror.leave(finished)]
        for mirror in left:
            mirror.wait(until)

    def leave(self) -> None:
        for mirror in self._mirrors:
            mirror.leave()

    def news(self) -> List[str]:
        return [text for mirror in self._mirrors for text in mirror.news()]


class Mirror:
    """Hands rounds to one tracker, in order. Nothing here raises, or waits for the tracker, but `wait`. Of what went
    wrong it keeps what is to be said, for the thread of the training to say it (`news`)."""

    def __init__(self, tracker: Any):
        self._tracker = tracker
        self._label = tracker.label if isinstance(tracker, NamedTracker) else f"a {type(tracker).__name__}"
        self._remedy = tracker.remedy if isinstance(tracker, NamedTracker) else "See its methods"
        self._name = ""
        self._parameters: Dict[str, Any] = {}
        self._tags: Dict[str, str] = {}
        self._items: queue.SimpleQueue[Union[Round, bool]] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: Optional[threading.Thread] = None
        self._pid = os.getpid()
        self._is_over = False
        self._last: Tuple[str, int] = ("", 0)  # training and round
        self._given = self._done = self._dropped = 0  # rounds
        self._last_error = ""
        self._in_run: Optional[str] = None  # the training whose run the tracker has open

    def begin(self, contract: str, node: str, parameters: Dict[str, Any], loggers: Sequence[Any] = ()) -> None:
        """From the thread of the training, in which a run of the user's may be open. `node` may be empty: an SL that
        does not say its name."""
        node = node or socket.gethostname()
        self._name = f"{contract} {node}"
        self._tags = {"swarm.contract": contract, "swarm.node": node}
        self._parameters = {f"swarm.{name}": value for name, value in parameters.items()}
        if isinstance(self._tracker, NamedTracker):
            try:
                self._tracker.adopt(loggers)
            except Exception as error:
                self._note(error)
        self._thread = threading.Thread(target=self._run, name="swarm tracker", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def add(self, response: SyncResponse, count: int, judged: Optional[Tuple[float, float]]) -> None:
        """The merge of an exchange was loaded, one of `count` in this program so far; `judged` are the loss and the
        metric that were reported."""
        number = response.mergedRound or count
        if (response.training, number) == self._last or self._is_over:
            return
        self._last = (response.training, number)
        self._given += 1
        if self._items.qsize() >= ROUNDS_WAITING_MAX:
            self._dropped += 1
            if self._dropped == 1:
                self._news.put(
                    f"tracker: {self._label} is too slow, {ROUNDS_WAITING_MAX} rounds wait for it; further ones are "
                    f"left out. Training goes on. {self._remedy}"
                )
            return
        self._items.put(_round(number, response, judged))

    def leave(self, finished: bool = False) -> bool:
        """No more rounds. False where it had ended before, has not begun, or is another process's."""
        if self._thread is None or self._is_over or self._pid != os.getpid():
            return False
        self._is_over = True
        atexit.unregister(self._end)
        self._items.put(finished)
        return True

    def wait(self, until: float) -> None:
        """After `leave`: until the tracker has all rounds, but no longer than that moment of the monotonic clock."""
        assert self._thread is not None
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive():
            missing = self._given - self._dropped - self._done
            what = f"has not taken {missing} of {self._given} rounds" if missing else "has not closed its run"
            self._news.put(f"tracker: {self._label} {what} in {FLUSH_SECONDS:.0f} s; they are given up. {self._remedy}")
        elif self._done < self._given:
            self._news.put(
                f"tracker: {self._given - self._done} of {self._given} rounds are not in {self._label}"
                + (f"; the last error was {self._last_error}" if self._last_error else "")
            )

    def news(self) -> List[str]:
        """What is to be said since the last call."""
        return [self._news.get() for _ in range(self._news.qsize())]

    def _end(self) -> None:
        """At the exit of a program that has not ended its session."""
        if self.leave():
            self.wait(time.monotonic() + FLUSH_SECONDS)

    def _run(self) -> None:
        while True:
            item = self._items.get()
            try:
                if isinstance(item, bool):
                    if self._in_run is not None:
                        self._tracker.end(item)
                    return
                self._take(item)
            except BaseException as error:  # also SystemExit, which would end this thread without a word
                self._note(error)
                if isinstance(item, bool):
                    return

    def _take(self, item: Round) -> None:
        if self._in_run is not None and self._in_run != item.training:  # it was reset: its rounds count from 1 again
            self._in_run = None
            self._tracker.end(False)
        if self._in_run is None:
            training = {TRAINING_TAG: item.training} if item.training else {}
            self._tracker.begin(self._name, self._parameters, {**self._tags, **training})
            self._in_run = item.training
        self._tracker.log_round(item.number, item.values, item.tags)
        self._done += 1

    def _note(self, error: BaseException) -> None:
        is_first = not self._last_error
        self._last_error = f"{type(error).__name__}: {error}".split("\n")[0][:ERROR_TEXT_MAX]
        if is_first:
            self._news.put(
                f"tracker: {self._label} does not take what it is given ({self._last_error}). Training goes on, "
                f"further failures are only counted. {self._remedy}"
            )


def _round(number: int, response: SyncResponse, judged: Optional[Tuple[float, float]]) -> Round:
    values = {} if judged is None else {"swarm/loss": judged[0], "swarm/metric": judged[1]}
    if response.meanPeers > 0:
        values.update({"swarm/mean_loss": response.meanLoss, "swarm/mean_metric": response.meanMetric})
    tags = {"swarm.round": str(number)}
    if response.mergedDigest:
        tags["swarm.digest"] = response.mergedDigest
    return Round(number, values, tags, response.training)
