"""What a SwarmCallback does, whatever the framework: when it syncs, what it sends, how it ends.

A platform's module adds how parameters are read and loaded and how the model is judged (`swarmlearning.pyt`,
`swarmlearning.tf`).
"""

from __future__ import annotations

import os
import time
import weakref
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import numpy as np

from .._display import logfile
from .._display.logger import check_logger, make_logger
from .._display.progress import make_progress
from .._session.arrays import Params
from .._session.channel import ENDED, Channel
from .._session.digest import model_digest
from .._session.messages import SessionRequest, SyncResponse
from .._session.narrowing import Narrowing
from .._session.session import Session
from .._session.undo import Undo
from .._tracking.mirror import Mirrors
from .._tracking.tracker import make_trackers
from ..errors import SwarmArgumentError, SwarmError
from .inventory import Inventory
from .options import Options
from .ownership import SessionOwner
from .readback import changed_parameters, check_loaded, holds, left_out
from .resuming import resuming_text, was_resumed
from .shared import Sharing, some
from .validation import describe_failure, keep_one_shot
from .watch import tell

REQUEST_VARIABLE = "SL_REQUEST_CHANNEL"
RESPONSE_VARIABLE = "SL_RESPONSE_CHANNEL"
LOOPBACK_VARIABLE = "SWARM_LOOPBACK"
WAIT_LOG_SECONDS = 60.0  # a wait for an answer is told of each time that this has passed,
WAIT_FIRST_SECONDS = 10.0  # and after so long when the SL says for whom it waits


