"""How good a Keras model is on validation data, by its own `evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Callable, Iterator, List, Optional, Tuple

import keras
import numpy as np

from .._training.validation import TARGET_NAMES, batches_of, count_samples, take_rows, whole_arrays
from ..errors import SwarmArgumentError

DEFAULT_BATCH_SIZE = 32
INFINITE = -1  # cardinality of a tf.data.Dataset that repeats itself


class Judge:
    """Judges `model` on `data`. In the middle of an epoch the model goes on as if it had not been judged."""

    def __init__(self, model: Any, data: Any, size: Optional[int]):
        self._model = model
        self._size = size
        self._whole = whole_arrays(data)
        if self._whole is not None:
            self._whole = tuple(map(_rows_as_array, self._whole))
        self._data = _with_batches(data, size)
        _check_end(self._data)

    def dry_run(self) -> Tuple[float, float]:
        """Loss and first metric of one batch."""
        if self._whole is not None:
            samples, rows = count_samples(self._whole[1]), self._size or DEFAULT_BATCH_SIZE
            parts = tuple(take_rows(part, 0, rows, samples) for part in self._whole)
            return self._kept(lambda: self._judge_whole(parts))
        first = next(iter(batches_of(self._data)), None)
        if first is None:
            raise SwarmArgumentError("adsValData has no samples")
        return self._kept(lambda: self._judge_batches([first]))

    def __call__(self) -> Tuple[float, float]:
        """Loss and first metric over all samples."""
        if self._whole is not None:
            return self._kept(lambda: self._judge_whole(self._whole))
        if isinstance(self._data, list):
            return self._kept(lambda: self._judge_batches(self._data))
        if _is_foreign(self._data) or isinstance(next(iter(batches_of(self._data)), None), Mapping):
            return self._kept(lambda: self._judge_batches(list(batches_of(self._data))))
        return self._kept(lambda: _scores(self._model.evaluate(self._data, verbose=0)))

    def _judge_whole(self, parts: Any) -> Tuple[float, float]:
        x, y, *weights = parts
        weight = weights[0] if weights else None
        return _scores(self._model.evaluate(x, y, sample_weight=weight, batch_size=self._size, verbose=0))

    def _judge_batches(self, batches: List[Any]) -> Tuple[float, float]:
        if not batches:
            raise SwarmArgumentError("adsValData has no samples")
        return _scores(self._model.evaluate(_as_keras(batches), steps=len(batches), verbose=0))

    def _kept(self, judge: Callable[[], Tuple[float, float]]) -> Tuple[float, float]:
        """The metrics hold an epoch's figures so far, and evaluate() resets them; in tf.keras 2 it also puts a history
        of its own in the place of the one that fit() returns."""
        model = self._model
        history = getattr(model, "history", None)
        metrics = list({id(v): v for metric in model.metrics for v in metric.variables}.values())
        figures = [np.array(v.numpy()) for v in metrics]
        modes = _torch_modes(model)
        try:
            return judge()
        finally:
            for variable, figure in zip(metrics, figures):
                variable.assign(figure)
            if history is not None:
                model.history = history
            for module, mode in modes:
                module.training = mode
            _restore_sharding(model)


def _scores(found: Any) -> Tuple[float, float]:
    scores = [*np.ravel(found), 0.0]
    return float(scores[0]), float(scores[1])


def _rows_as_array(part: Any) -> Any:
    """Rows given as a plain list; several inputs stay several."""
    if isinstance(part, list) and not all(hasattr(value, "shape") for value in part):
        part = np.asarray(part)
    return _as_numpy(part)


def _with_batches(data: Any, size: Optional[int]) -> Any:
    """A Dataset of torch has single samples; a loader makes batches of them."""
    torch_data = sys.modules.get("torch.utils.data")
    if torch_data is not None and isinstance(data, torch_data.Dataset):
        return torch_data.DataLoader(data, batch_size=size or DEFAULT_BATCH_SIZE)
    return data


def _check_end(data: Any) -> None:
    """evaluate() would run through data that repeat themselves for ever."""
    counts = getattr(data, "cardinality", None)
    endless = int(counts()) == INFINITE if callable(counts) else False
    if isinstance(data, getattr(keras.utils, "PyDataset", ())):
        endless = data.num_batches is None
    if endless:
        raise SwarmArgumentError(
            f"adsValData: the {type(data).__name__} repeats itself without an end; it must yield the validation data "
            "once in each run"
        )


def _is_foreign(data: Any) -> bool:
    """Keras 2 does not take loaders of torch."""
    return keras.__version__.startswith("2.") and type(data).__module__.split(".")[0] == "torch"


def _as_keras(batches: List[Any]) -> Iterator[Any]:
    """Batches as (x, y) or (x, y, sample_weight)."""
    for batch in batches:
        if isinstance(batch, Mapping):
            named = dict(batch)
            weight = named.pop("sample_weight", None)
            key = next((name for name in TARGET_NAMES if name in named), None)
            if key is None:
                raise SwarmArgumentError("adsValData: the batches are dicts without labels; name the target 'labels'")
            target = named.pop(key)
            inputs = named if len(named) > 1 else next(iter(named.values()))
            batch = (inputs, target) if weight is None else (inputs, target, weight)
        if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
            raise SwarmArgumentError(
                "adsValData must yield (inputs, target) or (inputs, target, sample_weight) batches, got a "
                f"{type(batch).__name__}"
            )
        yield tuple(_as_numpy(part) for part in batch)


def _as_numpy(value: Any) -> Any:
    """Every array of a nest, whatever framework made it."""
    if isinstance(value, Mapping):
        return {key: _as_numpy(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)) and is_nest(value):
        return type(value)(_as_numpy(part) for part in value) if type(value) in (tuple, list) else value
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if hasattr(value, "iloc") or _dtype_name(value) == "string":
        return value
    array = np.asarray(value)
    if array.dtype.kind in "US" and keras.backend.backend() == "tensorflow":
        return sys.modules["tensorflow"].convert_to_tensor(array)  # evaluate() takes texts in this form only
    return array


def _dtype_name(value: Any) -> str:
    return getattr(getattr(value, "dtype", None), "name", "")


def is_nest(value: Any) -> bool:
    return bool(value) and all(hasattr(part, "shape") or isinstance(part, Mapping) for part in value)


def _torch_modes(model: Any) -> List[Tuple[Any, bool]]:
    """On the torch backend layers are torch modules, which evaluate() leaves in evaluation mode."""
    if keras.backend.backend() != "torch":
        return []
    return [(module, module.training) for module in model.modules()]


def _restore_sharding(model: Any) -> None:
    """Keras up to 3.10 on JAX: evaluate() forgets where fit(), in whose middle we are, keeps its variables."""
    record = getattr(model, "_record_training_state_sharding_spec", None)
    if record is not None:
        record()
