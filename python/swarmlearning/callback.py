"""What a SwarmCallback does, whatever the framework: when it syncs, what it sends, how it ends.

A platform's module adds how parameters are read and loaded and how the model is judged (`swarmlearning.pyt`,
`swarmlearning.tf`).
"""

from __future__ import annotations

import itertools
import os
import time
from types import GeneratorType
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Tuple

import numpy as np

from . import logfile
from .arrays import Params
from .channel import Channel
from .digest import model_digest
from .errors import SwarmError
from .messages import SyncResponse
from .options import Options, make_logger
from .progress import ProgressLine
from .session import Session

REQUEST_VARIABLE = "SL_REQUEST_CHANNEL"
RESPONSE_VARIABLE = "SL_RESPONSE_CHANNEL"
LOOPBACK_VARIABLE = "SWARM_LOOPBACK"
GENERATOR_BATCHES_MAX = 10_000
WAIT_LOG_SECONDS = 60.0


class SwarmCallbackBase:
    """Takes part in a swarm on behalf of one training program.

    Every `syncFrequency` batches the parameters go to the Swarm Learning node (SL) and are replaced by the merge of
    all nodes' parameters. The optimiser's state stays local. With the environment variable SWARM_LOOPBACK=True
    nothing is sent and the program trains alone.

    Arguments, on every platform:
        syncFrequency: batches of local training between two syncs (with useAdaptiveSync: at the start).
        minPeers: nodes without which no merge takes place; a sync waits for them.
        useAdaptiveSync: let the swarm choose the next interval by the loss on adsValData.
        adsValData: validation data, by which every merged model is judged: an (x, y) tuple, or anything that yields
            (x, y) batches, such as a DataLoader, a Keras data set or a generator (read once and kept).
        adsValBatchSize: samples at a time when adsValData is a tuple.
        checkinModelOnTrainEnd: what this node gives to merges after its own training has ended, until all others'
            has: 'snapshot' its parameters as they were at that moment, 'active' the last merged ones, 'inactive'
            nothing.
        trainingContract: the swarm to train with; nodes that name the same contract train one model.
        nodeWeightage: this node's weight in a merge, 1 to 100; by default all nodes are equal.
        mlPlatform: may name the platform; checked, not needed.
        mergeMethod: 'mean', 'coordmedian' or 'geomedian', each weighted.
        logger: has methods info, debug and error; by default one that writes to standard output.
        totalEpochs: epochs of local training, for the progress that the swarm shows.

    Attributes:
        logger: the logger in use; `logger.setLevel(logging.DEBUG)` tells more.
        trainingOver: the swarm finished without waiting for this node; further syncs do nothing.
        syncs: rounds this program took part in, the last one included.
        syncSeconds: seconds spent in them, waiting for others included.

    Raises SwarmArgumentError for an argument that cannot be, SwarmError when the session with the SL fails.
    """

    #: Values of mlPlatform; the first is the default.
    platforms: Sequence[str] = ()

    def _start(self, options: Options, logger: Any) -> None:
        """Checks `options`, then opens the session with the SL, which may take as long as the SL needs to come."""
        options.check(self.platforms)
        self.options = options
        self.logger = logfile.attach(make_logger() if logger is None else logger)
        self.trainingOver = False
        self.syncs = 0
        self.syncSeconds = 0.0
        self._epochs_done = 0
        self._countdown = 0  # batches to go before the sync
        self._interval = options.syncFrequency
        self._last_loss: Optional[float] = None
        self._last_merged: Optional[Params] = None
        self._channel: Optional[Channel] = None
        self._progress = ProgressLine()
        self._next_wait_log = WAIT_LOG_SECONDS
        if isinstance(options.adsValData, GeneratorType):
            options.adsValData = _keep_batches(options.adsValData)
        if options.totalEpochs is None:
            self._warn("totalEpochs is not given: the swarm cannot show how far this node is")
        self.loopback = os.environ.get(LOOPBACK_VARIABLE, "").strip().lower() == "true"
        if self.loopback:
            self._log(f"{LOOPBACK_VARIABLE} is set: training alone, without a swarm")
        else:
            self._guarded("Init", self._open)

    # The platform's part ------------------------------------------------------------------------------------------

    def _get_parameters(self) -> Params:
        """All parameters of the model, by name; views of its memory where possible."""
        raise NotImplementedError

    def _load_parameters(self, params: Params) -> None:
        """Loads merged parameters in place, cast to the model's types. Extra names are ignored."""
        raise NotImplementedError

    def _evaluate(self) -> Tuple[float, float]:
        """Loss and metric of the model on adsValData; leaves the model as it was."""
        raise NotImplementedError

    def _stop_training(self) -> None:
        """The swarm is finished: end the training loop, if there is one to be ended."""

    # What the training loop calls ---------------------------------------------------------------------------------

    def on_train_begin(self, logs: Optional[Dict[str, Any]] = None) -> None:
        """Before the first batch: all nodes start from the same merged model."""
        if not self.loopback:
            self._guarded("Sync", self._sync)

    def on_batch_end(self, batch: Optional[int] = None, logs: Optional[Dict[str, Any]] = None) -> None:
        """After every batch; syncs when it is time."""
        if self.loopback:
            return
        if self.trainingOver:
            self._stop_training()
            return
        if self._countdown == 0:
            self._guarded("Sync", self._sync)
        self._countdown -= 1
        self._progress.training(
            self._epochs_done + 1,
            self.options.totalEpochs or 0,
            self.syncs,
            self._interval - self._countdown,
            self._interval,
            self._last_loss,
        )

    def on_epoch_end(self, epoch: Optional[int] = None, logs: Optional[Dict[str, Any]] = None) -> None:
        """After every epoch; counts them."""
        self._epochs_done += 1

    def on_train_end(self, logs: Optional[Dict[str, Any]] = None) -> None:
        """After the last batch: waits until all nodes have finished, and loads the final model."""
        if not self.loopback:
            self._guarded("End Swarm", self._finish)

    def modelDigest(self) -> str:
        """The digest under which the swarm knows a model with the parameters that this one has now (SHA-256, hex).
        After on_train_end it is the one of the final merge on the chain."""
        return model_digest(self._get_parameters())

    @property
    def bytesSent(self) -> int:
        """Bytes to the SL so far."""
        return self._channel.bytes_sent if self._channel else 0

    @property
    def bytesReceived(self) -> int:
        """Bytes from the SL so far."""
        return self._channel.bytes_received if self._channel else 0

    # The session --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        paths = [os.environ.get(name, "") for name in (REQUEST_VARIABLE, RESPONSE_VARIABLE)]
        for name, path in zip((REQUEST_VARIABLE, RESPONSE_VARIABLE), paths):
            if not path:
                raise SwarmError(
                    f"{name}: bad environment variable; cannot create bridge. Set it to the path of the FIFO that "
                    f"the SL makes, or {LOOPBACK_VARIABLE}=True to train without a swarm"
                )
        self._channel = Channel(*paths, log=self._log, on_wait=self._on_wait)
        self._session = Session(self._channel, self.options.session_request())

    def _sync(self) -> None:
        self._log("Starting Swarm merging round ...")
        response = self._timed(self._session.sync, self.options.nodeWeightage, self._get_parameters())
        before = self._interval
        if response.nextSyncInterval >= 1:
            self._interval = response.nextSyncInterval
        self._countdown = self._interval
        self._log(f"Merge Done: RVInt [cur: {before} Nxt: {self._interval}]")
        if response.trainingOver:
            self.trainingOver = True
            self._log("The swarm has finished; this node takes the last merged model.")
            self._stop_training()

    def _finish(self) -> None:
        if self.trainingOver:
            if self._last_merged is None:
                self._warn("The swarm sent no merged model; the model is this node's own.")
            else:
                self._load_parameters(self._last_merged)
            self._session.kill("The swarm was over before this node's training was.")
        else:
            mode = self.options.checkinModelOnTrainEnd
            weightage = 0 if mode == "inactive" else self.options.nodeWeightage
            params = self._last_merged if mode == "active" else None
            self._log("Final merging starts at training end. Waiting for other peers to complete ...")
            self._timed(self._session.close, weightage, self._get_parameters() if params is None else params)
        self._last_merged = None
        self._close_channel()
        self._log("All peers and Swarm training rounds finished. Final Swarm model was loaded.")

    def _timed(self, exchange: Callable[..., SyncResponse], weightage: int, params: Params) -> SyncResponse:
        started = time.monotonic()
        self._next_wait_log = WAIT_LOG_SECONDS
        response = exchange(params, weightage, self._take_merged)
        self.syncs += 1
        self.syncSeconds += time.monotonic() - started
        return response

    def _on_wait(self, seconds: float) -> None:
        """Called about once a second while nothing comes from the SL."""
        self._progress.waiting(f"round {self.syncs + 1}", seconds)
        if seconds >= self._next_wait_log:
            self._log(f"Still waiting for the SL's answer, for {seconds:.0f} s now; its log says for whom.")
            self._next_wait_log += WAIT_LOG_SECONDS

    def _take_merged(self, params: Params) -> Tuple[float, float, int, int]:
        self._load_parameters(params)
        self._last_merged = params
        loss = metric = 0.0
        if self.options.adsValData is not None:
            loss, metric = self._evaluate()
            self._last_loss = loss
            self._log(f"Calculated local loss using merged parameters = {loss}")
            self._clear()
            self.logger.debug(f"Calculated local metric using merged parameters = {metric}")
        # float32 on the wire, where a larger number is infinite rather than an error
        with np.errstate(over="ignore"):
            return float(np.float32(loss)), float(np.float32(metric)), self._epochs_done, self.options.totalEpochs or 0

    def _guarded(self, phase: str, action: Callable[[], None]) -> None:
        """Runs one exchange with the SL; after a failure the pipes are closed, so that the SL sees the end."""
        try:
            action()
        except BaseException as error:
            self._close_channel()
            self._clear()
            if not isinstance(error, Exception):
                raise  # Ctrl-C
            text = f"{phase} call to SL container failed - {error}"
            self.logger.error(text)
            raise SwarmError(text) from error

    def _close_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()

    # Output -------------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._progress.clear()

    def _log(self, text: str) -> None:
        self._clear()
        self.logger.info(text)

    def _warn(self, text: str) -> None:
        self._clear()
        getattr(self.logger, "warning", self.logger.info)(text)


def _keep_batches(generator: Iterable[Any]) -> list:
    """A generator can be run through once only, the validation data are needed in every round."""
    batches = list(itertools.islice(generator, GENERATOR_BATCHES_MAX + 1))
    if len(batches) > GENERATOR_BATCHES_MAX:
        raise SwarmError(
            f"adsValData: the generator did not end after {GENERATOR_BATCHES_MAX} batches; it must yield the "
            "validation data once"
        )
    return batches


def check_names(model: Iterable[str], merged: Iterable[str]) -> None:
    """Every parameter of the model must have come back from the merge."""
    missing = sorted(set(model) - set(merged))
    if missing:
        shown = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise SwarmError(f"the merged model lacks {len(missing)} of this model's parameters: {shown}")


def check_shape(name: str, merged: Sequence[int], model: Sequence[int]) -> None:
    if tuple(merged) != tuple(model):
        raise SwarmError(
            f"parameter {name}: the merged one has shape {list(merged)}, this program's model {list(model)}; "
            "all nodes must train the same model"
        )
