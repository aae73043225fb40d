"""How good a PyTorch model is on validation data: the mean loss of a sample, and a metric."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Dict, Iterator, Optional, Tuple

import torch

from ..errors import SwarmArgumentError
from .batches import Batch, Batches, place_of

#: Losses whose targets are numbers of classes; those of the others are values, in the type of the output.
CLASS_LOSSES = ("CrossEntropyLoss", "NLLLoss", "NLLLoss2d", "MultiMarginLoss", "MultiLabelMarginLoss")


class Judge:
    """Judges `model` on `data` with a loss of torch.nn and a metric of torchmetrics, either of which may be None."""

    def __init__(self, model: torch.nn.Module, data: Any, size: Optional[int], loss: Any, metric: Any):
        self._model = model
        self._batches = Batches(model, data, size)
        self._loss = loss
        self._metric = metric

    def dry_run(self) -> Tuple[float, float]:
        """Loss and metric of one batch; the program's random numbers go on as if it had not."""
        state = torch.get_rng_state()
        try:
            return self._run(batches_max=1)
        finally:
            torch.set_rng_state(state)

    def __call__(self) -> Tuple[float, float]:
        """Loss and metric over all samples; the model is left in the modes that it had."""
        return self._run(batches_max=None)

    def _run(self, batches_max: Optional[int]) -> Tuple[float, float]:
        with evaluating(self._model), torch.no_grad():
            return self._judge(batches_max)

    def _judge(self, batches_max: Optional[int]) -> Tuple[float, float]:
        total, weights, count = 0.0, 0.0, 0
        device, dtype = place_of(self._model)
        if isinstance(self._loss, torch.nn.Module):
            self._loss.to(device, dtype)
        if self._metric is not None:
            self._metric.to(device).reset()
        for batch in self._batches:
            output = self._model(*batch.inputs, **batch.named)
            weight = self._weight_of(batch)
            total += self._loss_of(output, batch) * weight if weight else 0.0
            weights += weight
            if self._metric is not None:
                self._metric.update(prediction_of(output), batch.target)
            count += 1
            if count == batches_max:
                break
        if count == 0 or (weights == 0 and batches_max is None):
            raise SwarmArgumentError("adsValData has no samples")
        return total / (weights or 1.0), self._metric_value()

    def _weight_of(self, batch: Batch) -> float:
        """How much a batch counts: by its samples; by those of its targets that the loss looks at, and their weights,
        where a loss ignores some or weighs classes differently."""
        if batch.weight is not None:
            return float(batch.weight.sum())
        target, ignored = batch.target, getattr(self._loss, "ignore_index", None)
        if ignored is None or not isinstance(target, torch.Tensor) or target.is_floating_point():
            return float(batch.samples())
        counted = target[target != ignored].long()
        classes = getattr(self._loss, "weight", None)
        total = float(len(counted) if classes is None else classes[counted].sum())
        return total * batch.samples() / max(target.numel(), 1)

    def _loss_of(self, output: Any, batch: Batch) -> float:
        """Mean over the samples of a batch. A model that computes its loss itself knows best."""
        own = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
        if own is not None and batch.weight is None:
            return float(own)
        if self._loss is None:
            return 0.0
        if batch.target is None:
            raise SwarmArgumentError(
                "adsValData: the batches are dicts without labels, and the model gives no loss: name the target "
                "'labels', or yield (inputs, target)"
            )
        prediction = prediction_of(output)
        target = self._target_for(prediction, batch.target)
        if batch.weight is not None:
            return self._weighted(prediction, target, batch.weight)
        loss = self._loss(prediction, target)
        mean = getattr(self._loss, "reduction", "mean") in ("mean", "batchmean")
        return float(loss) if mean else float(loss.sum()) / (self._weight_of(batch) or 1.0)

    def _target_for(self, prediction: Any, target: Any) -> Any:
        if not isinstance(target, torch.Tensor) or not isinstance(prediction, torch.Tensor):
            return target
        if {prediction.dim(), target.dim()} == {1, 2} and prediction.numel() == target.numel():
            target = target.reshape(prediction.shape)  # one number a sample: a column is a row
        if target.is_floating_point():
            return target
        return target.long() if type(self._loss).__name__ in CLASS_LOSSES else target.to(prediction.dtype)

    def _weighted(self, prediction: Any, target: Any, weight: torch.Tensor) -> float:
        """Mean over the samples by their weights, of losses that can be had one by one."""
        reduction = getattr(self._loss, "reduction", None)
        if reduction is None:
            raise SwarmArgumentError(
                f"adsValData has sample weights, but lossFunction {type(self._loss).__name__} has no reduction"
            )
        self._loss.reduction = "none"
        try:
            losses = self._loss(prediction, target)
        finally:
            self._loss.reduction = reduction
        each = losses.reshape(len(weight), -1).mean(1)
        return float((each * weight).sum() / weight.sum())

    def _metric_value(self) -> float:
        if self._metric is None:
            return 0.0
        value = self._metric.compute()
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            raise SwarmArgumentError(
                f"metricFunction {type(self._metric).__name__} gives more than one number; choose an average in "
                "metricFunctionArgs, e.g. {'average': 'macro'}"
            )
        return float(value)


def prediction_of(output: Any) -> Any:
    """What the loss is computed from: the logits where a model returns several things by name."""
    for name in ("logits", "prediction", "predictions", "output"):
        found = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if isinstance(found, torch.Tensor):
            return found
    return output


@contextlib.contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """In evaluation mode inside; outside each layer has the mode that it had.

    Modes are changed by train(), as layers may do more in it (adapters fold themselves into their base), and only where
    they are another one."""
    modes = {module: module.training for module in model.modules()}
    if any(modes.values()):
        model.eval()
    try:
        yield
    finally:
        restore_modes(model, modes)


def restore_modes(module: torch.nn.Module, modes: Dict[torch.nn.Module, bool]) -> None:
    """From the top down: train() of a module is that of all modules in it, so a module with another one inside is
    switched after those, and they once more if that has changed them."""
    wanted = {modes[part] for part in module.modules() if part in modes}
    if all(part.training == modes.get(part, part.training) for part in module.modules()):
        return
    if len(wanted) == 1:
        module.train(wanted.pop())
        return
    for child in module.children():
        restore_modes(child, modes)
    mode = modes.get(module, module.training)
    if module.training == mode:
        return
    if type(module).train is torch.nn.Module.train:
        module.training = mode  # nothing more than that happens in its train(), but to its children
        return
    module.train(mode)
    for child in module.children():
        restore_modes(child, modes)
