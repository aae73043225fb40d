"""SwarmCallback for Keras 3, on TensorFlow, JAX or torch, and for tf.keras 2."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import keras

from ._keras.judge import Judge
from ._keras.state import KerasState, is_built
from ._keras.undo import keep
from ._session.arrays import Params
from ._training.callback import SwarmCallbackBase
from ._training.inventory import Inventory
from ._training.options import DEFAULT_CONTRACT, Options
from ._training.readback import changed_parameters
from ._training.shared import SharedParameters, some
from ._training.validation import describe_failure
from .errors import SwarmArgumentError, SwarmError

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]


_PLATFORM_DOC = """
    Pass it to `model.fit(..., callbacks=[..., swarm_callback])`. A callback after it that changes the weights at the
    end of training (EarlyStopping with restore_best_weights) is overruled, with a warning: put it before this one if
    the swarm is to merge what it restores. A training loop of your own calls `set_model(model)` first. All weights of
    the model are shared, also those that are not trained, or those that sharedParameters names. adsValData is judged
    by `model.evaluate`: its loss and its first metric. Arguments for PyTorch (lossFunction, lossFunctionArgs,
    metricFunction, metricFunctionArgs) are ignored.

    A whole program beside an SL:

        >>> import keras, numpy
        >>> from swarmlearning.tf import SwarmCallback
        >>> x, y = numpy.random.rand(64, 4), numpy.random.rand(64, 1)
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> swarm = SwarmCallback(syncFrequency=16, minPeers=2, adsValData=(x, y), totalEpochs=2)
        >>> history = model.fit(x, y, batch_size=4, epochs=2, callbacks=[swarm], verbose=0)
        >>> swarm.syncs  # at the start, after 16 batches, and at the end
        3
    """


class SwarmCallback(SwarmCallbackBase, keras.callbacks.Callback):
    __doc__ = f"{SwarmCallbackBase.__doc__}{_PLATFORM_DOC}"

    platforms = ("KERAS", "TF")

    def __init__(
        self,
        syncFrequency: int,
        minPeers: int,
        trainingContract: str = DEFAULT_CONTRACT,
        *,
        useAdaptiveSync: bool = False,
        adsValData: Any = None,
        adsValBatchSize: Optional[int] = None,
        checkinModelOnTrainEnd: str = "snapshot",
        nodeWeightage: int = 1,
        mlPlatform: Optional[str] = None,
        mergeMethod: str = "mean",
        logger: Any = None,
        totalEpochs: Optional[int] = None,
        lossFunction: Any = None,
        lossFunctionArgs: Any = None,
        metricFunction: Any = None,
        metricFunctionArgs: Any = None,
        sharedParameters: SharedParameters = "all",
        resume: bool = False,
        transferType: Optional[str] = None,
        tracker: Any = None,
    ):
        keras.callbacks.Callback.__init__(self)
        self._batch_index = -1  # of the epoch's last batch that was counted
        self._begins_late = False  # with the first batch, as the model has not all of its weights before
        self._others: List[Any] = []  # all callbacks of this fit()
        self._final: Optional[Params] = None  # until the callbacks after this one have ended too
        self._start(
            Options(
                syncFrequency=syncFrequency,
                minPeers=minPeers,
                useAdaptiveSync=useAdaptiveSync,
                adsValData=adsValData,
                adsValBatchSize=adsValBatchSize,
                checkinModelOnTrainEnd=checkinModelOnTrainEnd,
                trainingContract=trainingContract,
                nodeWeightage=nodeWeightage,
                mlPlatform=mlPlatform,
                mergeMethod=mergeMethod,
                totalEpochs=totalEpochs,
                sharedParameters=sharedParameters,
                resume=resume,
                transferType=transferType,
            ),
            logger,
            tracker,
        )

    # What Keras calls -------------------------------------------------------------------------------------------

    def set_params(self, params: Dict[str, Any]) -> None:
        """Called by Keras, with what it knows of the training."""
        super().set_params(params)
        self._epoch_batches = params.get("steps")
        self._progress.has_bar_beside = bool(params.get("verbose"))

    def set_model(self, model: Any) -> None:
        """Called by Keras, or by a training loop of your own, before on_train_begin()."""
        super().set_model(model)
        callbacks = _callbacks_of_caller()
        if callbacks is not None and not any(isinstance(one, _EndWatch) for one in callbacks):
            callbacks.append(_EndWatch(self))
        self._others = callbacks or []

    def on_train_begin(self, logs: Optional[Dict[str, Any]] = None) -> None:
        """Before the first batch: all nodes start from the same merged model."""
        self._batch_index = -1
        self._guarded("Init", self._prepare)
        if not self._begins_late:
            super().on_train_begin(logs)

    def on_epoch_begin(self, epoch: Optional[int] = None, logs: Optional[Dict[str, Any]] = None) -> None:
        """Batches are counted from the beginning of an epoch."""
        self._batch_index = -1

    def on_batch_end(self, batch: Optional[int] = None, logs: Optional[Dict[str, Any]] = None) -> None:
        """After every batch, or every steps_per_execution batches: `batch` is the index of the last one."""
        count = 1
        if batch is not None:
            count = max(int(batch) - self._batch_index, 1)
            self._batch_index = int(batch)
        if self._begins_late:
            self._begins_late = False
            self._guarded("Init", self._check_shared)
            super().on_train_begin()
        self._count_batches(count)

    # The model --------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """What cannot be known before there is a model."""
        model = self._state.model
        if self.options.adsValData is not None:
            self._judge_once()
        self._begins_late = not is_built(model) and not self.loopback
        if self._begins_late:
            self._log("The model gets its weights with the first batch; the first merge follows that batch")
        else:
            self._check_shared()

    def _check_shared(self) -> None:
        if not self.loopback:
            self._state.check()

    def _judge_once(self) -> None:
        try:
            self._judge_first_batch()
        except SwarmError:
            raise
        except Exception as error:
            raise SwarmArgumentError(
                f"adsValData: the model cannot be judged on its first batch ({describe_failure(error)})"
            ) from error

    @property
    def _state(self) -> KerasState:
        if self._bare_model() is None:
            raise SwarmError(
                "this SwarmCallback has no model: pass it to model.fit(), or call its set_model(model) before "
                "on_train_begin()"
            )
        return KerasState(self.model, self._sharing)

    def _bare_model(self) -> Any:
        return getattr(self, "_model", None) or self.__dict__.get("model")

    def _get_parameters(self) -> Params:
        return self._state.read()

    def _load_parameters(self, params: Params) -> None:
        self._state.load(params)

    def _can_go_back(self) -> bool:
        return True

    def _kept_state(self) -> Callable[[], None]:
        return keep(self._state.model)

    def _check_model(self) -> None:
        if self._bare_model() is not None:
            self._state.check()

    def _inventory(self) -> Inventory:
        return self._state.inventory()

    def _shared_bytes(self) -> int:
        if self._bare_model() is None or not is_built(self._state.model):
            return 0
        return sum(tensor.size for tensor in self._state.inventory().shared)

    def _judge_first_batch(self) -> Tuple[float, float]:
        return self._judge().dry_run()

    def _variables(self) -> Dict[str, Any]:
        """The shared weights by name."""
        return dict(self._state.weights())

    def _judge(self) -> Judge:
        return Judge(self.model, self.options.adsValData, self.options.adsValBatchSize)

    def _evaluate(self) -> Tuple[float, float]:
        return self._judge()()

    def _stop_training(self) -> None:
        self.model.stop_training = True

    def _causes(self) -> Sequence[str]:
        return ["a layer changes its weights when they are assigned", "two of them share memory on this node only"]

    # The end ----------------------------------------------------------------------------------------------------

    def _ended_with(self, merged: Params) -> None:
        if any(isinstance(one, _EndWatch) for one in self._others):
            self._final = merged

    def _check_end(self) -> None:
        """After the last callback: nobody has put other weights in the place of the swarm's."""
        final, self._final = self._final, None
        if final is None:
            return
        changed = changed_parameters(self._get_parameters(), final)
        if not changed:
            return
        self._load(final, "at the end of fit()")
        after = self._others[self._others.index(self) + 1 :] if self in self._others else []
        names = [type(one).__name__ for one in after if not isinstance(one, (_EndWatch, keras.callbacks.History))]
        self._warn(
            f"After the swarm's final model was loaded, {len(changed)} parameters were changed "
            f"({some(sorted(changed))}), likely by {' or '.join(names) or 'another callback'}; the swarm's model was "
            "put back. To merge what such a callback restores, put it before the SwarmCallback"
        )


class _EndWatch(keras.callbacks.Callback):
    """Stands at the end of a fit()'s callbacks."""

    def __init__(self, owner: SwarmCallback):
        super().__init__()
        self._owner = owner

    def on_train_end(self, logs: Optional[Dict[str, Any]] = None) -> None:
        self._owner._guarded("End Swarm", self._owner._check_end)


def _callbacks_of_caller() -> Optional[List[Any]]:
    """The list of the keras.callbacks.CallbackList that calls set_model() at this moment; Keras does not tell a
    callback which others there are."""
    frame: Optional[FrameType] = sys._getframe(1)
    for _ in range(8):
        if frame is None:
            break
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList) and isinstance(caller.callbacks, list):
            return caller.callbacks
        frame = frame.f_back
    return None