class SwarmCallbackBase(SessionOwner):
    """Takes part in a swarm on behalf of one training program.

    Every `syncFrequency` batches the parameters go to the Swarm Learning node (SL) and are replaced by the merge of
    all nodes' parameters. The optimiser's state stays local. With the environment variable SWARM_LOOPBACK=True
    nothing is sent and the program trains alone.

    Arguments, on every platform:
        syncFrequency: batches of local training between two syncs (with useAdaptiveSync: at the start).
        minPeers: nodes without which no merge takes place; a sync waits for them.
        trainingContract: the swarm to train with; nodes that name the same contract train one model. The last
            argument that may be given by its place; those below are given by name.
        useAdaptiveSync: let the swarm choose the next interval by the loss on adsValData.
        adsValData: validation data, by which every merged model is judged: (x, y) or (x, y, sample_weight), or
            anything that yields such batches, or batches that are dicts: a data set of torch, Keras or TensorFlow, a
            DataLoader, a list, a generator or another iterator that runs once (read at the start and kept). A first
            batch is judged before this program joins the swarm. When judging fails later on, training goes on and
            the loss is reported as 0, as without adsValData.
        adsValBatchSize: samples at a time when adsValData is arrays or a torch Dataset.
        checkinModelOnTrainEnd: what this node gives to merges after its own training has ended, until all others'
            has: 'snapshot' its parameters as they were at that moment, 'active' the last merged ones, 'inactive'
            nothing.
        nodeWeightage: this node's weight in a merge, 1 to 100; by default all nodes are equal.
        mlPlatform: may name the platform; checked, not needed.
        mergeMethod: how the swarm merges, the same at all nodes: 'mean', 'coordmedian', 'geomedian',
            'trimmedmean:0.2', 'krum:f', 'multikrum:f,m', 'clippedmean:norm' or 'custom:name'; see docs/merging.md.
        logger: has methods info, debug and error; by default one that writes to standard output.
        totalEpochs: epochs of local training, for the progress that the swarm shows.
        sharedParameters: what of the model is exchanged: 'all' its parameters and buffers, those that are 'trainable',
            or patterns of their names such as ['encoder.*', '*.bias']; the others stay as they are on this node. The
            same on all nodes.
        tracker: an experiment tracker that gets the rounds too, off the training's path: 'mlflow', 'tensorboard' or
            'wandb', an object with the methods begin, log_round and end (`swarmlearning.Tracker` says what they get),
            or a list of those. The default is what SWARM_TRACKER names (commas between several), or none. Each round
            is written when its merge was loaded: loss and metric of this node and means over the peers, the number of
            the round, the merge's digest, the contract; the arguments of this callback at the start. A run that is
            open, as of mlflow, of wandb or of a Trainer's logger, is used; else one is made, or gone on with.
        transferType: 'float16' or 'bfloat16': parameters of more bits travel and are merged as these, in half the
            bytes; this model keeps its own types. The same on all nodes. The default is what the environment variable
            SWARM_TRANSFER_TYPE names, or the model's own types.
        resume: go on from the last merge of the training, as after a crash or an outage: on_train_begin loads it, even
            if this program is new and all nodes were stopped. Where nothing is merged yet the program begins as always,
            and says so. A model with other parameters is refused. Of a training that is over it gets the final model.
            Where you count epochs or keep the state of an optimiser, resumedRound says from where.

    One callback at a time has the session with the SL. on_train_end ends it; so do close(), the end of a `with` block,
    and an error in a call. A copy of a callback, as of a model that refers to it, has no session.

    Attributes:
        logger: the logger in use; `logger.setLevel(logging.DEBUG)` tells more.
        trainingOver: the swarm finished without waiting for this node; further syncs do nothing.
        resumedRound: with resume, the round from whose merge this program went on; 0 when it began anew.
        syncs: rounds this program took part in, the last one included.
        syncSeconds: seconds spent in them, waiting for others included.
        notices: what the SL said about this node's part in the rounds, e.g. that its model was left out of a merge and
            why; logged as warnings too.

    Raises SwarmArgumentError for an argument that cannot be, SwarmError when the session with the SL fails.
    """

    #: Values of mlPlatform; the first is the default.
    platforms: Sequence[str] = ()

    def _start(self, options: Options, logger: Any, tracker: Any = None) -> None:
        """Checks `options`, then opens the session with the SL, which may take as long as the SL needs to come."""
        options.check(self.platforms)
        found = make_trackers(tracker)
        self._mirror = Mirrors(found) if found else None
        self._loggers: Sequence[Any] = ()  # of a Trainer, in one of which a run may be open
        if logger is not None:
            check_logger(logger)
        self.options = options
        self.logger = logfile.attach(make_logger() if logger is None else logger)
        self.trainingOver = False
        self.resumedRound = 0
        self.syncs = 0
        self.syncSeconds = 0.0
        self._epochs_done = 0
        self._epoch_batches: Optional[int] = None  # in an epoch, where a framework says so
        self._countdown = 0  # batches to go before the sync
        self._interval = options.syncFrequency
        self._last_loss: Optional[float] = None
        self._last_metric = 0.0
        self._last_merged: Optional[Params] = None
        self._sent: Optional[Params] = None  # this model, as given to the merge that is waited for
        self._got_merge = False  # in the present exchange, or the last one
        self._heard = ""  # the notice that came with the answer of the present exchange
        self._seen = ("", "")  # what its merge says about this model: a sentence, and the values that it is about
        self._cannot_judge = False
        self._is_idle = False  # this model was found not to be trained
        self._sharing = Sharing(options.sharedParameters)
        self._narrowing = Narrowing(options.transferType or "")
        self._channel: Optional[Channel] = None
        self._progress = make_progress()
        self._next_wait_log = WAIT_LOG_SECONDS
        self._told_of = ""  # what was waited for at the last line about a wait
        self.notices: list[str] = []
        options.adsValData = keep_one_shot(options.adsValData)
        if options.totalEpochs is None:
            self._warn("totalEpochs is not given: the swarm cannot show how far this node is")
        self.loopback = os.environ.get(LOOPBACK_VARIABLE, "").strip().lower() == "true"
        if self.loopback:
            self._log(f"{LOOPBACK_VARIABLE} is set: training alone, without a swarm")
            if options.resume:
                self._log("resume is passed over: alone there is no merge to go on from")
        tell("made", self)
        self._guarded("Init", self._join)

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

    def _tracked(self) -> Dict[str, Any]:
        """The arguments that a tracker is told."""
        return self.options.shown()

    def _can_go_back(self) -> bool:
        """Whether `_kept_state` can keep all that a training with a merge changes."""
        return False

    def _kept_state(self) -> Callable[[], None]:
        """Keeps the model and its optimiser as they are; what is returned puts them back."""
        raise NotImplementedError

    def _check_model(self) -> None:
        """Raises when something of the model cannot be shared, as far as that is known when the callback is made."""

    def _shared_bytes(self) -> int:
        """Of all tensors together that this node shares; 0 while they are not known."""
        return 0

    def _inventory(self) -> Inventory:
        """What of the model is shared and what is not, for people."""
        raise NotImplementedError

    def _judge_first_batch(self) -> Tuple[float, float]:
        """Loss and metric of the first batch of adsValData; leaves the model as it was."""
        raise NotImplementedError

    def _check_validation(self) -> None:
        """Judges a first batch, if the model is there when the callback is made."""

    def _causes(self) -> Sequence[str]:
        """What may keep a model from holding what was loaded into it."""
        return ["a layer or wrapper computes its parameters, or two of them share memory on this node only"]

    def _ended_with(self, merged: Params) -> None:
        """The training is over, with this final model."""

    def _stop_training(self) -> None:
        """The swarm is finished: end the training loop, if there is one to be ended."""

    # What the training loop calls ---------------------------------------------------------------------------------

    def on_train_begin(self, logs: Optional[Dict[str, Any]] = None) -> None:
        """Before the first batch: all nodes start from the same merged model."""
        tell("begins", self)
        self._sharing.begin()
        if not self.loopback:
            self._guarded("Sync", self._sync)

    def on_batch_end(self, batch: Optional[int] = None, logs: Optional[Dict[str, Any]] = None) -> None:
        """After every batch; syncs when it is time."""
        self._count_batches(1)

    def _count_batches(self, count: int) -> None:
        """`count` batches have passed since the last call. The first sync by count is at batch syncFrequency + 1."""
        tell("batches", self, count)
        if self.loopback:
            return
        if self.trainingOver:
            self._stop_training()
            return
        left = self._countdown - count
        if left < 0:
            before = self._countdown
            self._guarded("Sync", self._sync)
            left = before + self._countdown - count
        self._countdown = max(left, 0)
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
        tell("epoch_ends", self)
        self._epochs_done += 1

    def on_train_end(self, logs: Optional[Dict[str, Any]] = None) -> None:
        """After the last batch: waits until all nodes have finished, and loads the final model."""
        tell("ends", self)
        if not self.loopback:
            self._guarded("End Swarm", self._finish)

    def modelDigest(self) -> str:
        """The digest under which the swarm knows a model with the parameters that this one has now (SHA-256, hex).
        After on_train_end it is the one of the final merge on the chain."""
        return model_digest(self._narrowing.narrow(self._get_parameters()))

    @property
    def bytesSent(self) -> int:
        """Bytes to the SL so far."""
        return self._channel.bytes_sent if self._channel else 0

    @property
    def bytesReceived(self) -> int:
        """Bytes from the SL so far."""
        return self._channel.bytes_received if self._channel else 0

    # The session --------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        if not self.loopback:
            self._check_model()
        if self.options.adsValData is not None:
            self._check_validation()
        if not self.loopback:
            self._open()

    def _open(self) -> None:
        request_path, response_path = (os.environ.get(name, "") for name in (REQUEST_VARIABLE, RESPONSE_VARIABLE))
        for name, path in ((REQUEST_VARIABLE, request_path), (RESPONSE_VARIABLE, response_path)):
            if not path:
                raise SwarmError(
                    f"{name}: bad environment variable; cannot create bridge. Set it to the path of the FIFO that "
                    f"the SL makes, or {LOOPBACK_VARIABLE}=True to train without a swarm"
                )
        self._channel = Channel(request_path, response_path, self._log, self._on_wait)
        undo = Undo(self._kept_state, self._warn) if self._can_go_back() else None
        self._session = Session(self._channel, self._request(), self._on_notice, self._narrowing, undo)
        self._session.check_size(self._shared_bytes())
        if self.options.resume:
            self._log(resuming_text(self.options.trainingContract, self._session.resumes_from))

    def _request(self) -> SessionRequest:
        return self.options.session_request(follows_rounds=self._mirror is not None)

    def _note_resumed(self, response: SyncResponse) -> None:
        wanted = self._session.resumes_from
        if not self.options.resume or not wanted:
            return
        if not was_resumed(wanted, response.mergedRound, self._got_merge):
            self._warn("resume: the training was started over meanwhile; this program takes part from its beginning")
            return
        self.resumedRound = response.mergedRound
        self._log(f"resume: loaded the merge of round {self.resumedRound}, {self.modelDigest()}")

    def _sync(self) -> None:
        self._log("Starting Swarm merging round ...")
        response = self._timed(self._session.sync, self.options.nodeWeightage, self._own_parameters())
        if self.syncs == 1:
            self._note_resumed(response)
        if response.trainingOver and self.syncs == 1 and not self.resumedRound:
            self._session.kill("The training was over before this program began.")
            raise SwarmError(
                f"the training of {self.options.trainingContract} was over before this program began, and this program "
                "has no part in its model. Reset it by `swarm-inspect reset "
                f"{self.options.trainingContract}` at an SN, or name another trainingContract"
            )
        self._track(response)
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
            self._load_final(self._last_merged)
            self._session.kill("The swarm was over before this node's training was.")
        else:
            mode = self.options.checkinModelOnTrainEnd
            weightage = 0 if mode == "inactive" else self.options.nodeWeightage
            params = self._last_merged if mode == "active" else None
            self._log("Final merging starts at training end. Waiting for other peers to complete ...")
            params = self._own_parameters() if params is None else params
            response = self._timed(self._session.close, weightage, params)
            if not self._got_merge:
                raise SwarmError("the SL ended the training without a final model; the model is this node's own")
            self._track(response)
        if self._last_merged is not None:
            self._ended_with(self._last_merged)
        self._last_merged = None
        self._close_channel()
        self._progress.ended(self.syncs, self._last_loss)
        self._log("All peers and Swarm training rounds finished. Final Swarm model was loaded.")
        self._end_tracking(True)

    def _track(self, response: SyncResponse) -> None:
        """A merge was loaded: the tracker, if there is one, gets the round."""
        mirror = self._mirror
        if mirror is None or not self._got_merge:
            return
        if not mirror.has_begun:
            weakref.finalize(self, mirror.leave)
            mirror.begin(self.options.trainingContract, self._session.node, self._tracked(), self._loggers)
        judged = None if self._last_loss is None else (self._last_loss, self._last_metric)
        mirror.add(response, self.syncs, judged)
        self._tell_of_tracker()

    def _own_parameters(self) -> Params:
        """What this node gives to a merge."""
        params, before = self._get_parameters(), self._last_merged
        self._sharing.check_unchanged()
        if before is not None and self._countdown == 0 and not self._is_idle:
            self._is_idle = all(name in before and holds(array, before[name]) for name, array in params.items())
            if self._is_idle:
                self._warn(
                    f"No parameter of the model has changed in the {self._interval} batches since the last merge: is "
                    "this the model that is trained, and does the optimiser hold its parameters?"
                )
        return params

    def _timed(self, exchange: Callable[..., SyncResponse], weightage: int, params: Params) -> SyncResponse:
        started = time.monotonic()
        self._next_wait_log = WAIT_LOG_SECONDS
        self._sent, self._got_merge = params, False
        try:
            response = exchange(params, weightage, self._take_merged)
        finally:
            self._sent = None
            self._tell_of_merge()
        self.syncs += 1
        self.syncSeconds += time.monotonic() - started
        return response

    def _on_wait(self, seconds: float) -> None:
        """Called about once a second while the SL does not come, or owes an answer since `seconds`."""
        if self._channel is None:
            return self._progress.waiting("the SL has to open its end of the pipes", seconds)
        whom = self._channel.waits_for
        self._progress.waiting(whom or f"round {self.syncs + 1}", seconds)
        is_news = whom not in ("", self._told_of) and seconds >= WAIT_FIRST_SECONDS
        if is_news or seconds >= self._next_wait_log:
            self._told_of = whom
            text = f": {whom}" if whom else "; its log says for whom."
            self._log(f"Still waiting for the SL's answer, for {seconds:.0f} s now{text}")
            self._next_wait_log = seconds + WAIT_LOG_SECONDS

    def _on_notice(self, text: str) -> None:
        """The SL says something about this node's part in the rounds."""
        self.notices.append(text)
        self._heard = text

    def _tell_of_merge(self) -> None:
        """Tells once what the SL says of the merge (the original's says nothing), and which values are the cause."""
        (sentence, values), heard = self._seen, self._heard
        self._seen, self._heard = ("", ""), ""
        if heard:
            self._warn(f"{heard}; no numbers in this node's model: {values}" if values else heard)
        elif sentence:
            self._warn(f"{sentence}: {values}")

    def _take_merged(self, params: Params) -> Tuple[float, float, int, int]:
        self._look_if_left_out(params)
        self._load(params, "after loading")
        self._last_merged, self._got_merge = params, True
        loss = metric = 0.0
        if self.options.adsValData is not None:
            loss, metric = self._judge_merged()
            if changed_parameters(self._get_parameters(), params):
                # Layers that fold weights into others for evaluation do not get back to the last bit.
                self._load(params, "after an evaluation")
        # float32 on the wire, where a larger number is infinite rather than an error
        with np.errstate(over="ignore"):
            return float(np.float32(loss)), float(np.float32(metric)), self._epochs_done, self.options.totalEpochs or 0

    def _load(self, params: Params, when: str) -> None:
        """Loads a merged model, and reads it again to see whether it is there."""
        self._load_parameters(params)
        check_loaded(self._get_parameters(), params, when, self._causes())

    def _load_final(self, params: Optional[Params]) -> None:
        if params is None:
            raise SwarmError("the swarm sent no merged model; the model is this node's own")
        self._load(params, "at the end")

    def _judge_merged(self) -> Tuple[float, float]:
        """Loss and metric; none when they cannot be had, which is no reason to end a training."""
        try:
            loss, metric = self._evaluate()
        except Exception as error:
            if not self._cannot_judge:
                self._warn(
                    f"adsValData could not be judged ({describe_failure(error)}): the loss of this node is reported "
                    "as 0 as long as that is so"
                )
            self._cannot_judge = True
            self._last_loss = None
            return 0.0, 0.0
        self._cannot_judge = False
        self._last_loss, self._last_metric = loss, metric
        self._log(f"Calculated local loss using merged parameters = {loss}")
        self._clear()
        self.logger.debug(f"Calculated local metric using merged parameters = {metric}")
        return loss, metric

    def _look_if_left_out(self, merged: Params) -> None:
        sent = self._sent
        if sent is None:
            return
        found = left_out(sent, merged)
        what = "The model of this node was left out of the merge"
        if not found and self._last_merged is not None:
            found = left_out(sent, self._last_merged)
            what = "Since the last merge this model, and those of all other nodes, have got values that are no numbers"
        if found:
            self._seen = (what, some(f"{name} has {text}" for name, text in sorted(found.items())))

    def _guarded(self, phase: str, action: Callable[[], None]) -> None:
        """Runs one exchange with the SL; after a failure the pipes are closed, so that the SL sees the end."""
        try:
            action()
        except BaseException as error:
            self._close_channel(f"{ENDED}. This one ended with {type(error).__name__} in a call")
            self._end_tracking(False)
            self._clear()
            if not isinstance(error, Exception):
                raise  # Ctrl-C
            tell("fails", self, error)
            text = f"{phase} call to SL container failed - {error}"
            self.logger.error(text)
            kind = SwarmArgumentError if isinstance(error, SwarmArgumentError) else SwarmError
            raise kind(text) from error

    # Output -------------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._progress.clear()

    def _log(self, text: str) -> None:
        self._clear()
        self.logger.info(text)

    def _warn(self, text: str) -> None:
        self._clear()
        getattr(self.logger, "warning", self.logger.info)(text)
