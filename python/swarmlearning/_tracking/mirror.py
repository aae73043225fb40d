"""The thread between a training and its tracker: rounds go in at once, whatever the tracker does with them."""

from __future__ import annotations

import atexit
import os
import queue
import socket
import threading
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from .._session.messages import SyncResponse
from .tracker import NamedTracker

ROUNDS_WAITING_MAX = 1000
FLUSH_SECONDS = 10.0
ERROR_TEXT_MAX = 300


@dataclass
class Round:
    """As `Tracker.log_round` takes it."""

    number: int
    values: Dict[str, float]
    tags: Dict[str, str]


class Mirror:
    """Hands rounds to one tracker, in order. Nothing here raises, or waits for the tracker, but `end`, for
    FLUSH_SECONDS. Of what went wrong it keeps what is to be said, for the thread of the training to say it (`news`).

    Attributes:
        has_begun: `begin` was called.
    """

    def __init__(self, tracker: Any):
        self.has_begun = False
        self._tracker = tracker
        self._label = tracker.label if isinstance(tracker, NamedTracker) else f"a {type(tracker).__name__}"
        self._remedy = tracker.remedy if isinstance(tracker, NamedTracker) else "See its methods"
        self._name = ""
        self._parameters: Dict[str, Any] = {}
        self._tags: Dict[str, str] = {}
        self._items: queue.SimpleQueue[Union[Round, bool, None]] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: Optional[threading.Thread] = None
        self._pid = os.getpid()
        self._is_over = False
        self._last_round = 0
        self._given = self._done = self._dropped = 0  # rounds
        self._last_error = ""

    def begin(self, contract: str, node: str, parameters: Dict[str, Any], loggers: Sequence[Any] = ()) -> None:
        """From the thread of the training, in which a run of the user's may be open. `node` may be empty: an SL that
        does not say its name."""
        self.has_begun = True
        node = node or socket.gethostname()
        self._name = f"{contract} {node}"
        self._tags = {"swarm.contract": contract, "swarm.node": node}
        self._parameters = {f"swarm.{name}": value for name, value in parameters.items()}
        if isinstance(self._tracker, NamedTracker):
            try:
                self._tracker.adopt(loggers)
            except Exception as error:
                self._note(error)
        self._items.put(None)
        self._thread = threading.Thread(target=self._run, name="swarm tracker", daemon=True)
        self._thread.start()
        atexit.register(self.end, False)

    def add(self, response: SyncResponse, count: int, judged: Optional[Tuple[float, float]]) -> None:
        """The merge of an exchange was loaded, one of `count` in this program so far; `judged` are the loss and the
        metric that were reported."""
        number = response.mergedRound or count
        if number == self._last_round or self._is_over:
            return
        self._last_round = number
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

    def end(self, finished: bool) -> None:
        """No more rounds; waits until the tracker has them, but no longer than FLUSH_SECONDS."""
        thread = self._thread
        if not self.leave(finished) or thread is None:
            return
        thread.join(FLUSH_SECONDS)
        if thread.is_alive():
            missing = self._given - self._dropped - self._done
            what = f"has not taken {missing} of {self._given} rounds" if missing else "has not closed its run"
            self._news.put(f"tracker: {self._label} {what} in {FLUSH_SECONDS:.0f} s; they are given up. {self._remedy}")
        elif self._done < self._given:
            self._news.put(
                f"tracker: {self._given - self._done} of {self._given} rounds are not in {self._label}"
                + (f"; the last error was {self._last_error}" if self._last_error else "")
            )

    def leave(self, finished: bool = False) -> bool:
        """The same without a wait. False where it had ended before, or is another process's."""
        if self._thread is None or self._is_over or self._pid != os.getpid():
            return False
        self._is_over = True
        atexit.unregister(self.end)
        self._items.put(finished)
        return True

    def news(self) -> List[str]:
        """What is to be said since the last call."""
        return [self._news.get() for _ in range(self._news.qsize())]

    def _run(self) -> None:
        has_run = False
        while True:
            item = self._items.get()
            try:
                if isinstance(item, bool):
                    if has_run:
                        self._tracker.end(item)
                    return
                if not has_run:
                    self._tracker.begin(self._name, self._parameters, dict(self._tags))
                    has_run = True
                if item is not None:
                    self._tracker.log_round(item.number, item.values, item.tags)
                    self._done += 1
            except BaseException as error:  # also SystemExit, which would end this thread without a word
                self._note(error)
                if isinstance(item, bool):
                    return

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
    return Round(number, values, tags)
