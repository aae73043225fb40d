"""SwarmCallback for PyTorch."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Optional, Tuple

import torch

from .arrays import BFLOAT16, ITEM_SIZE, Params, pack, unpack_as
from .callback import SwarmCallbackBase, check_names, check_shape
from .errors import SwarmArgumentError, SwarmError
from .messages import NDArray
from .options import DEFAULT_CONTRACT, Options

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]

DEFAULT_VAL_BATCH_SIZE = 128


_PLATFORM_DOC = """
    PyTorch has no callbacks of its own, so the training loop calls on_train_begin(), on_batch_end() after every
    batch, on_epoch_end(epoch) after every epoch, and on_train_end(). Further arguments:
        model: the torch.nn.Module in training; everything in its state_dict() is shared.
        lossFunction: name of a class of torch.nn, e.g. 'CrossEntropyLoss', by which merged models are judged.
        lossFunctionArgs: its arguments, e.g. {'reduction': 'sum'}.
        metricFunction: name of a class of torchmetrics, e.g. 'F1Score'.
        metricFunctionArgs: its arguments, e.g. {'task': 'multiclass', 'num_classes': 10}.
    """


class SwarmCallback(SwarmCallbackBase):
    __doc__ = f"{SwarmCallbackBase.__doc__}{_PLATFORM_DOC}"

    platforms = ("PYTORCH",)

    def __init__(
        self,
        syncFrequency: int,
        minPeers: int,
        useAdaptiveSync: bool = False,
        adsValData: Any = None,
        adsValBatchSize: Optional[int] = None,
        checkinModelOnTrainEnd: str = "snapshot",
        trainingContract: str = DEFAULT_CONTRACT,
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
    ):
        if not isinstance(model, torch.nn.Module):
            raise SwarmArgumentError(f"model: wanted the torch.nn.Module to be trained, got {model!r}")
        self._model = _bare(model)
        self._loss_function = _make("lossFunction", torch.nn, lossFunction, lossFunctionArgs)
        self._metric = _make("metricFunction", _torchmetrics(metricFunction), metricFunction, metricFunctionArgs)
        self._start(
            Options(
                syncFrequency,
                minPeers,
                useAdaptiveSync,
                adsValData,
                adsValBatchSize,
                checkinModelOnTrainEnd,
                trainingContract,
                nodeWeightage,
                mlPlatform,
                mergeMethod,
                totalEpochs,
            ),
            logger,
        )
        if useAdaptiveSync and self._loss_function is None:
            self._warn("useAdaptiveSync without lossFunction: every loss is 0, so the interval cannot adapt")

    def _get_parameters(self) -> Params:
        return {name: _pack_tensor(name, tensor) for name, tensor in self._model.state_dict().items()}

    def _load_parameters(self, params: Params) -> None:
        state = self._model.state_dict()
        check_names(state, params)
        loaded = {}
        for name, tensor in state.items():
            check_shape(name, params[name].shape, tensor.shape)
            loaded[name] = torch.from_numpy(unpack_as(params[name], _dtype_name(tensor)))
        self._model.load_state_dict(loaded)  # casts, and copies to each parameter's own device

    def _evaluate(self) -> Tuple[float, float]:
        # Layers that the program froze in evaluation mode must not come back in training mode, so each is restored.
        modes = [(module, module.training) for module in self._model.modules()]
        self._model.eval()
        try:
            with torch.no_grad():
                return self._judge(_device_of(self._model))
        finally:
            for module, mode in modes:
                module.training = mode

    def _judge(self, device: torch.device) -> Tuple[float, float]:
        """Mean loss of a sample, and the metric over all samples."""
        total, samples = 0.0, 0
        if self._loss_function is not None:
            self._loss_function.to(device)
        if self._metric is not None:
            self._metric.to(device).reset()
        for inputs, target in self._batches():
            inputs, target = _to_device(inputs, device), _to_device(target, device)
            output = self._model(*inputs)
            if self._loss_function is not None:
                loss = self._loss_function(output, target)
                mean = getattr(self._loss_function, "reduction", "mean") == "mean"
                total += float(loss) * len(target) if mean else float(loss.sum())
            if self._metric is not None:
                self._metric.update(output, target)
            samples += len(target)
        if samples == 0:
            raise SwarmError("adsValData has no samples")
        return total / samples, self._metric_value()

    def _metric_value(self) -> float:
        if self._metric is None:
            return 0.0
        value = self._metric.compute()
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            raise SwarmError(
                f"metricFunction {type(self._metric).__name__} gives more than one number; choose an average in "
                "metricFunctionArgs, e.g. {'average': 'macro'}"
            )
        return float(value)

    def _batches(self) -> Iterator[Tuple[Tuple[Any, ...], torch.Tensor]]:
        """Validation data as (inputs, target)."""
        data = self.options.adsValData
        if isinstance(data, tuple) and len(data) == 2:
            x, y = (torch.as_tensor(part) for part in data)
            step = self.options.adsValBatchSize or DEFAULT_VAL_BATCH_SIZE
            for start in range(0, len(x), step):
                yield (x[start : start + step],), y[start : start + step]
            return
        for batch in data:
            if not isinstance(batch, (tuple, list)) or len(batch) < 2:
                raise SwarmError(f"adsValData must yield (inputs, target) batches, got a {type(batch).__name__}")
            *inputs, target = batch
            yield tuple(inputs), torch.as_tensor(target)


def _bare(model: torch.nn.Module) -> torch.nn.Module:
    """The module within the wrappers of parallel training and torch.compile, whose prefixes other nodes lack."""
    while True:
        if isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def _make(argument: str, library: Any, name: Optional[str], args: Optional[Dict[str, Any]]) -> Any:
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


def _device_of(model: torch.nn.Module) -> torch.device:
    for tensor in model.state_dict().values():
        return tensor.device
    return torch.device("cpu")


def _to_device(value: Any, device: torch.device) -> Any:
    if isinstance(value, tuple):
        return tuple(_to_device(item, device) for item in value)
    return torch.as_tensor(value).to(device)


def _dtype_name(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).replace("torch.", "")


def _pack_tensor(name: str, tensor: Any) -> NDArray:
    if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
        raise SwarmError(f"parameter {name} has no shape yet: run one batch through the model before training begins")
    if not isinstance(tensor, torch.Tensor):
        raise SwarmError(f"state_dict entry {name} is a {type(tensor).__name__}; only tensors can be shared")
    dtype = _dtype_name(tensor)
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or dtype not in ITEM_SIZE:
        kind = "quantised" if tensor.is_quantized else "meta" if tensor.is_meta else str(tensor.layout)
        raise SwarmError(
            f"parameter {name} is a {kind} tensor of {dtype}; only plain tensors of "
            f"{', '.join(sorted(ITEM_SIZE))} can be shared"
        )
    tensor = tensor.detach().cpu()
    if dtype == BFLOAT16:
        return pack(tensor.contiguous().view(torch.int16).numpy(), BFLOAT16)
    return pack(tensor.numpy())
