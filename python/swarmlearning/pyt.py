"""SwarmCallback for PyTorch."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import torch

from ._session.arrays import Params
from ._torch.judge import Judge
from ._torch.ranks import ALONE, Ranks, broadcast
from ._torch.state import TorchState, bare_model, wrappers_of
from ._torch.undo import keep, optimizers_of
from ._training.callback import SwarmCallbackBase
from ._training.inventory import Inventory
from ._training.options import DEFAULT_CONTRACT, Options, check_arguments
from ._training.shared import SharedParameters
from ._training.validation import describe_failure
from .errors import SwarmArgumentError, SwarmError

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]


_PLATFORM_DOC = """
    PyTorch has no callbacks of its own, so the training loop calls on_train_begin(), on_batch_end() after every
    batch, on_epoch_end(epoch) after every epoch, and on_train_end(). Under torch.distributed every rank makes a
    callback and calls it alike: rank 0 speaks with the SL, and all end each sync with the merged model. Further
    arguments:
        model: the torch.nn.Module in training. All tensors of its state_dict() are shared, or those that
            sharedParameters names; complex ones as two real ones, extra states (get_extra_state) never. A model that
            shares an adapter only may say so in its own state_dict().
        lossFunction: name of a class of torch.nn, e.g. 'CrossEntropyLoss', by which merged models are judged. Not
            needed for a model that gives its loss itself, as those of transformers do.
        lossFunctionArgs: its arguments, e.g. {'reduction': 'sum'}.
        metricFunction: name of a class of torchmetrics, e.g. 'F1Score'.
        metricFunctionArgs: its arguments, e.g. {'task': 'multiclass', 'num_classes': 10}.
        optimizer: the optimizer of the model, or a list of them. With it this program can take a merge back, so that in
            a training whose merges are verified behind it trains on with a merge while that is checked.

    A whole program beside an SL:

        >>> import torch
        >>> from swarmlearning.pyt import SwarmCallback
        >>> x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
        >>> model = torch.nn.Linear(4, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), 0.1)
        >>> with SwarmCallback(syncFrequency=16, minPeers=2, model=model, totalEpochs=2,
        ...                    adsValData=(x, y), lossFunction="CrossEntropyLoss") as swarm:
        ...     swarm.on_train_begin()
        ...     for epoch in range(2):
        ...         for rows in torch.randperm(64).split(4):
        ...             optimizer.zero_grad()
        ...             torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        ...             optimizer.step()
        ...             swarm.on_batch_end()
        ...         swarm.on_epoch_end(epoch)
        ...     swarm.on_train_end()
        >>> swarm.syncs  # at the start, after 16 batches, and at the end
        3
    """


class SwarmCallback(SwarmCallbackBase):
    __doc__ = f"{SwarmCallbackBase.__doc__}{_PLATFORM_DOC}"

    platforms = ("PYTORCH",)

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
        model: Optional[torch.nn.Module] = None,
        lossFunction: Optional[str] = None,
        lossFunctionArgs: Optional[Dict[str, Any]] = None,
        metricFunction: Optional[str] = None,
        metricFunctionArgs: Optional[Dict[str, Any]] = None,
        sharedParameters: SharedParameters = "all",
        resume: bool = False,
        transferType: Optional[str] = None,
        tracker: Any = None,
        optimizer: Any = None,
    ):
        if not isinstance(model, torch.nn.Module):
            raise SwarmArgumentError(f"model: wanted the torch.nn.Module to be trained, got {type(model).__name__}")
        self._model = bare_model(model)
        self._wrappers = wrappers_of(model)
        self._loss_function = _make("lossFunction", torch.nn, lossFunction, lossFunctionArgs)
        self._metric = _make("metricFunction", _torchmetrics(metricFunction), metricFunction, metricFunctionArgs)
        self._optimizers = optimizers_of(optimizer)
        self._ranks: Optional[Ranks] = None
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
        if useAdaptiveSync and self._loss_function is None:
            self._warn("useAdaptiveSync without lossFunction: every loss is 0, so the interval cannot adapt")

    # The model --------------------------------------------------------------------------------------------------

    @property
    def _state(self) -> TorchState:
        return TorchState(self._model, self._sharing)

    def _get_parameters(self) -> Params:
        return self._state.read()

    def _load_parameters(self, params: Params) -> None:
        self._state.load(params)

    def _check_model(self) -> None:
        self._state.check()

    def _can_go_back(self) -> bool:
        return bool(self._optimizers) and self._ranks is None

    def _kept_state(self) -> Callable[[], None]:
        return keep(self._model, self._optimizers)

    def _shared_bytes(self) -> int:
        return sum(tensor.size for tensor in self._state.inventory().shared)

    def _inventory(self) -> Inventory:
        found = self._state.inventory()
        found.wrappers = self._wrappers
        return found

    def _tracked(self) -> Dict[str, Any]:
        named = {"lossFunction": self._loss_function, "metricFunction": self._metric}
        names = {argument: type(one).__name__ for argument, one in named.items() if one is not None}
        return {**super()._tracked(), **names}

    def _causes(self) -> Sequence[str]:
        return [
            "the model's state_dict() or load_state_dict() gives or takes other values than it holds",
            "two of its parameters share memory and those of the other nodes do not",
        ]

    # Validation -------------------------------------------------------------------------------------------------

    def _judge(self) -> Judge:
        options = self.options
        return Judge(self._model, options.adsValData, options.adsValBatchSize, self._loss_function, self._metric)

    def _evaluate(self) -> Tuple[float, float]:
        return self._judge()()

    def _judge_first_batch(self) -> Tuple[float, float]:
        return self._judge().dry_run()

    def _check_validation(self) -> None:
        try:
            self._judge_first_batch()
        except SwarmError:
            raise
        except Exception as error:
            raise SwarmArgumentError(
                f"adsValData: the model cannot be judged on its first batch ({describe_failure(error)})"
            ) from error

    # The ranks of torch.distributed -----------------------------------------------------------------------------

    def _open(self) -> None:
        self._ranks = Ranks.present()
        if self._ranks is None or not self._ranks.follows:
            super()._open()

    def _sync(self) -> None:
        if self._ranks is not None and not self._ranks.follows and self.syncs == 0:
            self._ranks.settle()
            if self._ranks.alone:
                self._warn(ALONE.format(count=self._ranks.count))
        self._in_step(super()._sync)

    def _finish(self) -> None:
        self._in_step(super()._finish)

    def _in_step(self, exchange: Callable[[], None]) -> None:
        """An exchange with the SL on rank 0, whose outcome all ranks take."""
        ranks = self._ranks
        if ranks is None or ranks.alone:
            return exchange()
        if ranks.follows:
            self._follow(ranks)
        else:
            try:
                exchange()
            except BaseException as error:
                ranks.tell({"error": str(error) or type(error).__name__})
                raise
            ranks.tell({"interval": self._interval, "over": self.trainingOver, "resumed": self.resumedRound})
        broadcast(self._state.tensors())

    def _follow(self, ranks: Ranks) -> None:
        news = ranks.hear(lambda seconds: self._progress.waiting("rank 0 syncs", seconds))
        self.syncs += 1
        self._interval = self._countdown = news["interval"]
        self.trainingOver = news["over"]
        self.resumedRound = news["resumed"]


def _make(argument: str, library: Any, name: Optional[str], args: Optional[Dict[str, Any]]) -> Any:
    check_arguments(f"{argument}Args", args)
    if name is None:
        return None
    cls = getattr(library, name, None) if isinstance(name, str) else None
    if not isinstance(cls, type):
        raise SwarmArgumentError(f"{argument}: {library.__name__} has no class {name!r}")
    try:
        return cls(**(args or {}))
    except Exception as error:
        raise SwarmArgumentError(f"{argument} {name} does not take {argument}Args {args!r}: {error}") from error


def _torchmetrics(wanted: Optional[str]) -> Any:
    if wanted is None:
        return None
    try:
        import torchmetrics
    except ImportError:
        raise SwarmArgumentError(
            f"metricFunction {wanted!r} is a class of torchmetrics, which is not installed: pip install torchmetrics, "
            "or leave metricFunction out"
        ) from None
    return torchmetrics
